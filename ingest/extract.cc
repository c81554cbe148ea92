// File -> snapshot in memory -> type -> extractor process -> Document.
// The snapshot (a sealed memfd) is what is hashed and what the child parses: the same bytes,
// whatever happens to the file meanwhile, and a file cut short cannot fault anybody's mapping.
#include "ingest/extract.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/base/unique_fd.h"
#include "ingest/extractor_process.h"
#include "ingest/open_beneath.h"
#include "ingest/sniff.h"

namespace vade::ingest {
namespace {

constexpr size_t kCopyBytes = 256 << 10;
constexpr size_t kSniffBytes = 64 << 10;

struct Snapshot {
  UniqueFd fd;  // sealed: nobody can change it, we included
  std::string head;
  FileIdentity identity;
};

struct FreeHashState {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};

bool SameVersion(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
         a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

Result<struct stat> CheckedStat(int fd, uint64_t max_bytes) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return tl::unexpected<Error>(PathError(errno));
  if (!S_ISREG(info.st_mode)) return Fail(ErrorCode::kUnsupported, "not a regular file");
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size == 0) return Fail(ErrorCode::kUnsupported, "unrecognised content: empty file");
  if (size > max_bytes) {
    return Fail(ErrorCode::kResource, "file of " + std::to_string(size) +
                                          " bytes exceeds the limit of " +
                                          std::to_string(max_bytes));
  }
  return info;
}

Result<void> WriteAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      return Fail(ErrorCode::kResource, std::string("snapshot: ") + std::strerror(errno));
    }
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return {};
}

// Copies what `source` holds now; kUnavailable when it changes under our hands.
Result<Snapshot> TakeSnapshot(int source, uint64_t max_bytes, const CancelToken* cancel) {
  VADE_TRY(const struct stat before, CheckedStat(source, max_bytes));
  Snapshot snapshot;
  snapshot.fd = UniqueFd(memfd_create("vade-document", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const std::unique_ptr<XXH3_state_t, FreeHashState> hash(XXH3_createState());
  if (!snapshot.fd || !hash) {
    return Fail(ErrorCode::kResource, std::string("snapshot: ") + std::strerror(errno));
  }
  XXH3_64bits_reset(hash.get());
  const auto size = static_cast<uint64_t>(before.st_size);
  std::vector<char> buffer(std::min<uint64_t>(kCopyBytes, size + 1));
  uint64_t copied = 0;
  while (copied <= size) {
    if (cancel != nullptr && cancel->cancelled()) return Fail(ErrorCode::kCancelled, "cancelled");
    const ssize_t got = read(source, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected<Error>(PathError(errno));
    if (got == 0) break;
    const auto count = static_cast<size_t>(got);
    if (snapshot.head.size() < kSniffBytes) {
      snapshot.head.append(buffer.data(), std::min(count, kSniffBytes - snapshot.head.size()));
    }
    XXH3_64bits_update(hash.get(), buffer.data(), count);
    VADE_CHECK_OK(WriteAll(snapshot.fd.get(), buffer.data(), count));
    copied += count;
  }
  struct stat after {};
  if (copied != size || fstat(source, &after) != 0 || !SameVersion(before, after)) {
    return Fail(ErrorCode::kUnavailable, "changed while it was read");
  }
  fcntl(snapshot.fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  snapshot.identity = {XXH3_64bits_digest(hash.get()), size,
                       int64_t{before.st_mtim.tv_sec} * 1'000'000'000 + before.st_mtim.tv_nsec};
  return snapshot;
}

}  // namespace

Result<FileIdentity> IdentifyFile(int dir_fd, const std::filesystem::path& relative_path,
                                  const ExtractLimits& limits) {
  VADE_TRY(const UniqueFd source, OpenBeneath(dir_fd, relative_path.native(), O_RDONLY));
  VADE_TRY(const Snapshot snapshot, TakeSnapshot(source.get(), limits.max_file_bytes, nullptr));
  return snapshot.identity;
}

Result<Extraction> ExtractFile(int dir_fd, const std::filesystem::path& relative_path,
                               const ExtractLimits& limits, const CancelToken* cancel) {
  VADE_TRY(UniqueFd source, OpenBeneath(dir_fd, relative_path.native(), O_RDONLY));
  VADE_TRY(const Snapshot snapshot, TakeSnapshot(source.get(), limits.max_file_bytes, cancel));
  source.reset();
  const std::string file_name = relative_path.filename().native();
  VADE_TRY(const FileType type, Sniff(snapshot.head, file_name));
  VADE_TRY(Document document, RunExtractor(type, file_name, snapshot.fd.get(), limits, cancel));
  if (document.text.empty()) return Fail(ErrorCode::kUnsupported, "no text in it");
  return Extraction{snapshot.identity, std::move(document)};
}

}  // namespace vade::ingest
