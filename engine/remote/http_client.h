// HTTP requests through libcurl: bounded redirects and bodies, credentials that stay with the host
// they were given for, cancellation.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::remote {

struct HttpHead {
  long status = 0;
  std::string url;                             // that answered, after redirects
  std::map<std::string, std::string> headers;  // names in lower case; the last of each

  /// Empty when absent.
  [[nodiscard]] std::string Header(const std::string& lower_case_name) const;
};

/// How long to wait for what. 0: without end.
struct HttpTimeouts {
  std::chrono::milliseconds connect{20'000};
  std::chrono::milliseconds idle{60'000};  // without a single byte
  std::chrono::milliseconds total{0};
};

struct HttpRequest {
  std::string url;                  // http or https
  std::optional<std::string> post;  // a body to send; its type is among the headers
  bool head_only = false;
  std::vector<std::string> headers;  // "Name: value"
  std::string bearer;                // sent to the origin of `url` only, never after a redirect
  size_t max_redirects = 5;          // 0: a redirect is an error
  bool accept_encoded = false;       // gzip and the like; the limits count what comes out of it
  HttpTimeouts timeouts;
  uint64_t max_body_bytes = uint64_t{4} << 20;  // of a body that is collected
  /// Told the head of the answer that is no redirect, before its body; an error ends the request.
  std::function<Result<void>(const HttpHead&)> on_head;
  /// Takes the body in pieces instead of it being collected.
  std::function<Result<void>(std::span<const std::byte>)> on_body;
  /// Told each redirect's head: some say more about a file than the answer itself.
  std::function<void(const HttpHead&)> on_redirect;
  const CancelToken* cancel = nullptr;
};

struct HttpResponse {
  HttpHead head;
  std::string body;
};

/// Keeps connections open between requests. Single-thread.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  /// Any status is an answer. A redirect is followed by hand: only http and https, never from https
  /// to http, and from a public address never into a private network.
  /// A cancelled request ends within 50 ms.
  /// Errors: kUnavailable for what the network or the server did; kInvalidArgument for the URL;
  /// kCancelled; those of the callbacks.
  [[nodiscard]] Result<HttpResponse> Send(const HttpRequest& request);

  /// Did the last request fail before the server can have seen it (no such host, refused)?
  [[nodiscard]] bool never_connected() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "libcurl 7.88.1, OpenSSL/3.0.19"
[[nodiscard]] std::string HttpLibraryVersion();

/// A URL for messages: without query and credentials, which may hold secrets.
[[nodiscard]] std::string ShownUrl(const std::string& url);

/// The text with everything but letters, digits and "-._~/" escaped.
[[nodiscard]] std::string EscapePath(const std::string& path);

}  // namespace vade::remote
