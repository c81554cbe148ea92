#include "engine/remote/api_client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/remote/line_events.h"

namespace vade::remote {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr size_t kMaxShownBytes = 300;
constexpr uint64_t kMaxErrorBytes = 64 << 10;  // of a failed answer's body
constexpr milliseconds kTick{50};              // how soon a wait sees a cancel

bool SleepFor(milliseconds time, const CancelToken* cancel) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (cancel != nullptr && cancel->cancelled()) return false;
    std::this_thread::sleep_for(std::min(kTick, time));
  }
  return true;
}

bool IsRetried(long status) { return status == 429 || status == 503; }

/// Seconds of a Retry-After; dates are not read.
std::optional<milliseconds> RetryAfter(const HttpHead& head) {
  const std::string text = head.Header("retry-after");
  uint64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds > 86'400) {
    return std::nullopt;
  }
  return milliseconds(1000 * static_cast<int64_t>(seconds));
}

/// A quarter more or less, so that clients turned away together do not come back together.
milliseconds WithJitter(milliseconds delay) {
  static thread_local std::mt19937 random{std::random_device{}()};
  const int64_t quarter = delay.count() / 4;
  return delay + milliseconds(std::uniform_int_distribution<int64_t>(-quarter, quarter)(random));
}

}  // namespace

std::string ErrorIn(const json& answer) {
  if (!answer.is_object()) return "";
  auto error = answer.find("error");
  if (error == answer.end() || error->is_null()) return "";
  if (error->is_string()) return error->get<std::string>();
  if (error->is_object()) {
    const auto message = error->find("message");
    if (message != error->end() && message->is_string()) return message->get<std::string>();
  }
  return error->dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<ApiServer> ServerOf(const ModelAddress& address, const Environment& environment) {
  ApiServer server{.kind = address.kind, .base_url = address.base_url};
  VADE_TRY(server.key, ReadApiKey(address, environment));
  return server;
}

std::string ApiClient::Shown(std::string_view text) const {
  std::string out(text);
  const std::string& key = server_.key;
  for (size_t at = 0; !key.empty() && (at = out.find(key, at)) != std::string::npos; at += 3) {
    out.replace(at, key.size(), "***");
  }
  out = utf8::Repair(out);
  if (out.size() > kMaxShownBytes) {
    out = out.substr(0, utf8::FloorBoundary(out, kMaxShownBytes)) + "...";
  }
  return utf8::Escape(out);
}

std::string ApiClient::Advice(long status) const {
  if (status == 401 || status == 403) {
    if (!server_.key.empty()) return "; the server does not take this key";
    return std::string("; no key was sent: ") +
           (server_.kind == ServerKind::kOpenAi ? "set OPENAI_BASE_URL and OPENAI_API_KEY"
                                                : "set OLLAMA_HOST and OLLAMA_API_KEY") +
           ", or add \"host key\" to the keys file";
  }
  if (status == 429 || status == 503) return "; it is busy, try again later";
  return "";
}

Error ApiClient::StatusError(const HttpHead& head, std::string_view body) const {
  std::string said = ErrorIn(ParseJson(body));
  if (said.empty()) {
    const bool is_html = head.Header("content-type").starts_with("text/html");
    said = is_html ? "a web page, not an API: is this the right address?" : std::string(body);
  }
  std::string message = ShownUrl(head.url) + ": the server answered " + std::to_string(head.status);
  if (!said.empty()) message += ": " + Shown(said);
  return {head.status == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
          message + Advice(head.status)};
}

HttpRequest ApiClient::MakeRequest(const std::string& path, const json* body,
                                   const CancelToken* cancel) const {
  HttpRequest request{.url = server_.base_url + path};
  request.headers = {"Accept: application/json, text/event-stream, application/x-ndjson"};
  if (body != nullptr) {
    request.post = body->dump(-1, ' ', false, json::error_handler_t::replace);
    request.headers.push_back("Content-Type: application/json");
    request.headers.push_back("Expect:");  // no round trip before a long prompt
  }
  request.bearer = server_.key;
  request.max_redirects = 0;
  request.accept_encoded = true;
  request.max_body_bytes = server_.limits.body_bytes;
  request.timeouts = {server_.limits.connect, server_.limits.idle, server_.limits.total};
  request.cancel = cancel;
  return request;
}

/// Sends until there is an answer other than "later". `begun`: has the caller seen part of one?
Result<HttpResponse> ApiClient::Send(HttpRequest& request, const std::function<bool()>& begun) {
  std::unique_ptr<HttpClient> client;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      client = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!client) client = std::make_unique<HttpClient>();
  milliseconds delay = server_.limits.retry_delay;
  for (size_t attempt = 1;; ++attempt, delay *= 2) {
    auto response = client->Send(request);
    const bool later = response ? IsRetried(response->head.status) : client->never_connected();
    milliseconds wait = WithJitter(delay);
    if (response && later) wait = RetryAfter(response->head).value_or(wait);
    const bool again = later && !begun() && attempt < server_.limits.attempts &&
                       wait <= server_.limits.longest_wait;
    if (!again) {
      if (!response && client->never_connected()) {
        response.error().message += server_.kind == ServerKind::kOllama
                                        ? ": is `ollama serve` running there?"
                                        : ": is the server running there?";
      } else if (!response) {
        response.error().message = Shown(response.error().message);
      }
      const std::lock_guard lock(mutex_);
      if (response) idle_.push_back(std::move(client));  // a broken connection is not kept
      return response;
    }
    const bool waited =
        server_.wait ? server_.wait(wait, request.cancel) : SleepFor(wait, request.cancel);
    if (!waited) return Fail(ErrorCode::kCancelled, "interrupted");
  }
}

Result<json> ApiClient::Ask(const std::string& path, const json* body, const CancelToken* cancel) {
  HttpRequest request = MakeRequest(path, body, cancel);
  VADE_TRY(const HttpResponse response, Send(request, [] { return false; }));
  if (response.head.status < 200 || response.head.status > 299) {
    return tl::unexpected(StatusError(response.head, response.body));
  }
  json answer = ParseJson(response.body);
  if (answer.is_discarded()) {
    const bool is_html = response.head.Header("content-type").starts_with("text/html");
    return Fail(ErrorCode::kUnavailable,
                ShownUrl(response.head.url) + ": answered with " +
                    (is_html ? "a web page" : "\"" + Shown(response.body.substr(0, 80)) + "\"") +
                    ", not JSON: is this the right address?");
  }
  if (const std::string said = ErrorIn(answer); !said.empty()) {
    return Fail(ErrorCode::kUnavailable, ShownUrl(response.head.url) + ": " + Shown(said));
  }
  return answer;
}

Result<json> ApiClient::Get(const std::string& path, const CancelToken* cancel) {
  return Ask(path, nullptr, cancel);
}

Result<json> ApiClient::Post(const std::string& path, const json& body, const CancelToken* cancel) {
  return Ask(path, &body, cancel);
}

Result<bool> ApiClient::Stream(const std::string& path, const json& body, const EventSink& sink,
                               const CancelToken* cancel) {
  HttpRequest request = MakeRequest(path, &body, cancel);
  std::optional<LineEvents> events;
  std::string failed_body;
  long status = 0;
  uint64_t bytes = 0;
  bool begun = false;
  bool wanted = true;
  request.on_head = [&](const HttpHead& head) -> Result<void> {
    status = head.status;
    failed_body.clear();
    const bool is_sse = head.Header("content-type").starts_with("text/event-stream");
    if (head.Header("content-type").starts_with("text/html")) {
      return Fail(ErrorCode::kUnavailable,
                  "answered with a web page, not JSON: is this the right address?");
    }
    events.emplace(is_sse, server_.limits.line_bytes, [&](const json& event) -> Result<bool> {
      begun = true;
      if (const std::string said = ErrorIn(event); !said.empty()) {
        return Fail(ErrorCode::kUnavailable, "the server broke off: " + said);
      }
      return sink(event);
    });
    return {};
  };
  request.on_body = [&](std::span<const std::byte> piece) -> Result<void> {
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    bytes += text.size();
    if (bytes > server_.limits.stream_bytes) {
      return Fail(
          ErrorCode::kUnavailable,
          "an answer of more than " + std::to_string(server_.limits.stream_bytes) + " bytes");
    }
    if (status != 200) {
      failed_body += text.substr(0, kMaxErrorBytes - std::min(failed_body.size(), kMaxErrorBytes));
      return {};
    }
    VADE_TRY(wanted, events->Append(text));
    return wanted ? Result<void>() : Fail(ErrorCode::kCancelled, "enough");
  };
  const auto response = Send(request, [&] { return begun; });
  const bool enough = !wanted && (cancel == nullptr || !cancel->cancelled());
  if (!response && !enough) return tl::unexpected(response.error());
  if (response && status != 200) return tl::unexpected(StatusError(response->head, failed_body));
  if (wanted && events) {
    auto finished = events->Finish();
    if (!finished) return Fail(ShownUrl(request.url), std::move(finished).error());
    wanted = *finished;
  }
  return wanted || events->done();
}

}  // namespace vade::remote
