#include "engine/remote/model_address.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "engine/base/file.h"
#include "engine/base/utf8.h"

namespace vade::remote {
namespace {

constexpr std::string_view kOllamaDefault = "http://127.0.0.1:11434";
constexpr std::string_view kOpenAiDefault = "https://api.openai.com/v1";
constexpr std::string_view kOllamaPort = "11434";
constexpr uint64_t kMaxKeysBytes = 1 << 20;

std::string Get(const Environment& environment, const char* name) {
  const char* text = environment(name);
  return text == nullptr ? "" : text;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void TrimSlashes(std::string& url) {
  while (url.ends_with('/')) url.pop_back();
}

struct HostPort {
  std::string host;  // with brackets for IPv6
  std::string port;  // may be empty
};

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// "host", "host:port", "[::1]:port", ":port".
std::optional<HostPort> SplitHost(std::string_view text) {
  HostPort out;
  size_t end = 0;
  if (text.starts_with('[')) {
    end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    ++end;
    const std::string_view inner = text.substr(1, end - 2);
    if (inner.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return std::nullopt;
    }
    out.host = Lower(text.substr(0, end));
  } else {
    end = std::min(text.find(':'), text.size());
    out.host = Lower(text.substr(0, end));
    if (!std::ranges::all_of(out.host, IsHostCharacter)) return std::nullopt;
  }
  if (end == text.size()) return out;
  if (text[end] != ':') return std::nullopt;
  out.port = text.substr(end + 1);
  unsigned port = 0;
  const char* last = out.port.data() + out.port.size();
  const auto read = std::from_chars(out.port.data(), last, port);
  if (read.ec != std::errc() || read.ptr != last || port == 0 || port > 65535) return std::nullopt;
  return out;
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "[::1]";
}

// OLLAMA_HOST as Ollama reads it; 0.0.0.0, where a server listens, is reached at 127.0.0.1.
Result<std::string> OllamaServer(const Environment& environment) {
  std::string text = Get(environment, "OLLAMA_HOST");
  if (text.empty()) return std::string(kOllamaDefault);
  std::string scheme = "http";
  const size_t colon = text.find("://");
  if (colon != std::string::npos) {
    scheme = Lower(text.substr(0, colon));
    text.erase(0, colon + 3);
  }
  TrimSlashes(text);
  auto at = SplitHost(text);
  if (!at || (scheme != "http" && scheme != "https")) {
    return Fail(ErrorCode::kInvalidArgument, "OLLAMA_HOST: want host, :port, host:port or a URL");
  }
  if (at->host.empty() || at->host == "0.0.0.0" || at->host == "[::]") at->host = "127.0.0.1";
  if (at->port.empty()) {
    at->port = colon == std::string::npos ? kOllamaPort : scheme == "https" ? "443" : "80";
  }
  return scheme + "://" + at->host + ":" + at->port;
}

Result<std::string> OpenAiServer(const Environment& environment) {
  std::string url = Get(environment, "OPENAI_BASE_URL");
  if (url.empty()) return std::string(kOpenAiDefault);
  TrimSlashes(url);
  const std::string lower = Lower(url.substr(0, 8));
  if (!lower.starts_with("http://") && !lower.starts_with("https://")) {
    return Fail(ErrorCode::kInvalidArgument,
                "OPENAI_BASE_URL: want http:// or https://, as in http://127.0.0.1:8080/v1");
  }
  if (url.find('@') != std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument,
                "OPENAI_BASE_URL: keys stand in OPENAI_API_KEY, not in the address");
  }
  return url;
}

Result<std::string> DefaultServer(ServerKind kind, const Environment& environment) {
  return kind == ServerKind::kOllama ? OllamaServer(environment) : OpenAiServer(environment);
}

struct Scheme {
  ServerKind kind = ServerKind::kOllama;
  std::string transport;  // "http", "https" or empty
  size_t length = 0;      // with "://"
};

std::optional<Scheme> ReadScheme(std::string_view text) {
  const size_t end = text.find("://");
  if (end == std::string_view::npos || end > 16) return std::nullopt;
  const std::string scheme = Lower(text.substr(0, end));
  Scheme out{.length = end + 3};
  const size_t plus = scheme.find('+');
  const std::string kind = scheme.substr(0, plus);
  if (plus != std::string::npos) out.transport = scheme.substr(plus + 1);
  if (kind == "openai") {
    out.kind = ServerKind::kOpenAi;
  } else if (kind != "ollama") {
    return std::nullopt;
  }
  const bool known =
      plus == std::string::npos || out.transport == "http" || out.transport == "https";
  return known ? std::optional(out) : std::nullopt;
}

// "v1" of ".../v1/name": the version that ends the path of an API.
bool IsVersion(std::string_view segment) {
  return segment.size() >= 2 && segment.size() <= 4 && segment[0] == 'v' &&
         segment.find_first_not_of("0123456789", 1) == std::string_view::npos;
}

// "/api/v1" of "api/v1/org/name", which keeps "org/name"; empty without a version.
std::string TakeApiPath(std::string_view& path) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = path.find('/', begin);
    if (end == std::string_view::npos) break;
    if (IsVersion(path.substr(begin, end - begin))) {
      std::string out = "/" + std::string(path.substr(0, end));
      path.remove_prefix(end + 1);
      return out;
    }
    begin = end + 1;
  }
  return "";
}

// "host:port" of a URL, the port always there.
std::string OriginOf(const std::string& url) {
  const size_t begin = url.find("://") + 3;
  const size_t end = std::min(url.find('/', begin), url.size());
  std::string host = Lower(url.substr(begin, end - begin));
  const size_t bracket = host.rfind(']');
  const bool has_port =
      host.find(':', bracket == std::string::npos ? 0 : bracket) != std::string::npos;
  if (!has_port) host += Lower(url).starts_with("https") ? ":443" : ":80";
  return host;
}

bool IsKey(std::string_view key) {
  return !key.empty() && key.size() <= 4096 &&
         std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7F; });
}

// The key of "host[:port] key" lines for an origin.
Result<std::string> FindKey(const std::filesystem::path& path, const std::string& origin) {
  const std::string shown = utf8::Escape(path.native());
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::string();
    return tl::unexpected(ErrnoError(shown, errno));
  }
  if ((status.st_mode & 077) != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                shown + ": others may read these keys: run chmod 600 on it");
  }
  VADE_TRY(const std::string text, ReadFile(path, kMaxKeysBytes));
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line[0] == '#') continue;
    const size_t space = std::min(line.find_first_of(" \t"), line.size());
    const size_t key_begin = std::min(line.find_first_not_of(" \t", space), line.size());
    const std::string host = Lower(line.substr(0, space));
    const std::string_view key = line.substr(key_begin);
    if (!SplitHost(host) || !IsKey(key)) {  // without showing it: it may be a key
      return Fail(ErrorCode::kInvalidArgument,
                  shown + ":" + std::to_string(number) + ": want \"host[:port] key\"");
    }
    const bool any_port = SplitHost(host)->port.empty();
    if (host == (any_port ? origin.substr(0, origin.rfind(':')) : origin)) return std::string(key);
  }
  return std::string();
}

}  // namespace

Environment SystemEnvironment() {
  return [](const char* name) -> const char* { return std::getenv(name); };
}

bool IsModelAddress(std::string_view text) { return ReadScheme(text).has_value(); }

Result<ModelAddress> ParseModelAddress(std::string_view text, const Environment& environment) {
  const auto bad = [&](const char* why) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(text) + ": " + why);
  };
  const auto scheme = ReadScheme(text);
  if (!scheme) return bad("want ollama://[host[:port]/]name or openai://host[:port][/v1]/name");
  std::string_view rest = text.substr(scheme->length);
  if (rest.find('@') < rest.find('/')) {  // not shown: it may hold a password
    return Fail(ErrorCode::kInvalidArgument,
                "the address of a model holds no user or password: keys stand in OPENAI_API_KEY or "
                "in the keys file");
  }
  ModelAddress out{.kind = scheme->kind};
  const size_t slash = rest.find('/');
  const std::string_view host = slash == std::string_view::npos ? "" : rest.substr(0, slash);
  if (slash != std::string_view::npos) rest.remove_prefix(slash + 1);
  if (host.empty()) {
    VADE_TRY(out.base_url, DefaultServer(scheme->kind, environment));
  } else {
    auto at = SplitHost(host);
    if (!at) return bad("the host is none: want host, host:port or [IPv6]:port");
    if (at->host.empty()) at->host = "127.0.0.1";
    std::string transport = scheme->transport;
    const bool is_ollama = scheme->kind == ServerKind::kOllama;
    if (transport.empty()) transport = is_ollama || IsLoopback(at->host) ? "http" : "https";
    if (is_ollama && at->port.empty()) at->port = kOllamaPort;
    out.base_url = transport + "://" + at->host + (at->port.empty() ? "" : ":") + at->port;
    if (!is_ollama) {
      const std::string path = TakeApiPath(rest);
      out.base_url += path.empty() ? "/v1" : path;
    }
  }
  out.model = rest;
  if (out.model.empty()) return bad("names no model");
  const bool is_text = std::ranges::none_of(out.model, [](char c) { return c >= 0 && c <= ' '; });
  if (!is_text || out.model.size() > 512 || !utf8::IsValid(out.model)) {
    return bad("the name of the model has spaces or is too long");
  }
  return out;
}

std::filesystem::path ApiKeysPath(const Environment& environment) {
  if (const std::string path = Get(environment, "VADE_API_KEYS"); !path.empty()) return path;
  if (const std::string base = Get(environment, "XDG_CONFIG_HOME"); base.starts_with('/')) {
    return std::filesystem::path(base) / "vade" / "keys";
  }
  const std::string home = Get(environment, "HOME");
  return home.empty() ? std::filesystem::path()
                      : std::filesystem::path(home) / ".config" / "vade" / "keys";
}

Result<std::string> ReadApiKey(const ModelAddress& address, const Environment& environment) {
  const std::string origin = OriginOf(address.base_url);
  if (const std::filesystem::path path = ApiKeysPath(environment); !path.empty()) {
    VADE_TRY(std::string key, FindKey(path, origin));
    if (!key.empty()) return key;
  }
  const bool is_ollama = address.kind == ServerKind::kOllama;
  const char* variable = is_ollama ? "OLLAMA_API_KEY" : "OPENAI_API_KEY";
  std::string key = Get(environment, variable);
  if (key.empty()) return key;
  VADE_TRY(const std::string server, DefaultServer(address.kind, environment));
  // The same transport too: a key for https is not sent in the clear.
  const bool same = OriginOf(server) == origin && Lower(server).starts_with("https://") ==
                                                      address.base_url.starts_with("https://");
  if (!same) return std::string();
  if (!IsKey(key)) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(variable) + ": is no key: it holds spaces or control characters");
  }
  return key;
}

}  // namespace vade::remote
