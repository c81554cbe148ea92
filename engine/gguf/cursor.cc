// The checks of every read, and their messages.
#include "engine/gguf/cursor.h"

#include "engine/base/utf8.h"

namespace vade::gguf {

Result<std::span<const std::byte>> Cursor::ReadBytes(uint64_t size, std::string_view field) {
  if (remaining() < size) return Truncated(field, size);
  const auto view = bytes_.subspan(at_, size);
  at_ += size;
  return view;
}

Result<std::string_view> Cursor::ReadString(uint64_t max_bytes, std::string_view field) {
  const uint64_t start = at_;
  VADE_TRY(const uint64_t length, Read<uint64_t>(field));
  if (length > max_bytes) {
    return Reject(ErrorCode::kCorruptData, start, field,
                  "length " + std::to_string(length) + ", limit " + std::to_string(max_bytes));
  }
  VADE_TRY(const auto view, ReadBytes(length, field));
  return std::string_view(reinterpret_cast<const char*>(view.data()), view.size());
}

tl::unexpected<Error> Cursor::Reject(ErrorCode code, uint64_t at, std::string_view field,
                                     const std::string& reason) const {
  // Fields may carry names out of the file: shown escaped and cut.
  return Fail(code, std::string(file_name_) + ": byte " + std::to_string(at) + ": " +
                        utf8::Escape(field.substr(0, utf8::FloorBoundary(field, 160))) + ": " +
                        reason);
}

tl::unexpected<Error> Cursor::Truncated(std::string_view field, uint64_t wanted) const {
  return Reject(ErrorCode::kCorruptData, at_, field,
                "truncated at " + std::to_string(bytes_.size()) + ": needs " +
                    std::to_string(wanted) + " bytes, " + std::to_string(remaining()) + " left");
}

}  // namespace vade::gguf
