#include "qa/server/guard.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace vade::qa::server {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualNoCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return Lower(x) == Lower(y); });
}

std::string HashOfToken(std::string_view token) {
  Sha256 hash;
  hash.Add(std::as_bytes(std::span(token)));
  return hash.Finish();
}

bool IsPortSuffix(std::string_view text) {
  if (text.empty()) return true;
  if (text.front() != ':' || text.size() < 2 || text.size() > 6) return false;
  return std::ranges::all_of(text.substr(1), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsJson(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const size_t end = type.find_last_not_of(" \t");
  return end != std::string_view::npos && EqualNoCase(type.substr(0, end + 1), "application/json");
}

bool HasBody(const Request& request) {
  return !request.body.empty() || !request.Header("content-type").empty();
}

}  // namespace

std::string_view HostWithoutPort(std::string_view host) {
  const size_t end = host.starts_with('[') ? host.find(']') : host.find(':');
  const size_t length = host.starts_with('[') ? (end == std::string_view::npos ? 0 : end + 1)
                                              : std::min(end, host.size());
  return IsPortSuffix(host.substr(length)) ? host.substr(0, length) : std::string_view();
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  unsigned differ = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    differ |=
        static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  return differ == 0;
}

Guard::Guard(GuardOptions options) : options_(std::move(options)) {}

bool Guard::IsPublic(std::string_view method, std::string_view path) const {
  return (method == "GET" || method == "HEAD") && options_.public_paths.contains(path);
}

bool Guard::AllowsHost(std::string_view host) const {
  constexpr std::array<std::string_view, 3> kLoopback = {"localhost", "127.0.0.1", "[::1]"};
  const auto same = [&](std::string_view name) { return EqualNoCase(name, host); };
  return !host.empty() &&
         (std::ranges::any_of(kLoopback, same) || std::ranges::any_of(options_.hosts, same));
}

bool Guard::AllowsOrigin(std::string_view origin) const {
  const auto same = [&](std::string_view other) { return EqualNoCase(other, origin); };
  if (std::ranges::any_of(options_.origins, same)) return true;
  std::string_view host = origin;
  if (host.starts_with("http://")) {
    host.remove_prefix(7);
  } else if (host.starts_with("https://")) {
    host.remove_prefix(8);
  } else {
    return false;
  }
  const std::string_view name = HostWithoutPort(host);
  if (!AllowsHost(name)) return false;
  const std::string_view port = host.substr(name.size());
  return port == ":" + std::to_string(options_.port) || (port.empty() && options_.port == 80);
}

const ApiKey* Guard::Authenticate(std::string_view authorization) const {
  constexpr std::string_view kBearer = "bearer ";
  if (authorization.size() <= kBearer.size() ||
      !EqualNoCase(authorization.substr(0, kBearer.size()), kBearer)) {
    return nullptr;
  }
  const std::string hash = HashOfToken(authorization.substr(kBearer.size()));
  const ApiKey* found = nullptr;
  for (const ApiKey& key : options_.keys) {  // all of them, whichever it is
    if (ConstantTimeEqual(hash, key.token_sha256)) found = &key;
  }
  return found;
}

const ApiKey* Guard::FindKey(std::string_view name) const {
  const auto at = std::ranges::find(options_.keys, name, &ApiKey::name);
  return at == options_.keys.end() ? nullptr : &*at;
}

std::optional<Refusal> Guard::Check(Request& request) const {
  if (!AllowsHost(HostWithoutPort(request.Header("host")))) {
    return Refusal{403, "this Host is not served (--allow-host adds one)", "forbidden"};
  }
  const std::string_view origin = request.Header("origin");
  if (!origin.empty() && !AllowsOrigin(origin)) {
    return Refusal{403, "this Origin is not allowed (--allow-origin adds one)", "forbidden"};
  }
  const std::string& method = request.method;
  if (method != "GET" && method != "HEAD" && method != "POST" && method != "DELETE") {
    return Refusal{405, "the method is not supported", "invalid_request_error"};
  }
  const bool needs_json = method == "POST" || (method == "DELETE" && HasBody(request));
  if (needs_json && !IsJson(request.Header("content-type"))) {
    return Refusal{415, "expected Content-Type: application/json", "invalid_request_error"};
  }
  request.key = "local";
  if (options_.keys.empty() || IsPublic(method, request.path)) return std::nullopt;
  const ApiKey* key = Authenticate(request.Header("authorization"));
  if (key == nullptr) {
    return Refusal{401, "a valid token is needed: Authorization: Bearer TOKEN",
                   "authentication_error"};
  }
  request.key = key->name;
  return std::nullopt;
}

}  // namespace vade::qa::server
