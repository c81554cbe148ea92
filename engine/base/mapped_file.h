// A read-only memory mapping of one regular file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "engine/base/result.h"

namespace vade {

/// Movable, const-safe. Pages are private: a later write by another process may or may not show;
/// callers that must survive truncation copy what they need (faults.md 17).
class MappedFile {
 public:
  [[nodiscard]] static Result<MappedFile> Open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

  /// Gives the memory of the whole pages inside `part` back; reading them again brings them back
  /// from the file. Ignores what lies outside the mapping.
  void Release(std::span<const std::byte> part) const noexcept;

 private:
  MappedFile(const std::byte* data, size_t size) noexcept : data_(data), size_(size) {}

  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace vade
