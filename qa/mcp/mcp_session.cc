#include "qa/mcp/mcp_session.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/tools/arguments.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kVersions = {"2025-06-18", "2025-03-26", "2024-11-05"};
constexpr std::string_view kNewest = kVersions[0];  // the first without batches, with outputSchema
constexpr size_t kMaxBatch = 32;
constexpr size_t kMaxIdBytes = 256;
constexpr size_t kResourcesAPage = 100;

// JSON-RPC 2.0, and -32002 of the protocol.
constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kUnknownMethod = -32601;
constexpr int kInvalidParams = -32602;
constexpr int kInternal = -32603;
constexpr int kNoResource = -32002;

std::string Text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json ErrorReply(const json& id, int code, const std::string& message) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

int CodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return kInvalidParams;
    case ErrorCode::kUnsupported:
      return kUnknownMethod;
    case ErrorCode::kNotFound:
      return kNoResource;
    default:
      return kInternal;
  }
}

bool IsId(const json& id) {
  return id.is_number_integer() ||
         (id.is_string() && id.get_ref<const std::string&>().size() <= kMaxIdBytes);
}

McpWork ReplyWith(json reply) {
  McpWork work;
  work.has_reply = true;
  work.run = [text = Text(reply)](const McpNotify&) { return std::optional(text); };
  return work;
}

McpWork Nothing() {
  McpWork work;
  work.run = [](const McpNotify&) { return std::optional<std::string>(); };
  return work;
}

// Where a list goes on: the number of entries before it.
Result<size_t> ReadCursor(const json& params) {
  if (!params.contains("cursor")) return size_t{0};
  const auto bad = [] {
    return Fail(ErrorCode::kInvalidArgument, "params.cursor: not one of ours");
  };
  if (!params["cursor"].is_string()) return bad();
  const std::string text = params["cursor"];
  size_t begin = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), begin);
  if (error != std::errc() || end != text.data() + text.size() || begin > 1'000'000'000) {
    return bad();
  }
  return begin;
}

json Describe(const McpTool& tool, bool newest) {
  json out = {{"name", tool.name},
              {"description", tool.description},
              {"inputSchema", tool.input_schema},
              {"annotations",
               {{"title", tool.title},
                {"readOnlyHint", true},
                {"destructiveHint", false},
                {"idempotentHint", true},
                {"openWorldHint", false}}}};
  if (newest) {
    out["title"] = tool.title;
    out["outputSchema"] = tool.output_schema;
  }
  return out;
}

json ToolResult(const std::string& text, bool is_error) {
  json content = json::array({{{"type", "text"}, {"text", text}}});
  return {{"content", std::move(content)}, {"isError", is_error}};
}

}  // namespace

/// A place in running_, left at the end.
struct McpSession::Running {
  McpSession* session;
  std::string id;
  std::shared_ptr<CancelToken> cancel;

  Running(McpSession* of, std::string key, std::shared_ptr<CancelToken> token)
      : session(of), id(std::move(key)), cancel(std::move(token)) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { session->Leave(id); }
};

struct McpSession::Request {
  json id;
  std::string method;
  json params;
  json progress_token;  // null: none
  std::shared_ptr<Running> running;
};

bool McpSession::IsKnownVersion(std::string_view version) {
  return std::ranges::find(kVersions, version) != kVersions.end();
}

std::string McpSession::version() const {
  const std::lock_guard lock(mutex_);
  return version_;
}

size_t McpSession::num_running() const {
  const std::lock_guard lock(mutex_);
  return running_.size();
}

void McpSession::CancelAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, cancel] : running_) cancel->Cancel();
}

void McpSession::Leave(const std::string& id) {
  const std::lock_guard lock(mutex_);
  running_.erase(id);
}

std::optional<std::string> McpSession::Handle(std::string_view message, const McpNotify& notify) {
  return Read(message).run(notify);
}

McpWork McpSession::Read(std::string_view message, std::shared_ptr<CancelToken> cancel) {
  if (message.size() > kMaxMcpMessageBytes) {
    return ReplyWith(ErrorReply(nullptr, kInvalidRequest,
                                "a message of " + std::to_string(message.size()) +
                                    " bytes, at most " + std::to_string(kMaxMcpMessageBytes)));
  }
  const auto parsed = ParseJson(message);
  if (!parsed) return ReplyWith(ErrorReply(nullptr, kParseError, parsed.error().message));
  if (parsed->is_array()) return ReadBatch(*parsed, cancel);
  return ReadOne(*parsed, std::move(cancel), false);
}

McpWork McpSession::ReadBatch(const json& messages, const std::shared_ptr<CancelToken>& cancel) {
  const std::string agreed = version();
  const auto refuse = [](const std::string& why) {
    return ReplyWith(ErrorReply(nullptr, kInvalidRequest, why));
  };
  if (agreed.empty()) return refuse("a batch before initialize");
  if (agreed == kNewest) return refuse("version " + agreed + " has no batches");
  if (messages.empty() || messages.size() > kMaxBatch) {
    return refuse("a batch of " + std::to_string(messages.size()) + " messages, 1 to " +
                  std::to_string(kMaxBatch) + " are read");
  }
  auto works = std::make_shared<std::vector<McpWork>>();
  McpWork batch;
  for (const json& message : messages) {
    works->push_back(ReadOne(message, cancel, true));
    batch.is_quick = batch.is_quick && works->back().is_quick;
    batch.has_reply = batch.has_reply || works->back().has_reply;
    batch.wants_notes = batch.wants_notes || works->back().wants_notes;
  }
  batch.run = [works](const McpNotify& notify) -> std::optional<std::string> {
    std::string replies;
    for (const McpWork& work : *works) {
      if (const auto reply = work.run(notify)) replies += (replies.empty() ? "" : ",") + *reply;
    }
    works->clear();
    if (replies.empty()) return std::nullopt;
    return "[" + replies + "]";
  };
  return batch;
}

McpWork McpSession::ReadOne(const json& message, std::shared_ptr<CancelToken> cancel,
                            bool in_batch) {
  const json id = message.is_object() && message.contains("id") ? message["id"] : json(nullptr);
  const auto refuse = [&](int code, const std::string& why) {
    return ReplyWith(ErrorReply(IsId(id) ? id : json(nullptr), code, why));
  };
  if (!message.is_object() || message.value("jsonrpc", json()) != "2.0") {
    return refuse(kInvalidRequest, "not a JSON-RPC 2.0 message");
  }
  if (!message.contains("method")) {
    const bool response = message.contains("result") || message.contains("error");
    return response ? Nothing() : refuse(kInvalidRequest, "a message without method");
  }
  if (!message["method"].is_string()) return refuse(kInvalidRequest, "method: expected a string");
  const std::string method = message["method"];
  const json params = message.value("params", json::object());
  if (!message.contains("id")) {
    if (params.is_object()) TakeNotification(method, params);
    return Nothing();
  }
  if (!IsId(id)) return refuse(kInvalidRequest, "id: expected a string or a whole number");
  if (!params.is_object()) return refuse(kInvalidParams, "params: expected an object");
  if (method == "initialize" && in_batch) return refuse(kInvalidRequest, "initialize in a batch");

  auto request = std::make_shared<Request>();
  request->id = id;
  request->method = method;
  request->params = params;
  if (params.contains("_meta") && params["_meta"].is_object()) {
    const json token = params["_meta"].value("progressToken", json());
    if (IsId(token)) request->progress_token = token;
  }
  if (!cancel) cancel = std::make_shared<CancelToken>();
  {
    const std::lock_guard lock(mutex_);
    if (running_.size() >= kMaxMcpRunning) {
      return refuse(kInvalidRequest,
                    std::to_string(kMaxMcpRunning) + " requests are running: wait for one to end");
    }
    if (!running_.try_emplace(Text(id), cancel).second) {
      return refuse(kInvalidRequest, "id " + Text(id) + " is that of a running request");
    }
  }
  request->running = std::make_shared<Running>(this, Text(id), std::move(cancel));
  McpWork work;
  work.has_reply = true;
  work.is_quick = method != "tools/call" && method != "resources/read";
  work.wants_notes = !request->progress_token.is_null();
  work.is_initialize = method == "initialize";
  work.run = [this, request](const McpNotify& notify) -> std::optional<std::string> {
    const auto result = Run(*request, notify);
    const bool cancelled = request->running->cancel->cancelled();
    request->running.reset();
    if (cancelled) return std::nullopt;  // the client has forgotten it
    if (!result) {
      return Text(
          ErrorReply(request->id, CodeOf(result.error()), utf8::Repair(result.error().message)));
    }
    return Text({{"jsonrpc", "2.0"}, {"id", request->id}, {"result", *result}});
  };
  return work;
}

void McpSession::TakeNotification(const std::string& method, const json& params) {
  if (method != "notifications/cancelled" || !params.contains("requestId")) return;
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(Text(params["requestId"]));
  if (found != running_.end()) found->second->Cancel();
}

Result<json> McpSession::Run(const Request& request, const McpNotify& notify) {
  const std::string& method = request.method;
  if (method == "ping") return json::object();
  if (method == "initialize") return Initialize(request.params);
  const std::string agreed = version();
  if (agreed.empty()) {
    return Fail(ErrorCode::kInvalidArgument, method + " before initialize");
  }
  if (method == "tools/list") {
    json tools = json::array();
    for (const McpTool& tool : tools_->tools()) tools.push_back(Describe(tool, agreed == kNewest));
    return json{{"tools", std::move(tools)}};
  }
  if (method == "tools/call") return CallTool(request, notify);
  if (method == "resources/templates/list") {
    return json{{"resourceTemplates", tools_->ResourceTemplates()}};
  }
  if (method == "resources/list") {
    VADE_TRY(const size_t begin, ReadCursor(request.params));
    VADE_TRY(const McpResourcePage page, tools_->ListResources(begin, kResourcesAPage));
    json resources = json::array();
    for (const McpResource& resource : page.resources) {
      resources.push_back({{"uri", resource.uri},
                           {"name", resource.name},
                           {"mimeType", "text/plain"},
                           {"size", resource.bytes}});
      if (!resource.title.empty()) resources.back()["title"] = resource.title;
    }
    json out = {{"resources", std::move(resources)}};
    if (page.more) out["nextCursor"] = std::to_string(begin + page.resources.size());
    return out;
  }
  if (method == "resources/read") {
    const json uri = request.params.value("uri", json());
    if (!uri.is_string()) return Fail(ErrorCode::kInvalidArgument, "params.uri: expected a string");
    VADE_TRY(const std::string text, tools_->ReadResource(uri.get<std::string>()));
    json contents = json::array({{{"uri", uri}, {"mimeType", "text/plain"}, {"text", text}}});
    return json{{"contents", std::move(contents)}};
  }
  return Fail(ErrorCode::kUnsupported,
              "method " + utf8::Escape(method.substr(0, 100)) + " is not known");
}

Result<json> McpSession::Initialize(const json& params) {
  const json wanted = params.value("protocolVersion", json());
  if (!wanted.is_string()) {
    return Fail(ErrorCode::kInvalidArgument, "params.protocolVersion: expected a string");
  }
  const std::string version =
      IsKnownVersion(wanted.get<std::string>()) ? wanted.get<std::string>() : std::string(kNewest);
  {
    const std::lock_guard lock(mutex_);
    if (!version_.empty()) return Fail(ErrorCode::kInvalidArgument, "initialized already");
    version_ = version;
  }
  return json{{"protocolVersion", version},
              {"capabilities",
               {{"tools", {{"listChanged", false}}},
                {"resources", {{"subscribe", false}, {"listChanged", false}}}}},
              {"serverInfo", {{"name", "vade"}, {"title", "Vademecum"}, {"version", VADE_VERSION}}},
              {"instructions", tools_->Instructions()}};
}

Result<json> McpSession::CallTool(const Request& request, const McpNotify& notify) {
  const json name = request.params.value("name", json());
  if (!name.is_string()) return Fail(ErrorCode::kInvalidArgument, "params.name: expected a string");
  const auto& tools = tools_->tools();
  const auto tool =
      std::ranges::find_if(tools, [&](const McpTool& each) { return name == each.name; });
  if (tool == tools.end()) {
    return Fail(ErrorCode::kInvalidArgument,
                "tool '" + utf8::Escape(name.get<std::string>().substr(0, 100)) + "' is not known");
  }
  json arguments = request.params.value("arguments", json::object());
  if (arguments.is_null()) arguments = json::object();
  VADE_CHECK_OK(CheckArguments(tool->input_schema, arguments));

  double told = -1;
  const McpProgress progress = [&](double done, double total, const std::string& message) {
    if (request.progress_token.is_null() || !notify || done <= told) return;
    told = done;  // it has to grow with each
    json params = {{"progressToken", request.progress_token},
                   {"progress", done},
                   {"message", utf8::Repair(message)}};
    if (total > 0) params["total"] = total;
    const bool heard = notify(Text(
        {{"jsonrpc", "2.0"}, {"method", "notifications/progress"}, {"params", std::move(params)}}));
    if (!heard) request.running->cancel->Cancel();
  };
  const auto output = tools_->Call(tool->name, arguments, progress, request.running->cancel.get());
  if (!output) return ToolResult(utf8::Repair(output.error().message), true);
  json result = ToolResult(output->text, false);
  if (version() == kNewest) result["structuredContent"] = output->structured;
  return result;
}

}  // namespace vade::qa
