#include "qa/cli/config.h"

#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "engine/base/file.h"
#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

constexpr size_t kMaxThreads = 1024;

std::filesystem::path XdgPath(const char* variable, const char* home_fallback) {
  const char* base = std::getenv(variable);
  if (base != nullptr && *base == '/') return std::filesystem::path(base) / "vade";
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') return {};
  return std::filesystem::path(home) / home_fallback / "vade";
}

Result<size_t> ParseThreads(std::string_view text, std::string_view where) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > kMaxThreads) {
    return Fail(ErrorCode::kInvalidArgument, std::string(where) + ": got '" + utf8::Escape(text) +
                                                 "', expected 0 to " + std::to_string(kMaxThreads));
  }
  return value;
}

/// The names in an array of strings.
Result<std::vector<std::string>> ReadNames(const toml::node& node, const std::string& name) {
  const toml::array* array = node.as_array();
  std::vector<std::string> names;
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const auto text = array->get(i)->value<std::string>();
    if (!text) array = nullptr;
    if (text) names.push_back(*text);
  }
  if (array == nullptr) return Fail(ErrorCode::kInvalidArgument, name + ": expected names");
  return names;
}

Result<void> ApplyTools(const std::string& where, const toml::node& node, ToolSettings& tools) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, where + ": tools: expected a table [tools]");
  }
  for (const auto& [key, value] : *table) {
    const std::string name = where + ": tools." + utf8::Escape(key.str());
    if (key == "allow") {
      VADE_TRY(tools.allow, ReadNames(value, name));
      continue;
    }
    const auto text = value.value<std::string>();
    const bool known = key == "web_search_url" || key == "weather_url" || key == "geocoding_url";
    if (!known) {
      return Fail(ErrorCode::kInvalidArgument,
                  name +
                      ": unknown key, expected web_search_url, weather_url, geocoding_url or "
                      "allow");
    }
    if (!text || (!text->starts_with("http://") && !text->starts_with("https://"))) {
      return Fail(ErrorCode::kInvalidArgument, name + ": expected an http or https URL");
    }
    if (key == "web_search_url") tools.web_search_url = *text;
    if (key == "weather_url") tools.weather_url = *text;
    if (key == "geocoding_url") tools.geocoding_url = *text;
  }
  return {};
}

/// One [[serve.key]].
Result<server::ApiKey> ReadApiKey(const std::string& where, const toml::node& node) {
  server::ApiKey out;
  const toml::table* table = node.as_table();
  const auto bad = [&](std::string_view key, const char* expected) {
    return Fail(ErrorCode::kInvalidArgument,
                where + ": serve.key." + utf8::Escape(key) + ": " + expected);
  };
  if (table == nullptr) return bad("", "expected tables [[serve.key]]");
  for (const auto& [key, value] : *table) {
    const auto text = value.value<std::string>();
    const auto number = value.value<double>();
    const bool amount = number && *number >= 0 && *number <= 1e9;
    if (key == "name" && text && !text->empty()) {
      out.name = *text;
    } else if (key == "token_sha256" && text && text->size() == 64 &&
               text->find_first_not_of("0123456789abcdef") == std::string::npos) {
      out.token_sha256 = *text;
    } else if (key == "requests_per_minute" && amount) {
      out.requests_per_minute = static_cast<uint32_t>(*number);
    } else if (key == "prompt_price" && amount) {
      out.prompt_price = *number;
    } else if (key == "completion_price" && amount) {
      out.completion_price = *number;
    } else {
      return bad(key.str(),
                 "expected name, token_sha256 (64 small hexadecimal digits), requests_per_minute, "
                 "prompt_price or completion_price");
    }
  }
  if (out.name.empty() || out.token_sha256.empty()) return bad("", "name and token_sha256 needed");
  return out;
}

Result<void> ApplyServe(const std::string& where, const toml::node& node, ServeSettings& serve) {
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, where + ": serve: expected a table [serve]");
  }
  for (const auto& [key, value] : *table) {
    if (key == "currency" && value.is_string()) {
      serve.currency = *value.value<std::string>();
    } else if (key == "key" && value.is_array()) {
      for (const toml::node& each : *value.as_array()) {
        VADE_TRY(server::ApiKey api_key, ReadApiKey(where, each));
        serve.keys.push_back(std::move(api_key));
      }
    } else {
      return Fail(ErrorCode::kInvalidArgument, where + ": serve." + utf8::Escape(key.str()) +
                                                   ": expected currency or tables [[serve.key]]");
    }
  }
  return {};
}

Result<void> ApplyKey(const std::string& where, const toml::key& key, const toml::node& node,
                      GlobalOptions& options) {
  const std::string name = where + ": " + utf8::Escape(key.str());
  if (key == "store" || key == "embedder" || key == "models" || key == "hugging_face_url" ||
      key == "ollama_url") {
    const auto text = node.value<std::string>();
    if (!text) return Fail(ErrorCode::kInvalidArgument, name + ": expected a string");
    if (key == "store") options.store = *text;
    if (key == "embedder") options.model = *text;
    if (key == "models") options.models = *text;
    if (key == "hugging_face_url") options.hugging_face_url = *text;
    if (key == "ollama_url") options.ollama_url = *text;
  } else if (key == "tools") {
    return ApplyTools(where, node, options.tools);
  } else if (key == "serve") {
    return ApplyServe(where, node, options.serve);
  } else if (key == "threads") {
    const auto number = node.value<int64_t>();
    if (!number) return Fail(ErrorCode::kInvalidArgument, name + ": expected an integer");
    VADE_TRY(options.threads, ParseThreads(std::to_string(*number), name));
  } else {
    return Fail(ErrorCode::kInvalidArgument,
                name +
                    ": unknown key, expected store, embedder, threads, models, "
                    "hugging_face_url, ollama_url, [tools] or [serve]");
  }
  return {};
}

Result<void> LoadFile(const std::filesystem::path& path, GlobalOptions& options) {
  constexpr uint64_t kMaxConfigBytes = 1 << 20;
  const auto text = ReadFile(path, kMaxConfigBytes);
  if (!text) {
    if (text.error().code == ErrorCode::kNotFound) return {};
    return tl::unexpected(text.error());
  }
  const std::string where = utf8::Escape(path.native());
  const toml::parse_result parsed = toml::parse(*text);
  if (!parsed) {
    return Fail(ErrorCode::kInvalidArgument,
                where + ":" + std::to_string(parsed.error().source().begin.line) + ": " +
                    std::string(parsed.error().description()));
  }
  for (const auto& [key, node] : parsed.table()) {
    VADE_CHECK_OK(ApplyKey(where, key, node, options));
  }
  return {};
}

}  // namespace

std::filesystem::path ConfigPath() {
  const std::filesystem::path folder = XdgPath("XDG_CONFIG_HOME", ".config");
  return folder.empty() ? folder : folder / "config.toml";
}

std::filesystem::path DefaultStorePath() {
  const std::filesystem::path folder = XdgPath("XDG_DATA_HOME", ".local/share");
  return folder.empty() ? folder : folder / "library.db";
}

std::filesystem::path DefaultModelsFolder() {
  const std::filesystem::path folder = XdgPath("XDG_DATA_HOME", ".local/share");
  return folder.empty() ? folder : folder / "models";
}

std::filesystem::path CacheDirectory() { return XdgPath("XDG_CACHE_HOME", ".cache"); }

std::filesystem::path StateDirectory() { return XdgPath("XDG_STATE_HOME", ".local/state"); }

Result<void> LoadConfig(GlobalOptions& options) {
  options.store = DefaultStorePath();
  options.models = DefaultModelsFolder();
  if (const std::filesystem::path path = ConfigPath(); !path.empty()) {
    VADE_CHECK_OK(LoadFile(path, options));
  }
  if (const char* store = std::getenv("VADE_STORE"); store != nullptr && *store != '\0') {
    options.store = store;
  }
  if (const char* model = std::getenv("VADE_MODEL"); model != nullptr && *model != '\0') {
    options.model = model;
  }
  const auto text_from = [](const char* variable, auto& setting) {
    const char* text = std::getenv(variable);
    if (text != nullptr && *text != '\0') setting = text;
  };
  text_from("VADE_MODELS", options.models);
  text_from("VADE_HUGGING_FACE_URL", options.hugging_face_url);
  text_from("VADE_OLLAMA_URL", options.ollama_url);
  if (const char* threads = std::getenv("VADE_THREADS"); threads != nullptr && *threads != '\0') {
    VADE_TRY(options.threads, ParseThreads(threads, "VADE_THREADS"));
  }
  return {};
}

}  // namespace vade::qa
