// Jinja's filters and tests, as far as text templates use them.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <unordered_map>

#include "engine/base/utf8.h"
#include "engine/tokenizer/jinja/runtime.h"

namespace vade::tokenizer::jinja {
namespace {

using Filter = Result<Value> (*)(const Value&, const Arguments&, Budget&);
using Test = Result<bool> (*)(const Value&, const Arguments&, Budget&);

Result<int64_t> IntOption(const Arguments& arguments, size_t at, std::string_view name,
                          int64_t fallback) {
  const Value* value = arguments.Find(at, name);
  if (value == nullptr || value->is_none()) return fallback;
  if (!value->is_int() && !value->is_bool()) {
    return TypeError(std::string(name) + ": expected int, got " + std::string(value->TypeName()));
  }
  return value->as_int();
}

bool BoolOption(const Arguments& arguments, size_t at, std::string_view name, bool fallback) {
  const Value* value = arguments.Find(at, name);
  return value == nullptr ? fallback : value->Truthy();
}

std::string StringOption(const Arguments& arguments, size_t at, std::string_view name,
                         std::string_view fallback) {
  const Value* value = arguments.Find(at, name);
  return value == nullptr ? std::string(fallback) : value->ToString();
}

// A filter that is a method of str applied to str(value).
template <const char* kMethod>
Result<Value> StringMethod(const Value& value, const Arguments& arguments, Budget& budget) {
  return CallMethod(Value(value.ToString()), kMethod, arguments, budget);
}
constexpr char kStrip[] = "strip", kUpper[] = "upper", kLower[] = "lower", kTitle[] = "title",
               kCapitalize[] = "capitalize", kReplace[] = "replace";

Result<Value> ToStringFilter(const Value& value, const Arguments&, Budget& budget) {
  return MakeString(value.ToString(), budget);
}

Result<Value> ToListFilter(const Value& value, const Arguments&, Budget& budget) {
  VADE_TRY(auto items, Iterate(value, budget));
  return MakeList(std::move(items), budget);
}

Result<Value> ToJsonFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  JsonStyle style;
  style.ensure_ascii = BoolOption(arguments, 0, "ensure_ascii", false);
  VADE_TRY(const int64_t indent, IntOption(arguments, 1, "indent", -1));
  if (indent > 64) return TypeError("tojson: indent " + std::to_string(indent) + ", at most 64");
  style.indent = static_cast<int>(std::max<int64_t>(indent, -1));
  if (style.indent >= 0) style.item_separator = ",";
  if (const Value* separators = arguments.Find(2, "separators");
      separators != nullptr && separators->list() != nullptr &&
      separators->list()->items.size() == 2) {
    style.item_separator = separators->list()->items[0].ToString();
    style.key_separator = separators->list()->items[1].ToString();
  }
  style.sort_keys = BoolOption(arguments, 3, "sort_keys", false);
  if (value.is_undefined()) return TypeError("Object of type Undefined is not JSON serializable");
  VADE_TRY(std::string json, ToJson(value, style));
  return MakeString(std::move(json), budget);
}

Result<Value> DefaultFilter(const Value& value, const Arguments& arguments, Budget&) {
  const bool missing =
      value.is_undefined() || (BoolOption(arguments, 1, "boolean", false) && !value.Truthy());
  if (!missing) return value;
  const Value* fallback = arguments.Find(0, "default_value");
  return fallback == nullptr ? Value("") : *fallback;
}

Result<Value> LengthFilter(const Value& value, const Arguments&, Budget&) {
  VADE_TRY(const int64_t length, Length(value));
  return Value(length);
}

Result<Value> EndFilter(const Value& value, bool first, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  if (items.empty()) return Value::MakeUndefined("No first item, sequence was empty.");
  return first ? items.front() : items.back();
}
Result<Value> FirstFilter(const Value& value, const Arguments&, Budget& budget) {
  return EndFilter(value, true, budget);
}
Result<Value> LastFilter(const Value& value, const Arguments&, Budget& budget) {
  return EndFilter(value, false, budget);
}

// The attribute path "a.b" of an item.
Result<Value> AttributeOf(Value item, const Value& attribute, Budget& budget) {
  if (attribute.string() == nullptr) return GetItem(item, attribute, budget);
  std::string_view path = *attribute.string();
  while (true) {
    const size_t dot = path.find('.');
    VADE_TRY(item, GetItem(item, Value(path.substr(0, dot)), budget));
    if (dot == std::string_view::npos) return item;
    path.remove_prefix(dot + 1);
  }
}

Result<Value> JoinFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  const std::string separator = StringOption(arguments, 0, "d", "");
  const Value* attribute = arguments.Find(1, "attribute");
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    Value item = items[i];
    if (attribute != nullptr) {
      VADE_TRY(item, AttributeOf(item, *attribute, budget));
    }
    const std::string text = item.ToString();
    if (i > 0) out += separator;
    out += text;
    VADE_CHECK_OK(budget.Allocate(separator.size() + text.size()));
  }
  return Value(std::move(out));
}

Result<Value> ItemsFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  if (value.is_undefined()) return MakeList({}, budget);
  if (value.dict() == nullptr) return TypeError("Can only get item pairs from a mapping.");
  return CallMethod(value, "items", arguments, budget);
}

std::string FoldCase(const Value& value) {
  std::string text = *value.string();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// Sorts by key(item); text ignores case unless asked otherwise, as in Jinja.
template <typename Key>
Result<std::vector<Value>> SortBy(const std::vector<Value>& items, bool case_sensitive,
                                  bool reverse, Budget& budget, const Key& key) {
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items) {
    VADE_TRY(Value k, key(item));
    if (!case_sensitive && k.string() != nullptr) k = Value(FoldCase(k));
    keyed.emplace_back(std::move(k), item);
  }
  VADE_CHECK_OK(budget.Spend(items.size() * 20));
  for (size_t i = 1; i < keyed.size(); ++i) {  // every pair must be comparable before sorting
    VADE_CHECK_OK(Compare(keyed[0].first, keyed[i].first));
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    const int order = Compare(a.first, b.first).value_or(0);
    return reverse ? order > 0 : order < 0;
  });
  std::vector<Value> sorted;
  for (auto& entry : keyed) sorted.push_back(std::move(entry.second));
  return sorted;
}

Result<Value> SortFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  const Value* attribute = arguments.Find(2, "attribute");
  VADE_TRY(auto sorted, SortBy(items, BoolOption(arguments, 1, "case_sensitive", false),
                               BoolOption(arguments, 0, "reverse", false), budget,
                               [&](const Value& item) -> Result<Value> {
                                 if (attribute == nullptr) return item;
                                 return AttributeOf(item, *attribute, budget);
                               }));
  return MakeList(std::move(sorted), budget);
}

Result<Value> DictSortFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  if (value.dict() == nullptr) return TypeError("dictsort: expected a mapping");
  VADE_TRY(const Value pairs, CallMethod(value, "items", {}, budget));
  const int64_t by = StringOption(arguments, 1, "by", "key") == "value" ? 1 : 0;
  VADE_TRY(auto sorted,
           SortBy(pairs.list()->items, BoolOption(arguments, 0, "case_sensitive", false),
                  BoolOption(arguments, 2, "reverse", false), budget,
                  [&](const Value& pair) { return GetItem(pair, by, budget); }));
  return MakeList(std::move(sorted), budget);
}

Result<Value> ReverseFilter(const Value& value, const Arguments&, Budget& budget) {
  if (value.string() != nullptr) return Slice(value, Value(), Value(), int64_t{-1}, budget);
  VADE_TRY(auto items, Iterate(value, budget));
  std::reverse(items.begin(), items.end());
  return MakeList(std::move(items), budget);
}

Result<Value> UniqueFilter(const Value& value, const Arguments&, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  std::vector<Value> unique;
  for (const Value& item : items) {
    VADE_CHECK_OK(budget.Spend(unique.size()));
    if (std::none_of(unique.begin(), unique.end(),
                     [&](const Value& seen) { return Equal(seen, item); })) {
      unique.push_back(item);
    }
  }
  return MakeList(std::move(unique), budget, ListKind::kGenerator);
}

Result<Value> ExtremeFilter(const Value& value, bool maximum, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  if (items.empty()) return Value::MakeUndefined("No aggregated item, sequence was empty.");
  Value best = items[0];
  for (const Value& item : items) {
    VADE_TRY(const int order, Compare(item, best));
    if (maximum ? order > 0 : order < 0) best = item;
  }
  return best;
}
Result<Value> MaxFilter(const Value& value, const Arguments&, Budget& budget) {
  return ExtremeFilter(value, true, budget);
}
Result<Value> MinFilter(const Value& value, const Arguments&, Budget& budget) {
  return ExtremeFilter(value, false, budget);
}

Result<Value> SumFilter(const Value& value, const Arguments&, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  double sum = 0;
  bool is_float = false;
  for (const Value& item : items) {
    if (!item.is_number()) return TypeError("sum: items must be numbers");
    is_float |= item.is_float();
    sum += item.as_double();
  }
  if (is_float || std::fabs(sum) > 9e15) return Value(sum);
  return Value(static_cast<int64_t>(sum));
}

Result<Value> IntFilter(const Value& value, const Arguments& arguments, Budget&) {
  VADE_TRY(const int64_t fallback, IntOption(arguments, 0, "default", 0));
  if (value.is_int() || value.is_bool()) return Value(value.as_int());
  double number = 0;
  if (value.is_float()) {
    number = value.as_double();
  } else if (const auto* text = value.string()) {
    const size_t first = text->find_first_not_of(" \t\n");
    if (first == std::string::npos) return Value(fallback);
    const char* end = text->data() + text->size();
    if (std::from_chars(text->data() + first, end, number).ec != std::errc()) {
      return Value(fallback);
    }
  } else {
    return Value(fallback);
  }
  if (!(std::fabs(number) < 9.2e18)) return Value(fallback);
  return Value(static_cast<int64_t>(number));
}

Result<Value> FloatFilter(const Value& value, const Arguments& arguments, Budget&) {
  if (value.is_number()) return Value(value.as_double());
  double number = 0;
  if (const auto* text = value.string();
      text != nullptr &&
      std::from_chars(text->data(), text->data() + text->size(), number).ec == std::errc()) {
    return Value(number);
  }
  const Value* fallback = arguments.Find(0, "default");
  return fallback == nullptr ? Value(0.0) : *fallback;
}

Result<Value> AbsFilter(const Value& value, const Arguments&, Budget&) {
  if (!value.is_number()) return TypeError("bad operand type for abs()");
  if (value.is_float()) return Value(std::fabs(value.as_double()));
  if (value.as_int() == INT64_MIN) return TypeError("abs: number too large");
  return Value(value.as_int() < 0 ? -value.as_int() : value.as_int());
}

Result<Value> RoundFilter(const Value& value, const Arguments& arguments, Budget&) {
  if (!value.is_number()) return TypeError("round: expected a number");
  VADE_TRY(const int64_t digits, IntOption(arguments, 0, "precision", 0));
  const std::string method = StringOption(arguments, 1, "method", "common");
  const double scale = std::pow(10.0, static_cast<double>(std::clamp<int64_t>(digits, -300, 300)));
  const double scaled = value.as_double() * scale;
  const double rounded = method == "ceil"    ? std::ceil(scaled)
                         : method == "floor" ? std::floor(scaled)
                                             : std::nearbyint(scaled);
  return Value(rounded / scale);
}

Result<Value> IndentFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  std::string padding;
  if (const Value* width = arguments.Find(0, "width"); width != nullptr && width->string()) {
    padding = *width->string();
  } else {
    VADE_TRY(const int64_t spaces, IntOption(arguments, 0, "width", 4));
    padding.assign(static_cast<size_t>(std::clamp<int64_t>(spaces, 0, 256)), ' ');
  }
  const bool first = BoolOption(arguments, 1, "first", false);
  const bool blank = BoolOption(arguments, 2, "blank", false);
  const std::string text = value.ToString();
  std::string out;
  for (size_t at = 0, line = 0; at <= text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const bool pad = line == 0 ? first : (blank || end > at);
    if (pad) {
      VADE_CHECK_OK(budget.Allocate(padding.size()));
      out += padding;
    }
    out.append(text, at, end - at);
    if (end < text.size()) out += '\n';
    at = end + 1;
  }
  return MakeString(std::move(out), budget);
}

Result<Value> EscapeFilter(const Value& value, const Arguments&, Budget& budget) {
  if (value.is_markup()) return value;
  std::string text = EscapeHtml(value.ToString());
  VADE_CHECK_OK(budget.Allocate(text.size()));
  return Value::MakeMarkup(std::move(text));
}

Result<Value> SafeFilter(const Value& value, const Arguments&, Budget& budget) {
  VADE_CHECK_OK(budget.Allocate(value.weight()));
  return Value::MakeMarkup(value.ToString());
}

Result<Value> AttrFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  return GetAttribute(value, StringOption(arguments, 0, "name", ""), budget);
}

Result<Value> FormatFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  return PercentFormat(value.ToString(), arguments.positional, budget);
}

Result<Value> MapFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  if (!value.Truthy()) return MakeList({}, budget, ListKind::kGenerator);  // none is fine here
  VADE_TRY(const auto items, Iterate(value, budget));
  const Value* attribute = arguments.Find(SIZE_MAX, "attribute");
  const Value* fallback = arguments.Find(SIZE_MAX, "default");
  if (attribute == nullptr && arguments.positional.empty()) {
    return TypeError("map requires a filter argument");
  }
  Arguments rest = arguments;
  std::string filter;
  if (attribute == nullptr) {
    filter = rest.positional[0].ToString();
    rest.positional.erase(rest.positional.begin());
  }
  std::vector<Value> mapped;
  for (const Value& item : items) {
    VADE_TRY(Value result, attribute != nullptr ? AttributeOf(item, *attribute, budget)
                                                : ApplyFilter(filter, item, rest, budget));
    if (result.is_undefined() && fallback != nullptr) result = *fallback;
    mapped.push_back(std::move(result));
  }
  return MakeList(std::move(mapped), budget, ListKind::kGenerator);
}

// select, reject, selectattr, rejectattr: keeps the items whose test (default: truth) is `keep`.
Result<Value> Choose(const Value& value, const Arguments& arguments, Budget& budget, bool keep,
                     bool by_attribute) {
  if (!value.Truthy()) return MakeList({}, budget, ListKind::kGenerator);  // none is fine here
  VADE_TRY(const auto items, Iterate(value, budget));
  Arguments rest = arguments;
  const auto take = [&]() -> Value {
    Value front = rest.positional.front();
    rest.positional.erase(rest.positional.begin());
    return front;
  };
  if (by_attribute && rest.positional.empty()) return TypeError("missing attribute name");
  const Value attribute = by_attribute ? take() : Value();
  const std::string test = rest.positional.empty() ? "" : take().ToString();
  std::vector<Value> chosen;
  for (const Value& item : items) {
    Value subject = item;
    if (by_attribute) {
      VADE_TRY(subject, AttributeOf(item, attribute, budget));
    }
    bool passed = subject.Truthy();
    if (!test.empty()) {
      VADE_TRY(passed, ApplyTest(test, subject, rest, budget));
    }
    if (passed == keep) chosen.push_back(item);
  }
  return MakeList(std::move(chosen), budget, ListKind::kGenerator);
}
template <bool kKeep, bool kByAttribute>
Result<Value> ChooseFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  return Choose(value, arguments, budget, kKeep, kByAttribute);
}

Result<Value> BatchFilter(const Value& value, const Arguments& arguments, Budget& budget) {
  VADE_TRY(const auto items, Iterate(value, budget));
  VADE_TRY(const int64_t size, IntOption(arguments, 0, "linecount", 0));
  if (size <= 0) return TypeError("batch: size must be positive");
  const Value* fill = arguments.Find(1, "fill_with");
  std::vector<Value> batches;
  for (size_t at = 0; at < items.size(); at += static_cast<size_t>(size)) {
    const size_t end = std::min(items.size(), at + static_cast<size_t>(size));
    std::vector<Value> batch(items.begin() + static_cast<std::ptrdiff_t>(at),
                             items.begin() + static_cast<std::ptrdiff_t>(end));
    if (fill != nullptr && batch.size() < static_cast<size_t>(size)) {
      VADE_CHECK_OK(budget.Allocate(static_cast<uint64_t>(size)));
      batch.resize(static_cast<size_t>(size), *fill);
    }
    VADE_TRY(Value list, MakeList(std::move(batch), budget));
    batches.push_back(std::move(list));
  }
  return MakeList(std::move(batches), budget, ListKind::kGenerator);
}

Result<Value> WordCountFilter(const Value& value, const Arguments&, Budget& budget) {
  VADE_TRY(const Value words, CallMethod(Value(value.ToString()), "split", {}, budget));
  return LengthFilter(words, {}, budget);
}

const std::unordered_map<std::string_view, Filter>& Filters() {
  static const std::unordered_map<std::string_view, Filter> filters = {
      {"abs", AbsFilter},
      {"attr", AttrFilter},
      {"batch", BatchFilter},
      {"capitalize", StringMethod<kCapitalize>},
      {"count", LengthFilter},
      {"d", DefaultFilter},
      {"default", DefaultFilter},
      {"dictsort", DictSortFilter},
      {"e", EscapeFilter},
      {"escape", EscapeFilter},
      {"first", FirstFilter},
      {"float", FloatFilter},
      {"format", FormatFilter},
      {"indent", IndentFilter},
      {"int", IntFilter},
      {"items", ItemsFilter},
      {"join", JoinFilter},
      {"last", LastFilter},
      {"length", LengthFilter},
      {"list", ToListFilter},
      {"lower", StringMethod<kLower>},
      {"map", MapFilter},
      {"max", MaxFilter},
      {"min", MinFilter},
      {"reject", ChooseFilter<false, false>},
      {"rejectattr", ChooseFilter<false, true>},
      {"replace", StringMethod<kReplace>},
      {"reverse", ReverseFilter},
      {"round", RoundFilter},
      {"safe", SafeFilter},
      {"select", ChooseFilter<true, false>},
      {"selectattr", ChooseFilter<true, true>},
      {"sort", SortFilter},
      {"string", ToStringFilter},
      {"sum", SumFilter},
      {"title", StringMethod<kTitle>},
      {"tojson", ToJsonFilter},
      {"trim", StringMethod<kStrip>},
      {"unique", UniqueFilter},
      {"upper", StringMethod<kUpper>},
      {"wordcount", WordCountFilter},
  };
  return filters;
}

// --- Tests
Result<const Value*> Operand(const Arguments& arguments) {
  const Value* other = arguments.Find(0, "other");
  if (other == nullptr) return TypeError("test needs an argument");
  return other;
}

template <bool (*kPredicate)(const Value&)>
Result<bool> Is(const Value& value, const Arguments&, Budget&) {
  return kPredicate(value);
}
bool IsMapping(const Value& v) { return v.dict() != nullptr; }
bool IsIterable(const Value& v) { return v.is_undefined() || v.string() || v.list() || v.dict(); }
bool IsSequence(const Value& v) {
  return IsIterable(v) && (v.list() == nullptr || v.list()->kind != ListKind::kGenerator);
}
bool IsString(const Value& v) { return v.string() != nullptr; }
bool IsNumber(const Value& v) { return v.is_number(); }
bool IsInteger(const Value& v) { return v.is_int(); }
bool IsFloat(const Value& v) { return v.is_float(); }
bool IsBoolean(const Value& v) { return v.is_bool(); }
bool IsNone(const Value& v) { return v.is_none(); }
bool IsDefined(const Value& v) { return !v.is_undefined(); }
bool IsUndefined(const Value& v) { return v.is_undefined(); }
bool IsTrue(const Value& v) { return v.is_bool() && v.as_int() == 1; }
bool IsFalse(const Value& v) { return v.is_bool() && v.as_int() == 0; }
bool IsCallable(const Value& v) { return v.callable() != nullptr; }
bool IsLowerText(const Value& v) {
  Budget budget;
  const auto result = CallMethod(Value(v.ToString()), "islower", {}, budget);
  return result && result->Truthy();
}
bool IsUpperText(const Value& v) {
  Budget budget;
  const auto result = CallMethod(Value(v.ToString()), "isupper", {}, budget);
  return result && result->Truthy();
}

Result<bool> EqualTest(const Value& value, const Arguments& arguments, Budget&) {
  VADE_TRY(const Value* other, Operand(arguments));
  return Equal(value, *other);
}
Result<bool> NotEqualTest(const Value& value, const Arguments& arguments, Budget&) {
  VADE_TRY(const Value* other, Operand(arguments));
  return !Equal(value, *other);
}
template <int kSign, bool kOrEqual>
Result<bool> OrderTest(const Value& value, const Arguments& arguments, Budget&) {
  VADE_TRY(const Value* other, Operand(arguments));
  VADE_TRY(const int order, Compare(value, *other));
  return kSign * order > 0 || (kOrEqual && order == 0);
}
Result<bool> InTest(const Value& value, const Arguments& arguments, Budget& budget) {
  VADE_TRY(const Value* container, Operand(arguments));
  VADE_CHECK_OK(budget.Spend(1));
  return Contains(*container, value);
}
template <bool kOdd>
Result<bool> ParityTest(const Value& value, const Arguments&, Budget&) {
  if (!value.is_int()) return TypeError("odd/even: expected int");
  return (value.as_int() % 2 != 0) == kOdd;
}
Result<bool> DivisibleTest(const Value& value, const Arguments& arguments, Budget&) {
  VADE_TRY(const Value* other, Operand(arguments));
  if (!value.is_int() || !other->is_int()) return TypeError("divisibleby: expected ints");
  if (other->as_int() == 0) return TypeError("integer modulo by zero");
  return other->as_int() == -1 || value.as_int() % other->as_int() == 0;
}

const std::unordered_map<std::string_view, Test>& Tests() {
  static const std::unordered_map<std::string_view, Test> tests = {
      {"boolean", Is<IsBoolean>},
      {"callable", Is<IsCallable>},
      {"defined", Is<IsDefined>},
      {"divisibleby", DivisibleTest},
      {"eq", EqualTest},
      {"equalto", EqualTest},
      {"even", ParityTest<false>},
      {"false", Is<IsFalse>},
      {"float", Is<IsFloat>},
      {"ge", OrderTest<1, true>},
      {"greaterthan", OrderTest<1, false>},
      {"gt", OrderTest<1, false>},
      {"in", InTest},
      {"integer", Is<IsInteger>},
      {"iterable", Is<IsIterable>},
      {"le", OrderTest<-1, true>},
      {"lessthan", OrderTest<-1, false>},
      {"lower", Is<IsLowerText>},
      {"lt", OrderTest<-1, false>},
      {"mapping", Is<IsMapping>},
      {"ne", NotEqualTest},
      {"none", Is<IsNone>},
      {"number", Is<IsNumber>},
      {"odd", ParityTest<true>},
      {"sameas", EqualTest},
      {"sequence", Is<IsSequence>},
      {"string", Is<IsString>},
      {"true", Is<IsTrue>},
      {"undefined", Is<IsUndefined>},
      {"upper", Is<IsUpperText>},
  };
  return tests;
}

}  // namespace

Result<Value> ApplyFilter(std::string_view name, const Value& value, const Arguments& arguments,
                          Budget& budget) {
  const auto found = Filters().find(name);
  if (found == Filters().end()) {
    return TypeError("No filter named '" + utf8::Escape(name) + "'.");
  }
  return found->second(value, arguments, budget);
}

Result<bool> ApplyTest(std::string_view name, const Value& value, const Arguments& arguments,
                       Budget& budget) {
  const auto found = Tests().find(name);
  if (found == Tests().end()) return TypeError("No test named '" + utf8::Escape(name) + "'.");
  return found->second(value, arguments, budget);
}

}  // namespace vade::tokenizer::jinja
