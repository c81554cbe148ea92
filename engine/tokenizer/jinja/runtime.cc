#include "engine/tokenizer/jinja/runtime.h"

#include <algorithm>
#include <cstdio>

#include "engine/base/utf8.h"

namespace vade::tokenizer::jinja {
namespace {

constexpr uint32_t kMaxValueDepth = 128;
constexpr uint64_t kMaxValueWeight = uint64_t{64} << 20;

Result<Value> CheckSize(Value value) {
  if (value.depth() > kMaxValueDepth) return Fail(ErrorCode::kResource, "value nested too deeply");
  if (value.weight() > kMaxValueWeight) return Fail(ErrorCode::kResource, "value too large");
  return value;
}

std::string TypeNameInMessages(const Value& value) {
  return value.is_none() ? "None" : std::string(value.TypeName()) + " object";
}

// The byte range of each code point of `text`.
std::vector<std::string_view> CodePoints(std::string_view text) {
  std::vector<std::string_view> points;
  for (size_t at = 0; at < text.size();) {
    const uint32_t length = utf8::Decode(text, at).length;
    points.push_back(text.substr(at, length));
    at += length;
  }
  return points;
}

// Python's index: negative counts from the end; nothing when outside.
bool NormaliseIndex(int64_t& index, size_t size) {
  const auto signed_size = static_cast<int64_t>(size);
  if (index < 0) index += signed_size;
  return index >= 0 && index < signed_size;
}

Value MissingAttribute(const Value& object, const std::string& name) {
  const std::string type = TypeNameInMessages(object);
  const std::string who = object.is_none() ? type : "'" + type + "'";
  return Value::MakeUndefined(who + " has no attribute '" + name + "'");
}

// Methods that change their object: the sandbox of transformers refuses them.
bool ChangesObject(const Value& object, std::string_view name) {
  static constexpr std::string_view kList[] = {"append", "reverse", "insert", "sort",
                                               "extend", "remove",  "pop",    "clear"};
  static constexpr std::string_view kDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
  if (const auto* list = object.list(); list != nullptr && list->kind == ListKind::kList) {
    return std::find(std::begin(kList), std::end(kList), name) != std::end(kList);
  }
  return object.dict() != nullptr &&
         std::find(std::begin(kDict), std::end(kDict), name) != std::end(kDict);
}

}  // namespace

Result<void> Budget::Spend(uint64_t n) {
  if (n > steps) {
    steps = 0;
    return Fail(ErrorCode::kResource, "template runs too long");
  }
  steps -= n;
  return {};
}

Result<void> Budget::Allocate(uint64_t n) {
  if (n > bytes) {
    bytes = 0;
    return Fail(ErrorCode::kResource, "template needs too much memory");
  }
  bytes -= n;
  return {};
}

Result<Value> MakeList(std::vector<Value> items, Budget& budget, ListKind kind) {
  VADE_CHECK_OK(budget.Allocate(items.size() * sizeof(Value)));
  return CheckSize(Value(List{std::move(items), kind}));
}

Result<Value> MakeDict(Dict dict, Budget& budget) {
  VADE_CHECK_OK(budget.Allocate(dict.entries.size() * 2 * sizeof(Value)));
  return CheckSize(Value(std::move(dict)));
}

Result<Value> MakeString(std::string text, Budget& budget) {
  VADE_CHECK_OK(budget.Allocate(text.size()));
  return Value(std::move(text));
}

Result<std::vector<Value>> Iterate(const Value& value, Budget& budget) {
  std::vector<Value> items;
  if (const auto* list = value.list()) {
    items = list->items;
  } else if (const auto* dict = value.dict()) {
    for (const auto& [key, item] : dict->entries) items.emplace_back(key);
  } else if (const auto* text = value.string()) {
    VADE_CHECK_OK(budget.Allocate(text->size() * sizeof(Value)));
    for (const std::string_view point : CodePoints(*text)) items.emplace_back(point);
  } else if (!value.is_undefined()) {
    return TypeError("'" + std::string(value.TypeName()) + "' object is not iterable");
  }
  VADE_CHECK_OK(budget.Spend(items.size()));
  return items;
}

Result<int64_t> Length(const Value& value) {
  if (value.is_undefined()) return 0;
  if (const auto* text = value.string()) {
    return static_cast<int64_t>(utf8::CountCodePoints(*text));
  }
  if (const auto* list = value.list(); list != nullptr && list->kind != ListKind::kGenerator) {
    return static_cast<int64_t>(list->items.size());
  }
  if (const auto* dict = value.dict()) return static_cast<int64_t>(dict->entries.size());
  return TypeError("object of type '" + std::string(value.TypeName()) + "' has no len()");
}

Result<Value> GetAttribute(const Value& object, const std::string& name, Budget& budget) {
  if (object.is_undefined()) return TypeError(object.undefined_what());
  if (ChangesObject(object, name)) {
    return Value::MakeUndefined("access to attribute '" + name + "' of '" +
                                std::string(object.TypeName()) + "' object is unsafe.");
  }
  if (HasMethod(object, name)) {
    return Value(std::make_shared<const Callable>(
        Callable{name, [object, name, &budget](const Arguments& arguments) {
                   return CallMethod(object, name, arguments, budget);
                 }}));
  }
  if (const auto* dict = object.dict()) {
    const Value* found = dict->Find(name);
    return found == nullptr ? MissingAttribute(object, name) : *found;
  }
  if (const auto* ns = object.ns()) {
    const auto found = ns->attributes.find(name);
    return found == ns->attributes.end() ? MissingAttribute(object, name) : found->second;
  }
  if (object.callable() != nullptr && name == "name") return Value(object.callable()->name);
  return MissingAttribute(object, name);
}

Result<Value> GetItem(const Value& object, const Value& key, Budget& budget) {
  if (object.is_undefined()) return TypeError(object.undefined_what());
  if (key.is_undefined()) return TypeError(key.undefined_what());
  if (key.is_int() || key.is_bool()) {
    int64_t index = key.as_int();
    if (const auto* list = object.list()) {
      if (NormaliseIndex(index, list->items.size())) {
        return list->items[static_cast<size_t>(index)];
      }
    } else if (const auto* text = object.string()) {
      VADE_CHECK_OK(budget.Spend(text->size()));
      const auto points = CodePoints(*text);
      if (NormaliseIndex(index, points.size())) return Value(points[static_cast<size_t>(index)]);
    }
    return Value::MakeUndefined(std::string(object.TypeName()) + " object has no element " +
                                std::to_string(key.as_int()));
  }
  const std::string* name = key.string();
  if (name == nullptr) {
    return Value::MakeUndefined(std::string(object.TypeName()) + " object has no element " +
                                key.Repr());
  }
  if (const auto* dict = object.dict()) {
    if (const Value* found = dict->Find(*name)) return *found;
  }
  return GetAttribute(object, *name, budget);
}

Result<Value> Slice(const Value& object, const Value& start, const Value& stop, const Value& step,
                    Budget& budget) {
  for (const Value* bound : {&start, &stop, &step}) {
    if (!bound->is_none() && !bound->is_int() && !bound->is_bool()) {
      return TypeError("slice indices must be integers or None");
    }
  }
  if (object.list() == nullptr && object.string() == nullptr) {
    return TypeError(object.is_undefined()
                         ? object.undefined_what()
                         : "'" + std::string(object.TypeName()) + "' object is not subscriptable");
  }
  VADE_TRY(const std::vector<Value> items, Iterate(object, budget));
  const auto size = static_cast<int64_t>(items.size());
  // A stride beyond the size takes one item whatever it is; clamped, it cannot overflow.
  const int64_t stride = step.is_none() ? 1 : std::clamp(step.as_int(), -(size + 1), size + 1);
  if (stride == 0) return TypeError("slice step cannot be zero");
  const int64_t low = stride > 0 ? 0 : -1;
  const int64_t high = stride > 0 ? size : size - 1;
  const auto bound = [&](const Value& value, int64_t fallback) {
    if (value.is_none()) return fallback;
    int64_t index = value.as_int();
    if (index < 0) index = index < -size ? low - size : index + size;
    return std::clamp(index, low, high);
  };
  const int64_t from = bound(start, stride > 0 ? low : high);
  const int64_t to = bound(stop, stride > 0 ? high : low);
  std::vector<Value> taken;
  for (int64_t at = from; stride > 0 ? at < to : at > to; at += stride) {
    taken.push_back(items[static_cast<size_t>(at)]);
  }
  if (const auto* list = object.list()) return MakeList(std::move(taken), budget, list->kind);
  std::string text;
  for (const Value& point : taken) text += *point.string();
  return MakeString(std::move(text), budget);
}

Result<bool> Contains(const Value& container, const Value& item) {
  if (container.is_undefined()) return false;
  if (const auto* text = container.string()) {
    if (item.string() == nullptr) {
      return TypeError("'in <string>' requires string as left operand, not " +
                       std::string(item.TypeName()));
    }
    return text->find(*item.string()) != std::string::npos;
  }
  if (const auto* list = container.list()) {
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Value& value) { return Equal(value, item); });
  }
  if (const auto* dict = container.dict()) {
    return item.string() != nullptr && dict->Find(*item.string()) != nullptr;
  }
  return TypeError("argument of type '" + std::string(container.TypeName()) + "' is not iterable");
}

Result<Value> PercentFormat(const std::string& format, const std::vector<Value>& items,
                            Budget& budget) {
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    if (++i == format.size()) return TypeError("incomplete format");
    if (format[i] == '%') {
      out += '%';
      continue;
    }
    if (next == items.size()) return TypeError("not enough arguments for format string");
    const Value& item = items[next++];
    if (format[i] == 's') {
      out += item.ToString();
    } else if (format[i] == 'r') {
      out += item.Repr();
    } else if (format[i] == 'd' || format[i] == 'i' || format[i] == 'f') {
      if (!item.is_number()) return TypeError("%d format: a real number is required");
      char buffer[400];
      if (format[i] == 'f') {
        std::snprintf(buffer, sizeof buffer, "%f", item.as_double());
      } else {
        std::snprintf(buffer, sizeof buffer, "%.0f", item.as_double());
      }
      out += buffer;
    } else {
      return Fail(ErrorCode::kUnsupported,
                  "format '%" + utf8::Escape(format.substr(i, 1)) + "' is not supported");
    }
    VADE_CHECK_OK(budget.Spend(out.size() / 64 + 1));
  }
  if (next != items.size())
    return TypeError("not all arguments converted during string formatting");
  return MakeString(std::move(out), budget);
}

}  // namespace vade::tokenizer::jinja
