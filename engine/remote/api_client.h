// ApiClient: JSON requests to one server, whole or streamed line by line; retried when nothing was
// lost by it, limited in time and size. Its key goes to that server and into no message.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/remote/http_client.h"
#include "engine/remote/model_address.h"

namespace vade::remote {

struct ApiLimits {
  std::chrono::milliseconds connect{10'000};
  // Without a byte: a long prompt on a slow machine is silent for minutes.
  std::chrono::milliseconds idle{600'000};
  std::chrono::milliseconds total{3'600'000};
  uint64_t body_bytes = uint64_t{64} << 20;  // after decompression
  uint64_t stream_bytes = uint64_t{256} << 20;
  size_t line_bytes = size_t{8} << 20;
  size_t attempts = 4;                             // at one request
  std::chrono::milliseconds retry_delay{500};      // before the second; doubles, with jitter
  std::chrono::milliseconds longest_wait{30'000};  // Retry-After beyond it is an error at once
};

struct ApiServer {
  ServerKind kind = ServerKind::kOllama;
  std::string base_url;  // without a slash at its end
  std::string key;       // may be empty
  ApiLimits limits;
  /// Waits before a retry; false when cancelled meanwhile. Empty: sleeps.
  std::function<bool(std::chrono::milliseconds, const CancelToken*)> wait;
};

/// The server of an address with the key that belongs to it. Errors: ReadApiKey's.
[[nodiscard]] Result<ApiServer> ServerOf(const ModelAddress& address,
                                         const Environment& environment);

/// One JSON value of a stream; false ends it.
using EventSink = std::function<Result<bool>(const nlohmann::json&)>;

/// Thread-safe: each call has a connection of its own, kept open for later ones.
class ApiClient {
 public:
  explicit ApiClient(ApiServer server) : server_(std::move(server)) {}

  [[nodiscard]] const std::string& base_url() const { return server_.base_url; }
  [[nodiscard]] ServerKind kind() const { return server_.kind; }
  [[nodiscard]] const ApiLimits& limits() const { return server_.limits; }

  /// `path` begins with a slash. Tried again after a refused connection, 429 and 503 (waiting what
  /// Retry-After says).
  /// Errors, each naming the URL, what happened and what to do: kNotFound for 404; kUnavailable for
  /// all else that the network or the server did; kCancelled.
  [[nodiscard]] Result<nlohmann::json> Get(const std::string& path,
                                           const CancelToken* cancel = nullptr);
  [[nodiscard]] Result<nlohmann::json> Post(const std::string& path, const nlohmann::json& body,
                                            const CancelToken* cancel = nullptr);

  /// The events of a stream: lines of JSON, or server-sent events up to "[DONE]"; an answer that
  /// is no stream is one event. Tried again only while nothing has come. An event that holds an
  /// error ends the stream with it.
  /// Returns: whether the stream came to its end by itself, not by the sink. For lines of JSON the
  /// caller knows what the last one looks like.
  [[nodiscard]] Result<bool> Stream(const std::string& path, const nlohmann::json& body,
                                    const EventSink& sink, const CancelToken* cancel = nullptr);

  /// What happened, for messages: the text without the key, escaped and shortened.
  [[nodiscard]] std::string Shown(std::string_view text) const;

 private:
  struct Attempt;
  [[nodiscard]] Result<HttpResponse> Send(HttpRequest& request, const std::function<bool()>& begun);
  [[nodiscard]] HttpRequest MakeRequest(const std::string& path, const nlohmann::json* body,
                                        const CancelToken* cancel) const;
  [[nodiscard]] Result<nlohmann::json> Ask(const std::string& path, const nlohmann::json* body,
                                           const CancelToken* cancel);
  [[nodiscard]] Error StatusError(const HttpHead& head, std::string_view body) const;
  [[nodiscard]] std::string Advice(long status) const;

  const ApiServer server_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<HttpClient>> idle_;  // guarded by mutex_
};

/// The "error" of a JSON answer as text; empty when it holds none.
[[nodiscard]] std::string ErrorIn(const nlohmann::json& answer);

}  // namespace vade::remote
