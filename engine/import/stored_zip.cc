// The directory at the end, then each entry's own header, each number checked against the file.
#include "engine/import/stored_zip.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/base/utf8.h"
#include "engine/gguf/cursor.h"

namespace vade::import {
namespace {

using gguf::Cursor;

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryEntry = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kEnd64Locator = 0x07064b50;
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64LocatorBytes = 20;
constexpr size_t kDirectoryEntryBytes = 46;
constexpr size_t kMaxComment = 65535;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // the number is in the 64-bit record
constexpr uint16_t kZip64Field = 1;

template <typename T>
T Load(std::span<const std::byte> bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

struct Directory {
  uint64_t num_entries = 0;
  uint64_t offset = 0;
};

// The last end record that ends with the file.
std::optional<size_t> FindEnd(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndBytes) return std::nullopt;
  const size_t last = bytes.size() - kEndBytes;
  const size_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (size_t at = last + 1; at-- > first;) {
    if (Load<uint32_t>(bytes, at) != kEnd) continue;
    if (at + kEndBytes + Load<uint16_t>(bytes, at + 20) == bytes.size()) return at;
  }
  return std::nullopt;
}

Result<Directory> FindDirectory(std::span<const std::byte> bytes, const std::string& name) {
  const std::optional<size_t> end = FindEnd(bytes);
  if (!end)
    return Fail(ErrorCode::kCorruptData, name + ": zip directory missing (truncated file?)");
  Directory out{Load<uint16_t>(bytes, *end + 10), Load<uint32_t>(bytes, *end + 16)};
  if (Load<uint16_t>(bytes, *end + 4) != 0) {
    return Fail(ErrorCode::kUnsupported, name + ": a zip container of several volumes");
  }
  if (*end < kEnd64LocatorBytes) return out;
  const size_t locator = *end - kEnd64LocatorBytes;
  if (Load<uint32_t>(bytes, locator) != kEnd64Locator) return out;
  const uint64_t at = Load<uint64_t>(bytes, locator + 8);
  if (at > locator || locator - at < 56 || Load<uint32_t>(bytes, at) != kEnd64) {
    return Fail(ErrorCode::kCorruptData,
                name + ": 64-bit zip directory at byte " + std::to_string(at) + ": not there");
  }
  return Directory{Load<uint64_t>(bytes, at + 32), Load<uint64_t>(bytes, at + 48)};
}

struct Entry {
  std::string_view name;
  uint64_t size = 0;
  uint64_t packed_size = 0;
  uint64_t header_offset = 0;
};

// Numbers too large for their fields, in this order, in an extra field.
Result<void> ReadZip64(std::span<const std::byte> extra, std::string_view file, Entry& entry) {
  Cursor in(extra, file);
  while (in.remaining() >= 4) {
    VADE_TRY(const uint16_t id, in.Read<uint16_t>("extra field"));
    VADE_TRY(const uint16_t size, in.Read<uint16_t>("extra field"));
    VADE_TRY(const auto field, in.ReadBytes(size, "extra field"));
    if (id != kZip64Field) continue;
    Cursor numbers(field, file);
    for (uint64_t* number : {&entry.size, &entry.packed_size, &entry.header_offset}) {
      if (*number != kIn64) continue;
      VADE_TRY(*number, numbers.Read<uint64_t>("64-bit size"));
    }
  }
  return {};
}

Result<Entry> ReadEntry(Cursor& in, std::string_view file) {
  const uint64_t at = in.offset();
  VADE_TRY(const auto head, in.ReadBytes(kDirectoryEntryBytes, "zip directory"));
  if (Load<uint32_t>(head, 0) != kDirectoryEntry) {
    return in.Reject(ErrorCode::kCorruptData, at, "zip directory", "not an entry");
  }
  const auto flags = Load<uint16_t>(head, 8);
  const auto method = Load<uint16_t>(head, 10);
  Entry entry{{}, Load<uint32_t>(head, 24), Load<uint32_t>(head, 20), Load<uint32_t>(head, 42)};
  VADE_TRY(const auto name, in.ReadBytes(Load<uint16_t>(head, 28), "zip entry name"));
  entry.name = {reinterpret_cast<const char*>(name.data()), name.size()};
  VADE_TRY(const auto extra, in.ReadBytes(Load<uint16_t>(head, 30), "zip extra field"));
  VADE_TRY(const auto comment, in.ReadBytes(Load<uint16_t>(head, 32), "zip comment"));
  (void)comment;
  VADE_CHECK_OK(ReadZip64(extra, file, entry));
  if (method != 0 || (flags & 1) != 0 || entry.size != entry.packed_size) {
    return in.Reject(ErrorCode::kUnsupported, at, "zip entry " + utf8::Escape(entry.name),
                     "compressed or encrypted, want stored");
  }
  return entry;
}

Result<std::span<const std::byte>> DataOf(std::span<const std::byte> bytes, const Entry& entry,
                                          const std::string& name) {
  constexpr size_t kHeaderBytes = 30;
  const auto bad = [&](const char* reason) {
    return Fail(ErrorCode::kCorruptData,
                name + ": zip entry " + utf8::Escape(entry.name) + ": " + reason);
  };
  if (entry.header_offset > bytes.size() || bytes.size() - entry.header_offset < kHeaderBytes) {
    return bad("begins outside the file");
  }
  const auto header = bytes.subspan(entry.header_offset);
  if (Load<uint32_t>(header, 0) != kLocalHeader) return bad("no header where it should begin");
  const size_t skip = kHeaderBytes + Load<uint16_t>(header, 26) + Load<uint16_t>(header, 28);
  if (skip > header.size() || header.size() - skip < entry.size) {
    return bad("ends outside the file");
  }
  return header.subspan(skip, entry.size);
}

}  // namespace

bool StoredZip::LooksLike(std::span<const std::byte> bytes) noexcept {
  return bytes.size() >= 4 && Load<uint32_t>(bytes, 0) == kLocalHeader;
}

Result<StoredZip> StoredZip::Parse(std::span<const std::byte> bytes, const std::string& name) {
  VADE_TRY(const Directory directory, FindDirectory(bytes, name));
  if (directory.offset > bytes.size() ||
      directory.num_entries > (bytes.size() - directory.offset) / kDirectoryEntryBytes) {
    return Fail(ErrorCode::kCorruptData, name + ": zip directory of " +
                                             std::to_string(directory.num_entries) +
                                             " entries does not fit the file");
  }
  Cursor in(bytes.subspan(directory.offset), name);
  StoredZip out;
  for (uint64_t i = 0; i < directory.num_entries; ++i) {
    VADE_TRY(const Entry entry, ReadEntry(in, name));
    VADE_TRY(const auto data, DataOf(bytes, entry, name));
    if (out.entries_.try_emplace(std::string(entry.name), data).second) continue;
    return Fail(ErrorCode::kCorruptData,
                name + ": zip entry " + utf8::Escape(entry.name) + ": there twice");
  }
  return out;
}

}  // namespace vade::import
