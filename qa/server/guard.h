// Guard: may this request be answered at all? Host against DNS rebinding, Origin and content type
// against pages of other sites, the token against everybody else (faults.md section (d) 1-4, 63,
// 64).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/sha256.h"
#include "qa/server/http_message.h"

namespace vade::qa::server {

/// Somebody who may use the server.
struct ApiKey {
  std::string name;                  // in logs, limits and accounts
  std::string token_sha256;          // 64 hex digits; the token itself is kept nowhere
  uint32_t requests_per_minute = 0;  // 0: the server's
  double prompt_price = 0;           // per million tokens
  double completion_price = 0;
};

struct GuardOptions {
  std::vector<std::string> hosts;    // allowed besides localhost, 127.0.0.1 and [::1]
  std::vector<std::string> origins;  // allowed besides the server's own
  std::vector<ApiKey> keys;          // empty: nobody needs one
  uint16_t port = 0;                 // the server's own origin
  // Read without a token: the page that asks for one, and what tells whether the server lives.
  std::set<std::string, std::less<>> public_paths;
};

struct Refusal {
  int status = 403;
  std::string message;
  std::string type;  // OpenAI's word for it
};

/// Immutable, thread-safe.
class Guard {
 public:
  explicit Guard(GuardOptions options);

  /// Nothing: the request may go on, and its `key` says whose it is.
  [[nodiscard]] std::optional<Refusal> Check(Request& request) const;

  [[nodiscard]] bool IsPublic(std::string_view method, std::string_view path) const;

  [[nodiscard]] bool needs_token() const { return !options_.keys.empty(); }
  [[nodiscard]] const ApiKey* FindKey(std::string_view name) const;

 private:
  [[nodiscard]] bool AllowsHost(std::string_view host) const;
  [[nodiscard]] bool AllowsOrigin(std::string_view origin) const;
  [[nodiscard]] const ApiKey* Authenticate(std::string_view authorization) const;

  const GuardOptions options_;
};

/// "localhost:80" -> "localhost", "[::1]:80" -> "[::1]"; empty for what is no host.
[[nodiscard]] std::string_view HostWithoutPort(std::string_view host);

/// Equal, in a time that says nothing of where they differ.
[[nodiscard]] bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace vade::qa::server
