#include "qa/mcp/mcp_http.h"

#include <optional>

#include "engine/base/random_id.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr const char* kSessionHeader = "mcp-session-id";
constexpr int kBadRequest = 400;

std::string Header(const McpHttpRequest& request, const char* lower_case_name) {
  const auto found = request.headers.find(lower_case_name);
  return found == request.headers.end() ? std::string() : found->second;
}

/// A refusal as clients of the protocol read it.
McpHttpResponse Refuse(int status, const std::string& message) {
  McpHttpResponse out;
  out.status = status;
  out.headers = {{"Content-Type", "application/json"}};
  out.body =
      json{{"jsonrpc", "2.0"}, {"id", nullptr}, {"error", {{"code", -32600}, {"message", message}}}}
          .dump();
  return out;
}

bool Accepts(const std::string& accept, std::string_view type, std::string_view family) {
  return accept.empty() || accept.find(type) != std::string::npos ||
         accept.find(family) != std::string::npos || accept.find("*/*") != std::string::npos;
}

/// Work that a stream will do: it ends before its session does.
struct Pending {
  std::shared_ptr<McpSession> session;
  McpWork work;
};

std::string Event(const std::string& message) {
  return "event: message\ndata: " + message + "\n\n";  // JSON text has no line breaks
}

}  // namespace

size_t McpHttp::num_sessions() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

void McpHttp::CancelAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, entry] : sessions_) entry.session->CancelAll();
}

McpHttpResponse McpHttp::Handle(const McpHttpRequest& request) {
  const std::string version = Header(request, "mcp-protocol-version");
  if (!version.empty() && !McpSession::IsKnownVersion(version)) {
    return Refuse(kBadRequest, "MCP-Protocol-Version: not one that is spoken here");
  }
  if (request.method == "POST") return Post(request);
  if (request.method == "DELETE") return End(request);
  McpHttpResponse out = Refuse(405, "POST a message, or DELETE the session");
  out.headers.emplace_back("Allow", "POST, DELETE");
  return out;
}

McpHttpResponse McpHttp::Post(const McpHttpRequest& request) {
  const std::string type = Header(request, "content-type");
  if (!type.starts_with("application/json")) {
    return Refuse(415, "Content-Type: expected application/json");
  }
  const std::string accept = Header(request, "accept");
  if (!Accepts(accept, "application/json", "application/*") &&
      !Accepts(accept, "text/event-stream", "text/*")) {
    return Refuse(406, "Accept: expected application/json and text/event-stream");
  }
  if (Header(request, kSessionHeader).empty()) return Begin(request);
  McpHttpResponse refusal;
  const auto session = Find(request, refusal);
  return session ? Answer(session, request) : refusal;
}

McpHttpResponse McpHttp::Begin(const McpHttpRequest& request) {
  auto session = std::make_shared<McpSession>(tools_);
  const McpWork work = session->Read(request.body);
  const auto reply = work.run({});
  if (session->version().empty()) {  // whatever it was, it did not begin a session
    if (work.is_initialize && reply) {
      McpHttpResponse out;
      out.headers = {{"Content-Type", "application/json"}};
      out.body = *reply;
      return out;
    }
    return Refuse(kBadRequest, "Mcp-Session-Id is missing: begin with initialize");
  }
  const std::string id = RandomToken();
  const std::lock_guard lock(mutex_);
  if (!MakeRoom()) {
    McpHttpResponse out = Refuse(503, "every session is busy");
    out.headers.emplace_back("Retry-After", "5");
    return out;
  }
  sessions_[id] = {std::move(session), options_.now()};
  McpHttpResponse out;
  out.headers = {{"Content-Type", "application/json"}, {"Mcp-Session-Id", id}};
  out.body = reply.value_or("");
  return out;
}

McpHttpResponse McpHttp::Answer(const std::shared_ptr<McpSession>& session,
                                const McpHttpRequest& request) {
  McpWork work = session->Read(request.body, request.cancel);
  McpHttpResponse out;
  if (!work.has_reply) {
    work.run({});
    out.status = 202;
    return out;
  }
  const std::string accept = Header(request, "accept");
  const bool takes_json = Accepts(accept, "application/json", "application/*");
  const bool takes_events = accept.find("text/event-stream") != std::string::npos;
  if (takes_events && (work.wants_notes || !takes_json)) {
    out.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}};
    const auto pending = std::make_shared<Pending>(Pending{session, std::move(work)});
    out.stream = [pending](const std::function<bool(std::string_view)>& write) {
      const auto reply =
          pending->work.run([&](const std::string& message) { return write(Event(message)); });
      if (reply) write(Event(*reply));
    };
    return out;
  }
  const auto reply = work.run({});
  out.headers = {{"Content-Type", "application/json"}};
  // A cancelled request has no answer; the client does not wait for one, HTTP does.
  out.body = reply ? *reply : Refuse(200, "cancelled").body;
  return out;
}

McpHttpResponse McpHttp::End(const McpHttpRequest& request) {
  McpHttpResponse out;
  const auto session = Find(request, out);
  if (!session) return out;
  session->CancelAll();
  const std::lock_guard lock(mutex_);
  sessions_.erase(Header(request, kSessionHeader));
  out.status = 204;
  return out;
}

std::shared_ptr<McpSession> McpHttp::Find(const McpHttpRequest& request, McpHttpResponse& refusal) {
  const std::string id = Header(request, kSessionHeader);
  if (id.empty()) {
    refusal = Refuse(kBadRequest, "Mcp-Session-Id is missing");
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(id);
  const Time now = options_.now();
  const bool expired = found != sessions_.end() && found->second.session->num_running() == 0 &&
                       now - found->second.last_used > options_.max_idle;
  if (expired) sessions_.erase(found);
  if (expired || found == sessions_.end()) {
    refusal = Refuse(404, "no such session: begin again with initialize");
    return nullptr;
  }
  found->second.last_used = now;
  return found->second.session;
}

bool McpHttp::MakeRoom() {
  const Time now = options_.now();
  std::erase_if(sessions_, [&](const auto& each) {
    return each.second.session->num_running() == 0 &&
           now - each.second.last_used > options_.max_idle;
  });
  if (sessions_.size() < options_.max_sessions) return true;
  auto oldest = sessions_.end();
  for (auto each = sessions_.begin(); each != sessions_.end(); ++each) {
    if (each->second.session->num_running() > 0) continue;
    if (oldest == sessions_.end() || each->second.last_used < oldest->second.last_used) {
      oldest = each;
    }
  }
  if (oldest == sessions_.end()) return false;
  sessions_.erase(oldest);
  return true;
}

}  // namespace vade::qa
