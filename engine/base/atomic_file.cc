// The part file, its fsync and its rename.
#include "engine/base/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/utf8.h"

namespace vade {
namespace {

tl::unexpected<Error> Failed(const std::filesystem::path& path, int error_number) {
  return tl::unexpected(ErrnoError(utf8::Escape(path.native()), error_number));
}

tl::unexpected<Error> Exists(const std::filesystem::path& path) {
  return Fail(ErrorCode::kInvalidArgument, utf8::Escape(path.native()) + ": exists already");
}

// Best effort: a folder that cannot be opened for reading still got its rename.
void SyncFolder(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) fsync(fd.get());
}

}  // namespace

Result<AtomicFile> AtomicFile::Create(const std::filesystem::path& path, bool replace) {
  if (!replace && access(path.c_str(), F_OK) == 0) return Exists(path);
  std::string part = path.native() + ".part";
  UniqueFd fd(open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd) return Failed(path, errno);
  return AtomicFile(path, std::move(part), std::move(fd), replace);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::exchange(other.part_, {})),
      fd_(std::move(other.fd_)),
      replace_(other.replace_),
      bytes_written_(other.bytes_written_) {}

AtomicFile::~AtomicFile() {
  if (!part_.empty()) unlink(part_.c_str());
}

Result<void> AtomicFile::Write(std::span<const std::byte> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t n = write(fd_.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(path_, errno);
    done += static_cast<size_t>(n);
  }
  bytes_written_ += bytes.size();
  return {};
}

Result<void> AtomicFile::Commit() {
  if (fsync(fd_.get()) != 0) return Failed(path_, errno);
  fd_.reset();
  if (!replace_) {
    // link() fails if the name appeared meanwhile; rename() would replace it.
    if (link(part_.c_str(), path_.c_str()) == 0) {
      unlink(part_.c_str());
      part_.clear();
      SyncFolder(path_);
      return {};
    }
    if (errno == EEXIST) return Exists(path_);
    // File systems without hard links: fall through to rename.
  }
  if (rename(part_.c_str(), path_.c_str()) != 0) return Failed(path_, errno);
  part_.clear();
  SyncFolder(path_);
  return {};
}

}  // namespace vade
