// One metadata value of a GGUF file: a view of its validated bytes, with typed access.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vade::gguf {

enum class ValueType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

/// "u32", "string" ...; "?" for an unknown id.
[[nodiscard]] std::string_view NameOf(ValueType type) noexcept;

/// Bytes of one scalar; 0 for strings, arrays and unknown types.
[[nodiscard]] size_t ScalarBytes(ValueType type) noexcept;

/// The ValueType that stores a C++ type.
template <typename T>
inline constexpr ValueType kTypeOf = ValueType::kArray;
template <>
inline constexpr ValueType kTypeOf<uint8_t> = ValueType::kUint8;
template <>
inline constexpr ValueType kTypeOf<int8_t> = ValueType::kInt8;
template <>
inline constexpr ValueType kTypeOf<uint16_t> = ValueType::kUint16;
template <>
inline constexpr ValueType kTypeOf<int16_t> = ValueType::kInt16;
template <>
inline constexpr ValueType kTypeOf<uint32_t> = ValueType::kUint32;
template <>
inline constexpr ValueType kTypeOf<int32_t> = ValueType::kInt32;
template <>
inline constexpr ValueType kTypeOf<float> = ValueType::kFloat32;
template <>
inline constexpr ValueType kTypeOf<bool> = ValueType::kBool;
template <>
inline constexpr ValueType kTypeOf<std::string_view> = ValueType::kString;
template <>
inline constexpr ValueType kTypeOf<uint64_t> = ValueType::kUint64;
template <>
inline constexpr ValueType kTypeOf<int64_t> = ValueType::kInt64;
template <>
inline constexpr ValueType kTypeOf<double> = ValueType::kFloat64;

/// Views the file it came from; valid as long as that. Only the parser makes one.
class Value {
 public:
  /// `payload` is what follows the type id in the file; validated against type and count.
  Value(ValueType type, ValueType element_type, uint64_t count, std::span<const std::byte> payload,
        std::vector<std::string_view> strings)
      : type_(type),
        element_type_(element_type),
        count_(count),
        payload_(payload),
        strings_(std::move(strings)) {}

  [[nodiscard]] ValueType type() const noexcept { return type_; }
  [[nodiscard]] bool is_array() const noexcept { return type_ == ValueType::kArray; }
  [[nodiscard]] ValueType element_type() const noexcept { return element_type_; }  // arrays only
  [[nodiscard]] uint64_t count() const noexcept { return count_; }                 // 1 for a scalar
  [[nodiscard]] std::span<const std::byte> payload() const noexcept { return payload_; }

  /// The scalar, if it is exactly of this type. Strings: std::string_view.
  template <typename T>
  [[nodiscard]] std::optional<T> As() const noexcept {
    if (type_ != kTypeOf<T>) return std::nullopt;
    if constexpr (std::is_same_v<T, std::string_view>) {
      return strings_.front();
    } else {
      return Load<T>(payload_.data());
    }
  }

  /// A copy of the array, if its elements are exactly of this type.
  template <typename T>
  [[nodiscard]] std::optional<std::vector<T>> AsArray() const {
    if (!is_array() || element_type_ != kTypeOf<T>) return std::nullopt;
    if constexpr (std::is_same_v<T, std::string_view>) {
      return strings_;
    } else {
      std::vector<T> out(count_);
      const std::byte* at = payload_.data() + kArrayHeaderBytes;
      for (uint64_t i = 0; i < count_; ++i) out[i] = Load<T>(at + i * sizeof(T));
      return out;
    }
  }

  /// "u32", "array of string": for messages.
  [[nodiscard]] std::string TypeName() const;

  /// For people: the scalar, or the first elements of an array; control characters escaped and
  /// long text cut at max_chars bytes (on a code point boundary, with "...").
  [[nodiscard]] std::string ToDisplay(size_t max_chars) const;

  static constexpr size_t kArrayHeaderBytes = 12;  // element type u32, count u64

 private:
  template <typename T>
  [[nodiscard]] static T Load(const std::byte* from) noexcept {
    if constexpr (std::is_same_v<T, bool>) {
      return *from != std::byte{0};
    } else {
      T out;
      std::memcpy(&out, from, sizeof out);
      return out;
    }
  }
  [[nodiscard]] std::string ElementToDisplay(uint64_t index, size_t max_chars) const;

  ValueType type_;
  ValueType element_type_;
  uint64_t count_;
  std::span<const std::byte> payload_;
  std::vector<std::string_view> strings_;  // the string, or the elements of a string array
};

struct KeyValue {
  std::string_view key;
  Value value;
  uint64_t offset = 0;  // of the key, in its file
};

}  // namespace vade::gguf
