// A bounds-checked reading position in untrusted bytes; every error names file, field and offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::gguf {

class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::string_view file_name)
      : bytes_(bytes), file_name_(file_name) {}

  [[nodiscard]] uint64_t offset() const noexcept { return at_; }
  [[nodiscard]] uint64_t remaining() const noexcept { return bytes_.size() - at_; }

  /// A little-endian number. `field` names it in the error "truncated at N".
  template <typename T>
  [[nodiscard]] Result<T> Read(std::string_view field) {
    if (remaining() < sizeof(T)) return Truncated(field, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  /// A view of the next `size` bytes.
  [[nodiscard]] Result<std::span<const std::byte>> ReadBytes(uint64_t size, std::string_view field);

  /// A view of what was read between two offsets. REQUIRES begin <= end <= offset().
  [[nodiscard]] std::span<const std::byte> Between(uint64_t begin, uint64_t end) const {
    return bytes_.subspan(begin, end - begin);
  }

  /// u64 length and that many bytes; refused above max_bytes before anything else.
  [[nodiscard]] Result<std::string_view> ReadString(uint64_t max_bytes, std::string_view field);

  /// "file: byte N: field: reason".
  [[nodiscard]] tl::unexpected<Error> Reject(ErrorCode code, uint64_t at, std::string_view field,
                                             const std::string& reason) const;

 private:
  [[nodiscard]] tl::unexpected<Error> Truncated(std::string_view field, uint64_t wanted) const;

  std::span<const std::byte> bytes_;
  std::string_view file_name_;
  uint64_t at_ = 0;
};

}  // namespace vade::gguf
