// A file being downloaded: its bytes, which pieces of them are there, and the rename at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade::remote {

/// Write may be called from several threads for different bytes, the rest from one at a time.
class PartFile {
 public:
  /// Opens "out.part", alone: a second download of the same file is refused (kUnavailable).
  /// `identity` names the content; pieces of an earlier run count only if it and the sizes are the
  /// same. Errors: kIo, also when the disk has not enough room.
  [[nodiscard]] static Result<PartFile> Open(const std::filesystem::path& out,
                                             const std::string& identity, uint64_t size_bytes,
                                             uint64_t piece_bytes);

  [[nodiscard]] size_t num_pieces() const noexcept { return done_.size(); }
  [[nodiscard]] bool IsDone(size_t piece) const noexcept { return done_[piece] == '1'; }
  [[nodiscard]] uint64_t BeginOf(size_t piece) const noexcept { return piece * piece_bytes_; }
  [[nodiscard]] uint64_t EndOf(size_t piece) const noexcept;
  [[nodiscard]] uint64_t bytes_done() const noexcept;

  [[nodiscard]] Result<void> Write(uint64_t at, std::span<const std::byte> bytes);
  /// Remembers the piece beyond this run. REQUIRES all of it was written.
  [[nodiscard]] Result<void> MarkDone(size_t piece);
  /// Forgets all pieces.
  void StartAgain();

  /// The whole file's SHA-256, and its first bytes in `beginning`.
  [[nodiscard]] Result<std::string> Hash(std::string& beginning) const;
  /// Gives the file its name. Call once.
  [[nodiscard]] Result<void> Commit(bool replace);
  /// Removes all that was downloaded.
  void Discard();

 private:
  PartFile(std::filesystem::path out, UniqueFd fd, std::string identity, uint64_t size_bytes,
           uint64_t piece_bytes);
  void LoadState();
  Result<void> SaveState() const;
  [[nodiscard]] std::string part_path() const { return out_.native() + ".part"; }
  [[nodiscard]] std::string state_path() const { return out_.native() + ".part.state"; }

  std::filesystem::path out_;
  UniqueFd fd_;
  std::string identity_;
  uint64_t size_bytes_;
  uint64_t piece_bytes_;
  std::string done_;  // a '0' or '1' for each piece
};

}  // namespace vade::remote
