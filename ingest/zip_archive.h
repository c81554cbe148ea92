// Reads members of an untrusted zip archive held in memory. Never writes to disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

struct zip;

namespace vade::ingest {

/// Single-thread. `bytes` must outlive the archive.
class ZipArchive {
 public:
  /// Errors: kCorruptData for a broken directory, a member named twice (readers disagree about
  /// which one counts) or more than kMaxEntries members.
  [[nodiscard]] static Result<ZipArchive> Open(std::string_view bytes);

  [[nodiscard]] bool Contains(const std::string& name) const;
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  /// Inflates one member, counting the bytes that really come out: sizes in the directory lie.
  /// Errors: kNotFound; kUnsupported "password protected"; kCorruptData; kResource "zip bomb" when
  /// the archive gives more than kMaxRatio times its size (beyond 1 MiB) or kMaxInflatedBytes.
  [[nodiscard]] Result<std::string> Read(const std::string& name);

  static constexpr uint64_t kMaxEntries = 10'000;
  static constexpr uint64_t kMaxRatio = 100;
  static constexpr uint64_t kFreeBytes = 1
                                         << 20;  // small members may compress as well as they like
  static constexpr uint64_t kMaxInflatedBytes = uint64_t{512} << 20;  // of all members read

 private:
  struct Close {
    void operator()(zip* archive) const noexcept;
  };
  ZipArchive(std::unique_ptr<zip, Close> archive, uint64_t archive_bytes)
      : archive_(std::move(archive)), archive_bytes_(archive_bytes) {}
  Result<void> ReadNames();

  std::unique_ptr<zip, Close> archive_;
  std::vector<std::string> names_;  // sorted
  uint64_t archive_bytes_;
  uint64_t inflated_bytes_ = 0;
};

}  // namespace vade::ingest
