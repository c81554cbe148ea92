// The methods of Python's str, list and dict that do not change their object.
#include <algorithm>
#include <array>
#include <optional>

#include "engine/base/utf8.h"
#include "engine/tokenizer/jinja/runtime.h"

namespace vade::tokenizer::jinja {
namespace {

constexpr std::array<std::string_view, 32> kStringMethods = {
    "strip",      "lstrip",  "rstrip",  "split",        "rsplit",       "splitlines", "startswith",
    "endswith",   "replace", "upper",   "lower",        "title",        "capitalize", "join",
    "find",       "rfind",   "index",   "count",        "isdigit",      "isalpha",    "isalnum",
    "isspace",    "isupper", "islower", "removeprefix", "removesuffix", "zfill",      "partition",
    "rpartition", "format",  "ljust",   "rjust"};
constexpr std::array<std::string_view, 5> kDictMethods = {"get", "items", "keys", "values", "copy"};
constexpr std::array<std::string_view, 3> kListMethods = {"count", "index", "copy"};

constexpr std::string_view kAsciiSpace = " \t\n\r\f\v\x1c\x1d\x1e\x1f";

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsAlpha(char c) { return IsUpper(c) || IsLower(c) || static_cast<uint8_t>(c) >= 0x80; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
char ToLower(char c) { return IsUpper(c) ? static_cast<char>(c + 32) : c; }
char ToUpper(char c) { return IsLower(c) ? static_cast<char>(c - 32) : c; }

// Unicode white space of Python's str.strip() beyond ASCII.
bool IsWideSpace(char32_t c) {
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

// Whether the code point `point` is one of `set` (white space when there is no set).
bool InSet(std::string_view point, const std::string* set) {
  if (set == nullptr) {
    if (point.size() == 1) return kAsciiSpace.find(point[0]) != std::string_view::npos;
    return IsWideSpace(utf8::Decode(point, 0).value);
  }
  for (size_t at = 0; at < set->size();) {
    const uint32_t length = utf8::Decode(*set, at).length;
    if (point == std::string_view(*set).substr(at, length)) return true;
    at += length;
  }
  return false;
}

std::string_view Strip(std::string_view text, const std::string* set, bool left, bool right) {
  while (left && !text.empty()) {
    const uint32_t length = utf8::Decode(text, 0).length;
    if (!InSet(text.substr(0, length), set)) break;
    text.remove_prefix(length);
  }
  while (right && !text.empty()) {
    const size_t last = utf8::FloorBoundary(text, text.size() - 1);
    if (!InSet(text.substr(last), set)) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

// The string argument at `at`, or null; a TypeError when it is of another type.
Result<const std::string*> StringArgument(const Arguments& arguments, size_t at,
                                          std::string_view name, bool required) {
  const Value* value = arguments.Find(at, name);
  if (value == nullptr || (value->is_none() && !required)) {
    if (required) return TypeError("missing argument '" + std::string(name) + "'");
    return nullptr;
  }
  if (value->is_undefined()) return TypeError(value->undefined_what());
  if (value->string() == nullptr) {
    return TypeError("argument '" + std::string(name) + "' must be str, not " +
                     std::string(value->TypeName()));
  }
  return value->string();
}

Result<int64_t> IntArgument(const Arguments& arguments, size_t at, std::string_view name,
                            int64_t fallback) {
  const Value* value = arguments.Find(at, name);
  if (value == nullptr) return fallback;
  if (!value->is_int() && !value->is_bool()) {
    return TypeError("argument '" + std::string(name) + "' must be int, not " +
                     std::string(value->TypeName()));
  }
  return value->as_int();
}

std::vector<std::string_view> SplitOnSpace(std::string_view text, int64_t max_splits) {
  std::vector<std::string_view> parts;
  text = Strip(text, nullptr, true, false);
  while (!text.empty()) {
    size_t end = 0;
    while (end < text.size()) {
      const uint32_t length = utf8::Decode(text, end).length;
      if (InSet(text.substr(end, length), nullptr)) break;
      end += length;
    }
    if (max_splits >= 0 && static_cast<int64_t>(parts.size()) == max_splits) {
      parts.push_back(Strip(text, nullptr, false, true));
      break;
    }
    parts.push_back(text.substr(0, end));
    text = Strip(text.substr(end), nullptr, true, false);
  }
  return parts;
}

std::vector<std::string_view> SplitOn(std::string_view text, std::string_view separator,
                                      int64_t max_splits, bool from_right) {
  std::vector<std::string_view> parts;
  const auto full = [&] {
    return max_splits >= 0 && static_cast<int64_t>(parts.size()) >= max_splits;
  };
  while (!full()) {
    const size_t at = from_right ? text.rfind(separator) : text.find(separator);
    if (at == std::string_view::npos) break;
    if (from_right) {
      parts.push_back(text.substr(at + separator.size()));
      text = text.substr(0, at);
    } else {
      parts.push_back(text.substr(0, at));
      text = text.substr(at + separator.size());
    }
  }
  parts.push_back(text);
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

Result<Value> ListOf(const std::vector<std::string_view>& parts, Budget& budget,
                     ListKind kind = ListKind::kList) {
  std::vector<Value> items;
  for (const std::string_view part : parts) {
    VADE_TRY(Value item, MakeString(std::string(part), budget));
    items.push_back(std::move(item));
  }
  return MakeList(std::move(items), budget, kind);
}

Result<Value> Split(const std::string& text, const Arguments& arguments, bool from_right,
                    Budget& budget) {
  VADE_TRY(const std::string* separator, StringArgument(arguments, 0, "sep", false));
  VADE_TRY(const int64_t max_splits, IntArgument(arguments, 1, "maxsplit", -1));
  if (separator == nullptr) {
    if (from_right && max_splits >= 0) {
      return Fail(ErrorCode::kUnsupported, "rsplit(None, n) is not supported");
    }
    return ListOf(SplitOnSpace(text, max_splits), budget);
  }
  if (separator->empty()) return TypeError("empty separator");
  return ListOf(SplitOn(text, *separator, max_splits, from_right), budget);
}

Result<Value> Partition(const std::string& text, const Arguments& arguments, bool from_right,
                        Budget& budget) {
  VADE_TRY(const std::string* separator, StringArgument(arguments, 0, "sep", true));
  if (separator->empty()) return TypeError("empty separator");
  const size_t at = from_right ? text.rfind(*separator) : text.find(*separator);
  const std::string_view view(text);
  if (at == std::string::npos) {
    return from_right ? ListOf({"", "", view}, budget, ListKind::kTuple)
                      : ListOf({view, "", ""}, budget, ListKind::kTuple);
  }
  return ListOf({view.substr(0, at), *separator, view.substr(at + separator->size())}, budget,
                ListKind::kTuple);
}

Result<Value> SplitLines(std::string_view text, Budget& budget) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find_first_of("\n\r");
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return ListOf(lines, budget);
}

Result<Value> StartsOrEndsWith(const std::string& text, const Arguments& arguments, bool starts) {
  const Value* affix = arguments.Find(0, "prefix");
  if (affix == nullptr) return TypeError("missing argument");
  std::vector<Value> options = {*affix};
  if (affix->list() != nullptr && affix->list()->kind == ListKind::kTuple)
    options = affix->list()->items;
  for (const Value& option : options) {
    if (option.is_undefined()) return TypeError(option.undefined_what());
    if (option.string() == nullptr) {
      return TypeError("first arg must be str or a tuple of str, not " +
                       std::string(option.TypeName()));
    }
    if (starts ? text.starts_with(*option.string()) : text.ends_with(*option.string())) {
      return Value(true);
    }
  }
  return Value(false);
}

Result<Value> Replace(const std::string& text, const Arguments& arguments, Budget& budget) {
  VADE_TRY(const std::string* from, StringArgument(arguments, 0, "old", true));
  VADE_TRY(const std::string* to, StringArgument(arguments, 1, "new", true));
  VADE_TRY(int64_t count, IntArgument(arguments, 2, "count", -1));
  std::string out;
  size_t at = 0;
  for (; count != 0; --count) {
    size_t found = text.find(*from, at);
    if (found == std::string::npos) break;
    if (from->empty()) {  // between all code points
      if (at == text.size()) break;
      found = at + utf8::Decode(text, at).length;
      if (at == 0) out += *to;
      out.append(text, at, found - at);
      out += *to;
      at = found;
    } else {
      out.append(text, at, found - at);
      out += *to;
      at = found + from->size();
    }
    VADE_CHECK_OK(budget.Allocate(to->size() + 1));
  }
  if (at < text.size()) out.append(text, at);
  return MakeString(std::move(out), budget);
}

// ASCII letters only, which is what prompts use; other letters stay as they are.
std::string MapCase(std::string_view text, std::string_view method) {
  std::string out(text);
  bool inside_word = false;
  for (size_t i = 0; i < out.size(); ++i) {
    const bool upper = method == "upper" || (method == "title" && !inside_word) ||
                       (method == "capitalize" && i == 0);
    inside_word = IsAlpha(out[i]);
    out[i] = upper ? ToUpper(out[i]) : ToLower(out[i]);
  }
  return out;
}

Result<Value> Join(const std::string& separator, const Arguments& arguments, Budget& budget) {
  const Value* value = arguments.Find(0, "iterable");
  if (value == nullptr) return TypeError("missing argument 'iterable'");
  VADE_TRY(const auto items, Iterate(*value, budget));
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].string() == nullptr) {
      return TypeError("sequence item " + std::to_string(i) + ": expected str instance, " +
                       std::string(items[i].TypeName()) + " found");
    }
    if (i > 0) out += separator;
    out += *items[i].string();
    VADE_CHECK_OK(budget.Allocate(separator.size() + items[i].string()->size()));
  }
  return Value(std::move(out));
}

Result<Value> Find(const std::string& text, const Arguments& arguments, std::string_view method) {
  VADE_TRY(const std::string* needle, StringArgument(arguments, 0, "sub", true));
  const size_t at = method == "rfind" ? text.rfind(*needle) : text.find(*needle);
  if (at != std::string::npos) {
    return Value(static_cast<int64_t>(utf8::CountCodePoints(std::string_view(text).substr(0, at))));
  }
  if (method == "index") return TypeError("substring not found");
  return Value(int64_t{-1});
}

Result<Value> Count(const std::string& text, const Arguments& arguments) {
  VADE_TRY(const std::string* needle, StringArgument(arguments, 0, "sub", true));
  if (needle->empty()) return Value(static_cast<int64_t>(utf8::CountCodePoints(text)) + 1);
  int64_t count = 0;
  for (size_t at = text.find(*needle); at != std::string::npos;
       at = text.find(*needle, at + needle->size())) {
    ++count;
  }
  return Value(count);
}

bool IsAll(std::string_view text, std::string_view method) {
  if (text.empty()) return false;
  if (method == "isspace") return Strip(text, nullptr, true, false).empty();
  if (method == "isupper" || method == "islower") {
    const bool wrong =
        std::any_of(text.begin(), text.end(), method == "isupper" ? IsLower : IsUpper);
    return !wrong && std::any_of(text.begin(), text.end(), IsAlpha);
  }
  return std::all_of(text.begin(), text.end(), [&](char c) {
    if (method == "isdigit") return IsDigit(c);
    return IsAlpha(c) || (method == "isalnum" && IsDigit(c));
  });
}

Result<Value> Pad(const std::string& text, const Arguments& arguments, std::string_view method,
                  Budget& budget) {
  VADE_TRY(const int64_t width, IntArgument(arguments, 0, "width", 0));
  VADE_TRY(const std::string* given, StringArgument(arguments, 1, "fillchar", false));
  const std::string fill = method == "zfill" ? "0" : (given == nullptr ? " " : *given);
  const auto length = static_cast<int64_t>(utf8::CountCodePoints(text));
  if (width <= length) return Value(text);
  VADE_CHECK_OK(budget.Allocate(static_cast<uint64_t>(width - length) * fill.size()));
  std::string padding;
  for (int64_t i = length; i < width; ++i) padding += fill;
  if (method == "ljust") return Value(text + padding);
  const bool sign = method == "zfill" && (text.starts_with('-') || text.starts_with('+'));
  return Value(sign ? text[0] + padding + text.substr(1) : padding + text);
}

// "{}" and "{0}" and "{name}" without format specifications.
Result<Value> Format(const std::string& text, const Arguments& arguments, Budget& budget) {
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      ++i;
      continue;
    }
    if (c != '{') {
      out += c;
      continue;
    }
    const size_t close = text.find('}', i);
    if (close == std::string::npos) return TypeError("expected '}' before end of string");
    const std::string field = text.substr(i + 1, close - i - 1);
    const Value* value = nullptr;
    if (std::all_of(field.begin(), field.end(), IsDigit) && field.size() < 4) {
      value = arguments.Find(field.empty() ? next++ : static_cast<size_t>(std::atoi(field.c_str())),
                             "");
    } else {
      value = arguments.Find(SIZE_MAX, field);
    }
    if (value == nullptr) return TypeError("format field '" + field + "' has no argument");
    out += value->ToString();
    VADE_CHECK_OK(budget.Allocate(out.size() / 16 + 1));
    i = close;
  }
  return MakeString(std::move(out), budget);
}

Result<Value> StripWith(const std::string& text, const Arguments& arguments, bool left, bool right,
                        Budget& budget) {
  VADE_TRY(const std::string* set, StringArgument(arguments, 0, "chars", false));
  VADE_CHECK_OK(budget.Spend(set == nullptr ? 1 : set->size()));
  return MakeString(std::string(Strip(text, set, left, right)), budget);
}

Result<Value> RemoveAffix(const std::string& text, const Arguments& arguments, bool prefix) {
  VADE_TRY(const std::string* affix, StringArgument(arguments, 0, "prefix", true));
  if (prefix) return Value(text.starts_with(*affix) ? text.substr(affix->size()) : text);
  return Value(text.ends_with(*affix) ? text.substr(0, text.size() - affix->size()) : text);
}

Result<Value> CallStringMethod(const std::string& text, std::string_view name,
                               const Arguments& arguments, Budget& budget) {
  VADE_CHECK_OK(budget.Spend(text.size() / 8 + 1));
  if (name == "strip") return StripWith(text, arguments, true, true, budget);
  if (name == "lstrip") return StripWith(text, arguments, true, false, budget);
  if (name == "rstrip") return StripWith(text, arguments, false, true, budget);
  if (name == "split" || name == "rsplit") return Split(text, arguments, name == "rsplit", budget);
  if (name == "partition") return Partition(text, arguments, false, budget);
  if (name == "rpartition") return Partition(text, arguments, true, budget);
  if (name == "splitlines") return SplitLines(text, budget);
  if (name == "startswith") return StartsOrEndsWith(text, arguments, true);
  if (name == "endswith") return StartsOrEndsWith(text, arguments, false);
  if (name == "replace") return Replace(text, arguments, budget);
  if (name == "join") return Join(text, arguments, budget);
  if (name == "find" || name == "rfind" || name == "index") return Find(text, arguments, name);
  if (name == "count") return Count(text, arguments);
  if (name.starts_with("is")) return Value(IsAll(text, name));
  if (name.starts_with("remove")) return RemoveAffix(text, arguments, name == "removeprefix");
  if (name == "zfill" || name == "ljust" || name == "rjust") {
    return Pad(text, arguments, name, budget);
  }
  if (name == "format") return Format(text, arguments, budget);
  return MakeString(MapCase(text, name), budget);
}

Result<Value> CallDictMethod(const Value& object, std::string_view name, const Arguments& arguments,
                             Budget& budget) {
  const Dict& dict = *object.dict();
  if (name == "copy") return object;
  if (name == "get") {
    const Value* key = arguments.Find(0, "key");
    if (key == nullptr) return TypeError("get expected at least 1 argument, got 0");
    const Value* found = key->string() == nullptr ? nullptr : dict.Find(*key->string());
    if (found != nullptr) return *found;
    const Value* fallback = arguments.Find(1, "default");
    return fallback == nullptr ? Value() : *fallback;
  }
  std::vector<Value> items;
  for (const auto& [key, value] : dict.entries) {
    if (name == "keys") {
      items.emplace_back(key);
    } else if (name == "values") {
      items.push_back(value);
    } else {
      VADE_TRY(Value pair, MakeList({Value(key), value}, budget, ListKind::kTuple));
      items.push_back(std::move(pair));
    }
  }
  return MakeList(std::move(items), budget);
}

Result<Value> CallListMethod(const Value& object, std::string_view name, const Arguments& arguments,
                             Budget& budget) {
  const auto& items = object.list()->items;
  if (name == "copy") return object;
  const Value* wanted = arguments.Find(0, "value");
  if (wanted == nullptr) return TypeError(std::string(name) + "() takes exactly one argument");
  VADE_CHECK_OK(budget.Spend(items.size()));
  const auto equal = [&](const Value& item) { return Equal(item, *wanted); };
  if (name == "count") return Value(int64_t{std::count_if(items.begin(), items.end(), equal)});
  const auto found = std::find_if(items.begin(), items.end(), equal);
  if (found == items.end()) return TypeError(wanted->Repr() + " is not in list");
  return Value(int64_t{found - items.begin()});
}

}  // namespace

bool HasMethod(const Value& object, std::string_view name) {
  const auto among = [&](const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (object.string() != nullptr) return among(kStringMethods);
  if (object.dict() != nullptr) return among(kDictMethods);
  return object.list() != nullptr && among(kListMethods);
}

Result<Value> CallMethod(const Value& object, std::string_view name, const Arguments& arguments,
                         Budget& budget) {
  if (const auto* text = object.string()) return CallStringMethod(*text, name, arguments, budget);
  if (object.dict() != nullptr) return CallDictMethod(object, name, arguments, budget);
  return CallListMethod(object, name, arguments, budget);
}

}  // namespace vade::tokenizer::jinja
