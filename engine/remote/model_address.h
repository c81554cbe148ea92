// Addresses of models behind servers: ollama://[host[:port]/]name[:tag] and
// openai://[host[:port][/path]/]name, and the key that goes with them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::remote {

enum class ServerKind { kOllama, kOpenAi };

struct ModelAddress {
  ServerKind kind = ServerKind::kOllama;
  std::string base_url;  // "http://127.0.0.1:11434", "https://api.example.com/v1"; no slash at end
  std::string model;     // "llama3.2:1b"
};

/// Reads a variable of the environment; nullptr when it is not set.
using Environment = std::function<const char*(const char*)>;
[[nodiscard]] Environment SystemEnvironment();

/// True for what begins with "ollama://" or "openai://", or with "+http" or "+https" before "://".
[[nodiscard]] bool IsModelAddress(std::string_view text);

/// What stands before the first slash is the host; "ollama:///team/name" is a name with a slash on
/// the default server. Without a host: OLLAMA_HOST (host, :port, host:port or URL; default
/// 127.0.0.1:11434), or OPENAI_BASE_URL (default https://api.openai.com/v1). The scheme is http for
/// ollama:// and for loopback, https for any other openai://; ollama+https://, openai+http:// and
/// so on say it. Without a path that ends in a version, openai:// means /v1.
/// Errors: kInvalidArgument for what is none of it, and for a password in the address.
[[nodiscard]] Result<ModelAddress> ParseModelAddress(std::string_view text,
                                                     const Environment& environment);

/// The key for a server, empty when there is none. OPENAI_API_KEY and OLLAMA_API_KEY belong to the
/// default servers only; other servers have theirs in a file of lines "host[:port] key", which is
/// $VADE_API_KEYS or $XDG_CONFIG_HOME/vade/keys. So no key goes to a host it was not meant for.
/// Errors: kIo for the file; kInvalidArgument for one that others may read, for a line that is none
/// and for a key with characters that a header cannot hold.
[[nodiscard]] Result<std::string> ReadApiKey(const ModelAddress& address,
                                             const Environment& environment);

/// Where that file is; empty without a home.
[[nodiscard]] std::filesystem::path ApiKeysPath(const Environment& environment);

}  // namespace vade::remote
