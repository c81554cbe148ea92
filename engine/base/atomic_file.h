// Writing a file that appears whole or not at all: "path.part", fsync, rename.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade {

/// Single-thread. Without a successful Commit the destructor removes the part file and `path` is
/// untouched.
class AtomicFile {
 public:
  /// With replace false an existing `path` is refused here and again by Commit (kInvalidArgument).
  [[nodiscard]] static Result<AtomicFile> Create(const std::filesystem::path& path,
                                                 bool replace = true);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  [[nodiscard]] Result<void> Write(std::span<const std::byte> bytes);
  [[nodiscard]] Result<void> Write(std::string_view text) {
    return Write(std::as_bytes(std::span(text)));
  }
  [[nodiscard]] uint64_t bytes_written() const noexcept { return bytes_written_; }

  /// fsync of file and folder, and rename. Call once.
  [[nodiscard]] Result<void> Commit();

 private:
  AtomicFile(std::filesystem::path path, std::string part, UniqueFd fd, bool replace)
      : path_(std::move(path)), part_(std::move(part)), fd_(std::move(fd)), replace_(replace) {}

  std::filesystem::path path_;
  std::string part_;  // empty once committed or moved from
  UniqueFd fd_;
  bool replace_;
  uint64_t bytes_written_ = 0;
};

}  // namespace vade
