// Depth-limited parsing and typed members.
#include "engine/import/json_file.h"

#include <cmath>

#include "engine/base/file.h"
#include "engine/base/utf8.h"

namespace vade::import {
namespace {

constexpr uint64_t kMaxJsonBytes = uint64_t{256} << 20;  // tokenizer.json of 250k tokens: 17 MB

}  // namespace

Result<nlohmann::json> ParseJson(std::string_view text, const std::string& name) {
  using Json = nlohmann::json;
  // Discarding below the limit would hide the fault: note it and fail.
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return !too_deep;
  };
  Json json = Json::parse(text, watch_depth, /*allow_exceptions=*/false);
  if (too_deep) return Fail(ErrorCode::kCorruptData, name + ": JSON nested too deep");
  if (json.is_discarded()) return Fail(ErrorCode::kCorruptData, name + ": not valid JSON");
  return json;
}

Result<JsonObject> JsonObject::Read(const std::filesystem::path& path) {
  std::string name = utf8::Escape(path.native());
  VADE_TRY(const std::string text, ReadFile(path, kMaxJsonBytes));
  VADE_TRY(nlohmann::json json, ParseJson(text, name));
  if (!json.is_object()) return Fail(ErrorCode::kCorruptData, name + ": not a JSON object");
  return JsonObject(std::move(json), std::move(name));
}

const nlohmann::json* JsonObject::Find(const char* key) const {
  const auto it = json_.find(key);
  return it == json_.end() || it->is_null() ? nullptr : &*it;
}

tl::unexpected<Error> JsonObject::Wrong(const char* key, const char* want) const {
  const nlohmann::json* value = Find(key);
  return Fail(ErrorCode::kCorruptData, name_ + ": \"" + key + "\": got " +
                                           (value != nullptr ? value->type_name() : "nothing") +
                                           ", want " + want);
}

template <typename T>
Result<T> JsonObject::Missing(const char* key, std::optional<T> fallback) const {
  if (fallback) return *fallback;
  return Fail(ErrorCode::kCorruptData, name_ + ": \"" + key + "\": missing");
}

Result<uint32_t> JsonObject::GetUint(const char* key, std::optional<uint32_t> fallback) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return Missing(key, fallback);
  if (!value->is_number_unsigned() || value->get<uint64_t>() > UINT32_MAX) {
    return Wrong(key, "a number from 0 to 2^32-1");
  }
  return static_cast<uint32_t>(value->get<uint64_t>());
}

Result<double> JsonObject::GetNumber(const char* key, std::optional<double> fallback) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return Missing(key, fallback);
  if (!value->is_number() || !std::isfinite(value->get<double>())) return Wrong(key, "a number");
  return value->get<double>();
}

Result<bool> JsonObject::GetBool(const char* key, std::optional<bool> fallback) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return Missing(key, fallback);
  if (!value->is_boolean()) return Wrong(key, "true or false");
  return value->get<bool>();
}

Result<std::string> JsonObject::GetString(const char* key,
                                          std::optional<std::string> fallback) const {
  const nlohmann::json* value = Find(key);
  if (value == nullptr) return Missing(key, std::move(fallback));
  if (!value->is_string()) return Wrong(key, "a string");
  return value->get<std::string>();
}

}  // namespace vade::import
