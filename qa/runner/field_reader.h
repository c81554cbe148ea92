// Reads the fields of a JSON object that somebody else wrote; what is absent keeps its default.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/base/result.h"

namespace vade::qa {

class FieldReader {
 public:
  explicit FieldReader(const nlohmann::json& object) : object_(object) {
    if (!object.is_object()) Refuse("message");
  }

  template <typename T>
  FieldReader& Read(const char* key, T& out) {
    if (const nlohmann::json* value = Find(key); value != nullptr && !Take(*value, out)) {
      Refuse(key);
    }
    return *this;
  }

  /// An enum up to `last`, written as its number.
  template <typename T>
  FieldReader& ReadEnum(const char* key, T& out, T last) {
    uint64_t number = static_cast<uint64_t>(out);
    Read(key, number);
    if (number > static_cast<uint64_t>(last)) {
      Refuse(key);
    } else {
      out = static_cast<T>(number);
    }
    return *this;
  }

  /// Each item of an array, read by read(item, element) -> Result<void>.
  template <typename T, typename ReadItem>
  FieldReader& ReadList(const char* key, std::vector<T>& out, const ReadItem& read) {
    const nlohmann::json* list = Find(key);
    if (list == nullptr) return *this;
    if (!list->is_array()) return Refuse(key);
    for (const nlohmann::json& item : *list) {
      if (!read(item, out.emplace_back())) return Refuse(key);
    }
    return *this;
  }

  [[nodiscard]] const nlohmann::json* Find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  /// kCorruptData naming the first bad field.
  [[nodiscard]] Result<void> status() const {
    if (bad_.empty()) return {};
    return Fail(ErrorCode::kCorruptData, "runner: field \"" + bad_ + "\" is not what was expected");
  }

 private:
  FieldReader& Refuse(const char* key) {
    if (bad_.empty()) bad_ = key;
    return *this;
  }

  static bool Take(const nlohmann::json& value, std::string& out) {
    if (!value.is_string()) return false;
    out = value.get_ref<const std::string&>();
    return true;
  }
  static bool Take(const nlohmann::json& value, bool& out) {
    if (!value.is_boolean()) return false;
    out = value.get<bool>();
    return true;
  }
  template <typename T>
  static std::enable_if_t<std::is_integral_v<T>, bool> Take(const nlohmann::json& value, T& out) {
    if (!value.is_number_integer()) return false;
    if (value.is_number_unsigned()) {
      const auto number = value.get<uint64_t>();
      if (number > static_cast<uint64_t>(std::numeric_limits<T>::max())) return false;
      out = static_cast<T>(number);
      return true;
    }
    const auto number = value.get<int64_t>();
    if constexpr (std::is_unsigned_v<T>) {
      return false;  // negative
    } else {
      if (number < std::numeric_limits<T>::min()) return false;
      out = static_cast<T>(number);
      return true;
    }
  }
  // JSON has no infinity: it is written as null, and only minus infinity is ever meant.
  template <typename T>
  static std::enable_if_t<std::is_floating_point_v<T>, bool> Take(const nlohmann::json& value,
                                                                  T& out) {
    if (value.is_null()) {
      out = -std::numeric_limits<T>::infinity();
      return true;
    }
    if (!value.is_number()) return false;
    out = value.get<T>();
    return true;
  }
  template <typename T>
  static bool Take(const nlohmann::json& value, std::optional<T>& out) {
    return Take(value, out.emplace());
  }
  template <typename T>
  static bool Take(const nlohmann::json& value, std::vector<T>& out) {
    if (!value.is_array()) return false;
    for (const nlohmann::json& item : value) {
      if (!Take(item, out.emplace_back())) return false;
    }
    return true;
  }

  const nlohmann::json& object_;
  std::string bad_;
};

}  // namespace vade::qa
