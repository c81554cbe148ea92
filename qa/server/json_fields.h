// Fields: a JSON body from a stranger, read field by field. Every wrong type, range or name is an
// error that names the field (faults.md 59, 60).
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace vade::qa::server {

/// Strict JSON: at most 64 levels deep, no duplicate keys, no NaN, numbers that a double holds,
/// valid UTF-8 without lone surrogates.
/// Errors: kInvalidArgument "body: ..." with the place.
[[nodiscard]] Result<nlohmann::json> ParseJson(std::string_view text);

/// The first error wins; what is read after it is a default. Absent and null are the same.
class Fields {
 public:
  /// `name`: put before the fields' names in errors; empty for the body itself.
  explicit Fields(const nlohmann::json& object, std::string name = "");

  [[nodiscard]] bool Has(const std::string& field) const;
  [[nodiscard]] std::string String(const std::string& field, std::string fallback = "",
                                   size_t max_bytes = size_t{16} << 20);
  [[nodiscard]] std::string RequiredString(const std::string& field,
                                           size_t max_bytes = size_t{16} << 20);
  [[nodiscard]] std::optional<int64_t> Integer(const std::string& field, int64_t least,
                                               int64_t most);
  [[nodiscard]] int64_t Integer(const std::string& field, int64_t least, int64_t most,
                                int64_t fallback) {
    return Integer(field, least, most).value_or(fallback);
  }
  [[nodiscard]] std::optional<double> Number(const std::string& field, double least, double most);
  [[nodiscard]] double Number(const std::string& field, double least, double most,
                              double fallback) {
    return Number(field, least, most).value_or(fallback);
  }
  [[nodiscard]] bool Bool(const std::string& field, bool fallback);
  /// A string counts as a list of one.
  [[nodiscard]] std::vector<std::string> Strings(const std::string& field, size_t max_items,
                                                 size_t max_bytes = size_t{16} << 20);
  [[nodiscard]] std::vector<int64_t> Integers(const std::string& field, size_t max_items,
                                              int64_t least, int64_t most);
  /// The value itself, which must be of this type; null when absent.
  [[nodiscard]] const nlohmann::json& Object(const std::string& field);
  [[nodiscard]] const nlohmann::json& Array(const std::string& field, size_t max_items);
  /// Whatever it is; null when absent.
  [[nodiscard]] const nlohmann::json& Value(const std::string& field) const { return Find(field); }
  /// One of the words.
  [[nodiscard]] std::string Word(const std::string& field, const std::vector<std::string>& words,
                                 const std::string& fallback);

  /// The fields of an object member; of one that is absent: none. Its errors are its own until
  /// they are taken over with Absorb.
  [[nodiscard]] Fields In(const std::string& field);
  void Absorb(const Fields& inner) {
    if (inner.error_ && !error_) error_ = inner.error_;
  }

  /// An error of the caller's own about a field.
  void Complain(const std::string& field, const std::string& what);
  [[nodiscard]] Result<void> Status() const;
  [[nodiscard]] std::string NameOf(const std::string& field) const {
    return name_.empty() ? field : name_ + "." + field;
  }

 private:
  /// Null when absent.
  [[nodiscard]] const nlohmann::json& Find(const std::string& field) const;

  const nlohmann::json& object_;
  const std::string name_;
  std::optional<Error> error_;
};

}  // namespace vade::qa::server
