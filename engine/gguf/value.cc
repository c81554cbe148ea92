// Type facts and display for people.
#include "engine/gguf/value.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/base/utf8.h"

namespace vade::gguf {
namespace {

struct TypeFacts {
  std::string_view name;
  size_t bytes;
};

constexpr std::array<TypeFacts, 13> kTypes = {{{"u8", 1},
                                               {"i8", 1},
                                               {"u16", 2},
                                               {"i16", 2},
                                               {"u32", 4},
                                               {"i32", 4},
                                               {"f32", 4},
                                               {"bool", 1},
                                               {"string", 0},
                                               {"array", 0},
                                               {"u64", 8},
                                               {"i64", 8},
                                               {"f64", 8}}};

std::string FormatReal(double value) {
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.9g", value);
  return buffer;
}

}  // namespace

std::string_view NameOf(ValueType type) noexcept {
  const auto id = static_cast<uint32_t>(type);
  return id < kTypes.size() ? kTypes[id].name : "?";
}

size_t ScalarBytes(ValueType type) noexcept {
  const auto id = static_cast<uint32_t>(type);
  return id < kTypes.size() ? kTypes[id].bytes : 0;
}

std::string Value::TypeName() const {
  if (!is_array()) return std::string(NameOf(type_));
  return "array of " + std::string(NameOf(element_type_));
}

std::string Value::ElementToDisplay(uint64_t index, size_t max_chars) const {
  const ValueType type = is_array() ? element_type_ : type_;
  if (type == ValueType::kString) {
    const std::string_view text = strings_[index];
    const std::string shown = utf8::Escape(text.substr(0, utf8::FloorBoundary(text, max_chars)));
    return shown.size() < text.size() && text.size() > max_chars ? shown + "..." : shown;
  }
  const std::byte* at =
      payload_.data() + (is_array() ? kArrayHeaderBytes : 0) + index * ScalarBytes(type);
  switch (type) {
    case ValueType::kUint8:
      return std::to_string(Load<uint8_t>(at));
    case ValueType::kInt8:
      return std::to_string(Load<int8_t>(at));
    case ValueType::kUint16:
      return std::to_string(Load<uint16_t>(at));
    case ValueType::kInt16:
      return std::to_string(Load<int16_t>(at));
    case ValueType::kUint32:
      return std::to_string(Load<uint32_t>(at));
    case ValueType::kInt32:
      return std::to_string(Load<int32_t>(at));
    case ValueType::kUint64:
      return std::to_string(Load<uint64_t>(at));
    case ValueType::kInt64:
      return std::to_string(Load<int64_t>(at));
    case ValueType::kFloat32:
      return FormatReal(static_cast<double>(Load<float>(at)));
    case ValueType::kFloat64:
      return FormatReal(Load<double>(at));
    case ValueType::kBool:
      return Load<bool>(at) ? "true" : "false";
    case ValueType::kString:
    case ValueType::kArray:
      break;
  }
  return "?";
}

std::string Value::ToDisplay(size_t max_chars) const {
  if (!is_array()) return ElementToDisplay(0, max_chars);
  std::string out = "[";
  for (uint64_t i = 0; i < count_; ++i) {
    if (out.size() >= max_chars) return out + ", ... " + std::to_string(count_) + " in all]";
    if (i > 0) out += ", ";
    out += ElementToDisplay(i, max_chars);
  }
  return out + "]";
}

}  // namespace vade::gguf
