// Bounded reads; what may be read and what may not.
#include "engine/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "engine/base/atomic_file.h"
#include "engine/base/unique_fd.h"
#include "engine/base/utf8.h"

namespace vade {

Error ErrnoError(std::string_view what, int error_number) {
  const ErrorCode code = error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return {code, std::string(what) + ": " + std::generic_category().message(error_number)};
}

Result<std::string> ReadFile(const std::filesystem::path& path, uint64_t max_bytes) {
  const std::string name = utf8::Escape(path.native());
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return tl::unexpected(ErrnoError(name, errno));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return tl::unexpected(ErrnoError(name, errno));
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kUnsupported, name + ": not a regular file");
  if (static_cast<uint64_t>(info.st_size) > max_bytes) {
    return Fail(ErrorCode::kResource, name + ": " + std::to_string(info.st_size) +
                                          " bytes, limit " + std::to_string(max_bytes));
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tl::unexpected(ErrnoError(name, errno));
    if (n == 0) break;  // the file shrank while being read
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes) {
  VADE_TRY(AtomicFile file, AtomicFile::Create(path));
  VADE_CHECK_OK(file.Write(bytes));
  return file.Commit();
}

}  // namespace vade
