// Values of the chat-template language: Python's, as far as Jinja templates can see them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/result.h"

namespace vade::tokenizer::jinja {

class Value;
struct List;
struct Dict;
struct Namespace;
struct Callable;

/// What a name or key that does not exist evaluates to. Prints as nothing, is false, has no length;
/// arithmetic and attribute access on it are errors with the sentence `what` ("'x' is undefined").
struct Undefined {
  std::string what;
};

struct None {};

/// Cheap to copy; containers are shared and never change once built (Namespace is the exception).
class Value {
 public:
  using Data =
      std::variant<Undefined, None, bool, int64_t, double, std::shared_ptr<const std::string>,
                   std::shared_ptr<const List>, std::shared_ptr<const Dict>,
                   std::shared_ptr<Namespace>, std::shared_ptr<const Callable>>;

  Value() : data_(None{}) {}
  Value(bool b) : data_(b) {}     // NOLINT: implicit on purpose
  Value(int64_t i) : data_(i) {}  // NOLINT
  Value(double d) : data_(d) {}   // NOLINT
  Value(std::string s) : data_(std::make_shared<const std::string>(std::move(s))) {}  // NOLINT
  Value(std::string_view s) : Value(std::string(s)) {}                                // NOLINT
  Value(const char* s) : Value(std::string(s)) {}                                     // NOLINT
  Value(List list);                                                                   // NOLINT
  Value(Dict dict);                                                                   // NOLINT
  Value(std::shared_ptr<Namespace> ns) : data_(std::move(ns)) {}                      // NOLINT
  Value(std::shared_ptr<const Callable> f) : data_(std::move(f)) {}                   // NOLINT
  static Value MakeUndefined(std::string what) { return Value(Undefined{std::move(what)}); }

  /// Text marked by the safe or escape filter: adding other text with + escapes the other text.
  static Value MakeMarkup(std::string s) {
    Value value(std::move(s));
    value.markup_ = true;
    return value;
  }

  [[nodiscard]] bool is_markup() const { return markup_; }
  [[nodiscard]] bool is_undefined() const { return std::holds_alternative<Undefined>(data_); }
  [[nodiscard]] bool is_none() const { return std::holds_alternative<None>(data_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(data_); }
  [[nodiscard]] bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  [[nodiscard]] bool is_float() const { return std::holds_alternative<double>(data_); }
  [[nodiscard]] bool is_number() const { return is_bool() || is_int() || is_float(); }

  /// Null when the value is of another type.
  [[nodiscard]] const std::string* string() const { return Get<const std::string>(); }
  [[nodiscard]] const List* list() const { return Get<const List>(); }
  [[nodiscard]] const Dict* dict() const { return Get<const Dict>(); }
  [[nodiscard]] Namespace* ns() const { return Get<Namespace>(); }
  [[nodiscard]] const Callable* callable() const { return Get<const Callable>(); }

  /// REQUIRES is_bool() or is_int(); Python's bool is an int.
  [[nodiscard]] int64_t as_int() const;
  /// REQUIRES is_number().
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& undefined_what() const {
    return std::get<Undefined>(data_).what;
  }

  [[nodiscard]] bool Truthy() const;
  /// Python's type name: "str", "NoneType", ...
  [[nodiscard]] std::string_view TypeName() const;
  /// str(value).
  [[nodiscard]] std::string ToString() const;
  /// repr(value), as it appears inside a printed list.
  [[nodiscard]] std::string Repr() const;
  /// How deep containers nest; 0 for a scalar.
  [[nodiscard]] uint32_t depth() const;
  /// Values and string bytes below this one, counted as often as they are reached: the cost of
  /// printing or comparing it, which shared containers can make exponential in the memory used.
  [[nodiscard]] uint64_t weight() const;
  [[nodiscard]] bool HoldsNamespace() const;

 private:
  explicit Value(Undefined u) : data_(std::move(u)) {}
  template <typename T>
  T* Get() const {
    const auto* pointer = std::get_if<std::shared_ptr<T>>(&data_);
    return pointer == nullptr ? nullptr : pointer->get();
  }

  Data data_;
  bool markup_ = false;
};

/// What map, select and their kin give is a generator: it can be walked, but has no length.
enum class ListKind : uint8_t { kList, kTuple, kGenerator };

struct List {
  std::vector<Value> items;
  ListKind kind = ListKind::kList;
  uint32_t depth = 1;  // this and what follows: filled in by Value(List)
  uint64_t weight = 1;
  bool holds_namespace = false;
};

/// A dict with string keys, in insertion order.
struct Dict {
  std::vector<std::pair<std::string, Value>> entries;
  std::unordered_map<std::string, size_t> index;
  uint32_t depth = 1;  // this and what follows: filled in by Value(Dict)
  uint64_t weight = 1;
  bool holds_namespace = false;

  void Set(std::string key, Value value);
  [[nodiscard]] const Value* Find(const std::string& key) const;
};

/// namespace(): the one thing a template can change from inside a loop.
struct Namespace {
  std::map<std::string, Value> attributes;
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  /// The named argument, else the positional one at `at`, else null.
  [[nodiscard]] const Value* Find(size_t at, std::string_view name) const;
};

/// A macro, a global function or a bound method.
struct Callable {
  std::string name;
  std::function<Result<Value>(const Arguments&)> call;
};

/// Text with &, <, >, ' and " as HTML entities.
[[nodiscard]] std::string EscapeHtml(std::string_view text);

[[nodiscard]] bool Equal(const Value& a, const Value& b);

/// Python's ordering of two numbers, strings or lists: < 0, 0, > 0. kInvalidArgument for others.
[[nodiscard]] Result<int> Compare(const Value& a, const Value& b);

struct JsonStyle {
  int indent = -1;  // < 0: one line
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// json.dumps(value). kInvalidArgument for what JSON cannot say.
[[nodiscard]] Result<std::string> ToJson(const Value& value, const JsonStyle& style);

}  // namespace vade::tokenizer::jinja
