#include "engine/remote/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/memory_info.h"
#include "engine/base/sha256.h"
#include "engine/base/utf8.h"

namespace vade::remote {
namespace {

constexpr uint64_t kMaxStateBytes = uint64_t{16} << 20;
constexpr uint64_t kSpareBytes = uint64_t{64} << 20;  // left free for everything else
constexpr size_t kHashBytes = size_t{4} << 20;        // read at once

tl::unexpected<Error> DiskError(const std::string& path, int error_number) {
  Error error = ErrnoError(utf8::Escape(path), error_number);
  error.code = ErrorCode::kIo;
  return tl::unexpected(std::move(error));
}

Result<void> CheckRoom(const std::filesystem::path& folder, uint64_t wanted) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0) return {};  // then the disk says so when it is full
  const uint64_t free = uint64_t{info.f_bavail} * info.f_frsize;
  if (wanted == 0 || free >= wanted + kSpareBytes) return {};
  return Fail(ErrorCode::kIo, utf8::Escape(folder.native()) + ": needs " +
                                  FormatBytes(wanted + kSpareBytes) + ", have " +
                                  FormatBytes(free) + " free");
}

}  // namespace

PartFile::PartFile(std::filesystem::path out, UniqueFd fd, std::string identity,
                   uint64_t size_bytes, uint64_t piece_bytes)
    : out_(std::move(out)),
      fd_(std::move(fd)),
      identity_(std::move(identity)),
      size_bytes_(size_bytes),
      piece_bytes_(piece_bytes),
      done_((size_bytes + piece_bytes - 1) / piece_bytes, '0') {}

Result<PartFile> PartFile::Open(const std::filesystem::path& out, const std::string& identity,
                                uint64_t size_bytes, uint64_t piece_bytes) {
  const std::string part = out.native() + ".part";
  UniqueFd fd(open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd) return DiskError(part, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Fail(ErrorCode::kUnavailable,
                utf8::Escape(part) + ": another download of this file is running");
  }
  PartFile file(out, std::move(fd), identity, size_bytes, piece_bytes);
  file.LoadState();
  struct stat info {};
  if (fstat(file.fd_.get(), &info) != 0) return DiskError(part, errno);
  const uint64_t held = static_cast<uint64_t>(info.st_blocks) * 512;
  const auto folder = out.has_parent_path() ? out.parent_path() : std::filesystem::path(".");
  VADE_CHECK_OK(CheckRoom(folder, size_bytes - std::min(size_bytes, held)));
  if (ftruncate(file.fd_.get(), static_cast<off_t>(size_bytes)) != 0) return DiskError(part, errno);
  return file;
}

// Three lines: what it is, the content's identity and sizes, the pieces. Anything else counts as
// nothing done.
void PartFile::LoadState() {
  const auto text = ReadFile(state_path(), kMaxStateBytes);
  struct stat info {};
  if (!text || identity_.empty() || fstat(fd_.get(), &info) != 0 ||
      static_cast<uint64_t>(info.st_size) != size_bytes_) {
    return;
  }
  const std::string head = "vade download 1\n" + identity_ + " " + std::to_string(size_bytes_) +
                           " " + std::to_string(piece_bytes_) + "\n";
  if (!text->starts_with(head)) return;
  const std::string pieces = text->substr(head.size());
  if (pieces.size() != done_.size() + 1 || pieces.find_first_not_of("01\n") != std::string::npos) {
    return;
  }
  done_ = pieces.substr(0, done_.size());
}

Result<void> PartFile::SaveState() const {
  return WriteFileAtomically(state_path(), "vade download 1\n" + identity_ + " " +
                                               std::to_string(size_bytes_) + " " +
                                               std::to_string(piece_bytes_) + "\n" + done_ + "\n");
}

uint64_t PartFile::EndOf(size_t piece) const noexcept {
  return std::min(size_bytes_, (piece + 1) * piece_bytes_);
}

uint64_t PartFile::bytes_done() const noexcept {
  uint64_t bytes = 0;
  for (size_t i = 0; i < done_.size(); ++i) bytes += IsDone(i) ? EndOf(i) - BeginOf(i) : 0;
  return bytes;
}

Result<void> PartFile::Write(uint64_t at, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return DiskError(part_path(), errno);
    at += static_cast<uint64_t>(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return {};
}

Result<void> PartFile::MarkDone(size_t piece) {
  // The state must not promise bytes that a power cut can still take.
  if (fdatasync(fd_.get()) != 0) return DiskError(part_path(), errno);
  done_[piece] = '1';
  return SaveState();
}

void PartFile::StartAgain() {
  std::ranges::fill(done_, '0');
  unlink(state_path().c_str());
}

Result<std::string> PartFile::Hash(std::string& beginning) const {
  Sha256 hash;
  std::vector<std::byte> buffer(kHashBytes);
  for (uint64_t at = 0; at < size_bytes_;) {
    const ssize_t n = pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return DiskError(part_path(), errno);
    if (n == 0) return Fail(ErrorCode::kIo, utf8::Escape(part_path()) + ": became shorter");
    const auto got = std::span(buffer).first(static_cast<size_t>(n));
    if (at == 0) {
      beginning.assign(reinterpret_cast<const char*>(got.data()), std::min<size_t>(got.size(), 16));
    }
    hash.Add(got);
    at += got.size();
  }
  return hash.Finish();
}

Result<void> PartFile::Commit(bool replace) {
  if (fsync(fd_.get()) != 0) return DiskError(part_path(), errno);
  const std::string part = part_path();
  // link() fails if the name appeared meanwhile; rename() would replace it.
  const bool linked = !replace && link(part.c_str(), out_.c_str()) == 0;
  if (!linked && !replace && errno == EEXIST) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(out_.native()) + ": exists already");
  }
  if (linked) {
    unlink(part.c_str());
  } else if (rename(part.c_str(), out_.c_str()) != 0) {
    return DiskError(out_.native(), errno);
  }
  unlink(state_path().c_str());
  const auto folder = out_.has_parent_path() ? out_.parent_path() : std::filesystem::path(".");
  const UniqueFd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) fsync(directory.get());
  return {};
}

void PartFile::Discard() {
  unlink(state_path().c_str());
  unlink(part_path().c_str());
}

}  // namespace vade::remote
