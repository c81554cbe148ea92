// Writes a grammar rule by rule; equal bodies become one rule.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/utf8_ranges.h"

namespace vade::runtime {

/// A string as a GBNF literal, quotes included.
[[nodiscard]] std::string GbnfLiteral(std::string_view text);

/// Normalised ranges as a GBNF class, brackets included. REQUIRES !ranges.empty().
[[nodiscard]] std::string GbnfClass(const std::vector<CodePointRange>& ranges);

/// "a | b | c" in parentheses; one part alone stays as it is. REQUIRES !parts.empty().
[[nodiscard]] std::string GbnfChoice(const std::vector<std::string>& parts);

/// "{m,n}", "*", "" ... ; max_unbounded ignores max.
[[nodiscard]] std::string GbnfRepeat(size_t min, size_t max, bool max_unbounded);

class GbnfBuilder {
 public:
  static constexpr size_t kMaxBytes = size_t{1} << 20;
  static constexpr size_t kMaxRules = 15'000;

  /// The name of a rule with this body.
  [[nodiscard]] std::string Add(const std::string& body);
  /// A new name whose body follows by Define: rules may refer to themselves.
  [[nodiscard]] std::string Reserve();
  void Define(const std::string& name, std::string body);

  /// Beyond kMaxBytes or kMaxRules: whoever builds must stop.
  [[nodiscard]] bool too_large() const noexcept {
    return bytes_ > kMaxBytes || rules_.size() > kMaxRules;
  }

  /// The grammar with `body` as root, and the rules of JSON: ws char string number integer boolean
  /// null value member object array.
  [[nodiscard]] std::string Finish(const std::string& body) const;

 private:
  size_t next_name_ = 0;
  size_t bytes_ = 0;
  std::vector<std::pair<std::string, std::string>> rules_;  // name, body
  std::map<std::string, std::string> by_body_;
};

}  // namespace vade::runtime
