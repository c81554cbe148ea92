// mmap and its owner.
#include "engine/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/unique_fd.h"
#include "engine/base/utf8.h"

namespace vade {

Result<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  const std::string name = utf8::Escape(path.native());
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return tl::unexpected(ErrnoError(name, errno));
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return tl::unexpected(ErrnoError(name, errno));
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kUnsupported, name + ": not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (address == MAP_FAILED) return tl::unexpected(ErrnoError(name, errno));
  return MappedFile(static_cast<const std::byte*>(address), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::Release(std::span<const std::byte> part) const noexcept {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto mapping = reinterpret_cast<uintptr_t>(data_);
  const auto begin = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t first = std::max((begin + page - 1) / page * page, mapping);
  const uintptr_t last = std::min((begin + part.size()) / page * page, mapping + size_);
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace vade
