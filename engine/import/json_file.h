// JSON files of model folders, read without exceptions and with typed access that names the file.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::import {

/// Parses text of at most kMaxJsonDepth nested levels. `name` goes into messages.
[[nodiscard]] Result<nlohmann::json> ParseJson(std::string_view text, const std::string& name);

inline constexpr int kMaxJsonDepth = 32;

/// One JSON object, and the name of the file it came from.
class JsonObject {
 public:
  /// Errors: kNotFound when there is no such file; kCorruptData if it is not one JSON object.
  [[nodiscard]] static Result<JsonObject> Read(const std::filesystem::path& path);

  JsonObject(nlohmann::json json, std::string name)
      : json_(std::move(json)), name_(std::move(name)) {}

  [[nodiscard]] const nlohmann::json& json() const noexcept { return json_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// nullptr when absent or null.
  [[nodiscard]] const nlohmann::json* Find(const char* key) const;

  // Absent or null: the fallback, or an error without one. Wrong type or range: an error.
  [[nodiscard]] Result<uint32_t> GetUint(const char* key, std::optional<uint32_t> fallback) const;
  [[nodiscard]] Result<double> GetNumber(const char* key, std::optional<double> fallback) const;
  [[nodiscard]] Result<bool> GetBool(const char* key, std::optional<bool> fallback) const;
  [[nodiscard]] Result<std::string> GetString(const char* key,
                                              std::optional<std::string> fallback) const;

 private:
  template <typename T>
  [[nodiscard]] Result<T> Missing(const char* key, std::optional<T> fallback) const;
  [[nodiscard]] tl::unexpected<Error> Wrong(const char* key, const char* want) const;

  nlohmann::json json_;
  std::string name_;
};

}  // namespace vade::import
