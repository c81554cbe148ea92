// openat2 with RESOLVE_BENEATH where the kernel and the sandbox around us have it; otherwise one
// openat(O_NOFOLLOW) per component, which gives the same promise a little slower.
#include "ingest/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace vade::ingest {
namespace {

constexpr int kAlways = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;

int OpenAt2(int root_fd, const char* path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 0;; ++attempt) {
    const long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    // EAGAIN: a rename raced with the resolution; the manual asks for another try.
    if (fd >= 0 || errno != EAGAIN || attempt == 8) return static_cast<int>(fd);
  }
}

int OpenByComponents(int root_fd, std::string_view path, int flags) {
  UniqueFd current;
  int at = root_fd;
  while (true) {
    const size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    if (name.empty() || name == "..") {
      errno = EXDEV;
      return -1;
    }
    if (slash == std::string_view::npos) return openat(at, name.c_str(), flags);
    UniqueFd next(openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      // O_DIRECTORY turns a symlink into ENOTDIR.
      if (errno == ENOTDIR) errno = ELOOP;
      return -1;
    }
    current = std::move(next);
    at = current.get();
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Error PathError(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return {ErrorCode::kNotFound, "vanished"};
    case ELOOP:
    case EXDEV:
      return {ErrorCode::kUnsupported, "symlink"};
    case EACCES:
    case EPERM:
      return {ErrorCode::kIo, "permission denied"};
    case ENAMETOOLONG:
      return {ErrorCode::kIo, "path too long"};
    case ENXIO:
      return {ErrorCode::kUnsupported, "not a regular file"};
    default:
      return {ErrorCode::kIo, std::strerror(error_number)};
  }
}

Result<UniqueFd> OpenBeneath(int root_fd, const std::string& relative_path, int flags) {
  static std::atomic<bool> has_openat2{true};
  flags |= kAlways;
  if (has_openat2.load(std::memory_order_relaxed)) {
    UniqueFd fd(OpenAt2(root_fd, relative_path.c_str(), flags));
    if (fd) return fd;
    // Old container runtimes answer EPERM for system calls they do not know.
    if (errno != ENOSYS && errno != EPERM) return tl::unexpected<Error>(PathError(errno));
    if (errno == ENOSYS) has_openat2.store(false, std::memory_order_relaxed);
  }
  UniqueFd fd(OpenByComponents(root_fd, relative_path, flags));
  if (!fd) return tl::unexpected<Error>(PathError(errno));
  return fd;
}

}  // namespace vade::ingest
