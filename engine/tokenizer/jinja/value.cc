#include "engine/tokenizer/jinja/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/utf8.h"

namespace vade::tokenizer::jinja {
namespace {

constexpr char kHex[] = "0123456789abcdef";

uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

// Python's repr of a float: the shortest digits that round-trip, fixed between 1e-4 and 1e16.
std::string FloatRepr(double d) {
  if (std::isnan(d)) return "nan";
  if (std::isinf(d)) return d > 0 ? "inf" : "-inf";
  char buffer[64];
  const double magnitude = std::fabs(d);
  const bool fixed = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, d,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific)
                       .ptr;
  std::string text(buffer, end);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string StringRepr(const std::string& s) {
  const bool has_single = s.find('\'') != std::string::npos;
  const char quote = has_single && s.find('"') == std::string::npos ? '"' : '\'';
  std::string out(1, quote);
  for (size_t at = 0; at < s.size();) {
    const auto c = utf8::Decode(s, at);
    if (c.value == static_cast<char32_t>(quote) || c.value == '\\') {
      out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value < 0x20 || (c.value >= 0x7F && c.value < 0xA1) || c.value == 0xAD) {
      out += "\\x";
      out += kHex[(c.value >> 4) & 0xF];
      out += kHex[c.value & 0xF];
    } else {
      out.append(s, at, c.length);
    }
    at += c.length;
  }
  return out + quote;
}

void AppendJsonString(const std::string& s, bool ensure_ascii, std::string& out) {
  const auto escape = [&](uint32_t unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 0xF];
  };
  out += '"';
  for (size_t at = 0; at < s.size();) {
    const auto c = utf8::Decode(s, at);
    switch (c.value) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (c.value < 0x20 || (ensure_ascii && c.value > 0x7E && c.value < 0x10000)) {
          escape(static_cast<uint32_t>(c.value));
        } else if (ensure_ascii && c.value >= 0x10000) {
          escape(0xD800 + ((static_cast<uint32_t>(c.value) - 0x10000) >> 10));
          escape(0xDC00 + ((static_cast<uint32_t>(c.value) - 0x10000) & 0x3FF));
        } else {
          out.append(s, at, c.length);
        }
    }
    at += c.length;
  }
  out += '"';
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  Result<void> Write(const Value& value, int level) {
    if (const auto* s = value.string()) {
      AppendJsonString(*s, style_.ensure_ascii, out);
    } else if (value.is_none()) {
      out += "null";
    } else if (value.is_bool()) {
      out += value.as_int() != 0 ? "true" : "false";
    } else if (value.is_int()) {
      out += std::to_string(value.as_int());
    } else if (value.is_float()) {
      const double d = value.as_double();
      out += std::isnan(d)   ? "NaN"
             : std::isinf(d) ? (d > 0 ? "Infinity" : "-Infinity")
                             : FloatRepr(d);
    } else if (const auto* list = value.list();
               list != nullptr && list->kind != ListKind::kGenerator) {
      return WriteItems('[', ']', list->items.size(), level,
                        [&](size_t i) { return Write(list->items[i], level + 1); });
    } else if (const auto* dict = value.dict()) {
      return WriteDict(*dict, level);
    } else {
      return Fail(ErrorCode::kInvalidArgument,
                  "Object of type " + std::string(value.TypeName()) + " is not JSON serializable");
    }
    return {};
  }

  std::string out;

 private:
  Result<void> WriteDict(const Dict& dict, int level) {
    std::vector<const std::pair<std::string, Value>*> entries;
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (style_.sort_keys) {
      std::sort(entries.begin(), entries.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    return WriteItems('{', '}', entries.size(), level, [&](size_t i) {
      AppendJsonString(entries[i]->first, style_.ensure_ascii, out);
      out += style_.key_separator;
      return Write(entries[i]->second, level + 1);
    });
  }

  template <typename WriteItem>
  Result<void> WriteItems(char open, char close, size_t count, int level, const WriteItem& item) {
    out += open;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) out += style_.item_separator;
      NewLine(level + 1);
      VADE_CHECK_OK(item(i));
    }
    if (count > 0) NewLine(level);
    out += close;
    return {};
  }

  void NewLine(int level) {
    if (style_.indent < 0) return;
    out += '\n';
    out.append(static_cast<size_t>(style_.indent) * static_cast<size_t>(level), ' ');
  }

  const JsonStyle& style_;
};

}  // namespace

Value::Value(List list) {
  for (const Value& item : list.items) {
    list.depth = std::max(list.depth, item.depth() + 1);
    list.weight = SaturatingAdd(list.weight, item.weight());
    list.holds_namespace |= item.HoldsNamespace();
  }
  data_ = std::make_shared<const List>(std::move(list));
}

Value::Value(Dict dict) {
  for (const auto& [key, item] : dict.entries) {
    dict.depth = std::max(dict.depth, item.depth() + 1);
    dict.weight = SaturatingAdd(dict.weight, key.size() + item.weight());
    dict.holds_namespace |= item.HoldsNamespace();
  }
  data_ = std::make_shared<const Dict>(std::move(dict));
}

int64_t Value::as_int() const {
  if (const bool* b = std::get_if<bool>(&data_)) return *b ? 1 : 0;
  return std::get<int64_t>(data_);
}

double Value::as_double() const {
  if (const double* d = std::get_if<double>(&data_)) return *d;
  return static_cast<double>(as_int());
}

bool Value::Truthy() const {
  if (is_undefined() || is_none()) return false;
  if (is_number()) return as_double() != 0;
  if (const auto* s = string()) return !s->empty();
  if (const auto* l = list()) return l->kind == ListKind::kGenerator || !l->items.empty();
  if (const auto* d = dict()) return !d->entries.empty();
  return true;
}

std::string_view Value::TypeName() const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "NoneType";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_float()) return "float";
  if (string() != nullptr) return "str";
  if (const auto* l = list()) {
    return l->kind == ListKind::kList    ? "list"
           : l->kind == ListKind::kTuple ? "tuple"
                                         : "generator";
  }
  if (dict() != nullptr) return "dict";
  return ns() != nullptr ? "Namespace" : "function";
}

std::string Value::ToString() const {
  if (is_undefined()) return "";
  if (const auto* s = string()) return *s;
  return Repr();
}

std::string Value::Repr() const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "None";
  if (is_bool()) return as_int() != 0 ? "True" : "False";
  if (is_int()) return std::to_string(as_int());
  if (is_float()) return FloatRepr(as_double());
  if (const auto* s = string()) return StringRepr(*s);
  if (const auto* l = list()) {
    if (l->kind == ListKind::kGenerator) return "<generator>";
    const bool is_tuple = l->kind == ListKind::kTuple;
    std::string out(1, is_tuple ? '(' : '[');
    for (size_t i = 0; i < l->items.size(); ++i) {
      if (i > 0) out += ", ";
      out += l->items[i].Repr();
    }
    if (is_tuple && l->items.size() == 1) out += ',';
    return out + (is_tuple ? ')' : ']');
  }
  if (const auto* d = dict()) {
    std::string out = "{";
    for (const auto& [key, item] : d->entries) {
      if (out.size() > 1) out += ", ";
      out += StringRepr(key) + ": " + item.Repr();
    }
    return out + "}";
  }
  return ns() != nullptr ? "<Namespace>" : "<function " + callable()->name + ">";
}

uint32_t Value::depth() const {
  if (const auto* l = list()) return l->depth;
  if (const auto* d = dict()) return d->depth;
  return 0;
}

uint64_t Value::weight() const {
  if (const auto* s = string()) return s->size() + 1;
  if (const auto* l = list()) return l->weight;
  if (const auto* d = dict()) return d->weight;
  return 1;
}

bool Value::HoldsNamespace() const {
  if (const auto* l = list()) return l->holds_namespace;
  if (const auto* d = dict()) return d->holds_namespace;
  return ns() != nullptr;
}

void Dict::Set(std::string key, Value value) {
  const auto [at, added] = index.try_emplace(key, entries.size());
  if (added) {
    entries.emplace_back(std::move(key), std::move(value));
  } else {
    entries[at->second].second = std::move(value);
  }
}

const Value* Dict::Find(const std::string& key) const {
  const auto at = index.find(key);
  return at == index.end() ? nullptr : &entries[at->second].second;
}

const Value* Arguments::Find(size_t at, std::string_view name) const {
  for (const auto& [key, value] : named) {
    if (key == name) return &value;
  }
  return at < positional.size() ? &positional[at] : nullptr;
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool Equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_float() || b.is_float()) return a.as_double() == b.as_double();
    return a.as_int() == b.as_int();
  }
  if (a.string() != nullptr && b.string() != nullptr) return *a.string() == *b.string();
  if (a.is_none() || a.is_undefined()) {
    return a.is_none() ? b.is_none() : b.is_undefined();
  }
  if (const List* x = a.list(); x != nullptr && b.list() != nullptr) {
    const List* y = b.list();
    return x->kind == y->kind &&
           std::equal(x->items.begin(), x->items.end(), y->items.begin(), y->items.end(), Equal);
  }
  if (const Dict* x = a.dict(); x != nullptr && b.dict() != nullptr) {
    if (x->entries.size() != b.dict()->entries.size()) return false;
    return std::all_of(x->entries.begin(), x->entries.end(), [&](const auto& entry) {
      const Value* other = b.dict()->Find(entry.first);
      return other != nullptr && Equal(entry.second, *other);
    });
  }
  if (a.ns() != nullptr) return a.ns() == b.ns();
  return a.callable() != nullptr && a.callable() == b.callable();
}

Result<int> Compare(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_float() || b.is_float()) {
      const double x = a.as_double(), y = b.as_double();
      return x < y ? -1 : (x > y ? 1 : 0);
    }
    return a.as_int() < b.as_int() ? -1 : (a.as_int() > b.as_int() ? 1 : 0);
  }
  if (a.string() != nullptr && b.string() != nullptr) return a.string()->compare(*b.string());
  if (a.list() != nullptr && b.list() != nullptr) {
    const auto &x = a.list()->items, &y = b.list()->items;
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (Equal(x[i], y[i])) continue;
      return Compare(x[i], y[i]);
    }
    return x.size() < y.size() ? -1 : (x.size() > y.size() ? 1 : 0);
  }
  for (const Value* v : {&a, &b}) {
    if (v->is_undefined()) {
      return Fail(ErrorCode::kInvalidArgument, v->undefined_what());
    }
  }
  return Fail(ErrorCode::kInvalidArgument, "'<' not supported between instances of '" +
                                               std::string(a.TypeName()) + "' and '" +
                                               std::string(b.TypeName()) + "'");
}

Result<std::string> ToJson(const Value& value, const JsonStyle& style) {
  JsonWriter writer(style);
  VADE_CHECK_OK(writer.Write(value, 0));
  return std::move(writer.out);
}

}  // namespace vade::tokenizer::jinja
