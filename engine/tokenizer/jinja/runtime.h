// What expressions need from the language: budgets, iteration, string methods, filters and tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/jinja/value.h"

namespace vade::tokenizer::jinja {

/// A template comes from a stranger's model file: it may loop and double strings for ever.
struct Budget {
  uint64_t steps = 4'000'000;           // nodes evaluated, and text looked at in 8-byte pieces
  uint64_t bytes = uint64_t{64} << 20;  // of all strings and lists ever made, and of the output

  /// Errors: kResource when used up.
  [[nodiscard]] Result<void> Spend(uint64_t n);
  [[nodiscard]] Result<void> Allocate(uint64_t n);
};

/// Python's TypeError and its kin: the template did something its values do not allow.
[[nodiscard]] inline tl::unexpected<Error> TypeError(std::string message) {
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}

/// A list or dict value; kResource when nested deeper than any message is.
[[nodiscard]] Result<Value> MakeList(std::vector<Value> items, Budget& budget,
                                     ListKind kind = ListKind::kList);
[[nodiscard]] Result<Value> MakeDict(Dict dict, Budget& budget);
[[nodiscard]] Result<Value> MakeString(std::string text, Budget& budget);

/// What "for x in value" visits: items, keys, characters, nothing for an undefined value.
[[nodiscard]] Result<std::vector<Value>> Iterate(const Value& value, Budget& budget);

/// len(value); characters are code points.
[[nodiscard]] Result<int64_t> Length(const Value& value);

/// value.name and value[key]: methods, attributes and items in Jinja's order; an undefined value
/// for what is missing or changes the object in place (the sandbox forbids list.append and so on).
[[nodiscard]] Result<Value> GetAttribute(const Value& object, const std::string& name,
                                         Budget& budget);
[[nodiscard]] Result<Value> GetItem(const Value& object, const Value& key, Budget& budget);

/// value[start:stop:step]; none stands for a missing bound.
[[nodiscard]] Result<Value> Slice(const Value& object, const Value& start, const Value& stop,
                                  const Value& step, Budget& budget);

/// Is `item in container`? TypeError as in Python.
[[nodiscard]] Result<bool> Contains(const Value& container, const Value& item);

/// str.format-like "%s" substitution: the % operator and the format filter.
[[nodiscard]] Result<Value> PercentFormat(const std::string& format,
                                          const std::vector<Value>& items, Budget& budget);

[[nodiscard]] Result<Value> CallMethod(const Value& object, std::string_view name,
                                       const Arguments& arguments, Budget& budget);
[[nodiscard]] bool HasMethod(const Value& object, std::string_view name);

/// value | name(arguments).
[[nodiscard]] Result<Value> ApplyFilter(std::string_view name, const Value& value,
                                        const Arguments& arguments, Budget& budget);
/// value is name(arguments).
[[nodiscard]] Result<bool> ApplyTest(std::string_view name, const Value& value,
                                     const Arguments& arguments, Budget& budget);

}  // namespace vade::tokenizer::jinja
