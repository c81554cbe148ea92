// The extractor process: file on descriptor 0, outcome (wire.h) on descriptor 1.
// Arguments: type, file name, max text bytes, max memory bytes, max seconds, parent pid. Started by
// extractor_process.cc, not by users.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "ingest/extractor_dispatch.h"
#include "ingest/sandbox.h"
#include "ingest/wire.h"

namespace vade::ingest {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitBrokenPipe = 3;

struct Arguments {
  FileType type = FileType::kText;
  std::string_view file_name;
  uint64_t max_text_bytes = 0;
  uint64_t max_memory_bytes = 0;
  uint32_t max_seconds = 0;
  int parent_pid = 0;
};

template <typename T>
bool ParseNumber(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseArguments(int argc, char** argv, Arguments& out) {
  if (argc != 7) return false;
  const auto type = ParseFileType(argv[1]);
  if (!type) return false;
  out.type = *type;
  out.file_name = argv[2];
  return ParseNumber(argv[3], out.max_text_bytes) && ParseNumber(argv[4], out.max_memory_bytes) &&
         ParseNumber(argv[5], out.max_seconds) && ParseNumber(argv[6], out.parent_pid);
}

Result<Document> ExtractInput(const Arguments& arguments) {
  struct stat info {};
  if (fstat(STDIN_FILENO, &info) != 0 || info.st_size <= 0) {
    return Fail(ErrorCode::kInternal, "extractor got no input");
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
  if (mapping == MAP_FAILED) {
    return Fail(ErrorCode::kResource, std::string("mapping the input: ") + std::strerror(errno));
  }
  return Extract(arguments.type, {.bytes = {static_cast<const char*>(mapping), size},
                                  .file_name = arguments.file_name,
                                  .max_text_bytes = arguments.max_text_bytes});
}

Result<Document> RunSandboxed(const Arguments& arguments) {
  PrepareExtractors();
  VADE_CHECK_OK(EnterSandbox({.max_memory_bytes = arguments.max_memory_bytes,
                              .max_cpu_seconds = arguments.max_seconds,
                              .readable_folders = ReadableFolders()},
                             arguments.parent_pid));
  try {
    return ExtractInput(arguments);
  } catch (const std::bad_alloc&) {
    _exit(kExitOutOfMemory);
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kCorruptData, std::string("extractor gave up: ") + error.what());
  }
}

bool WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace
}  // namespace vade::ingest

int main(int argc, char** argv) {
  vade::ingest::Arguments arguments;
  if (!vade::ingest::ParseArguments(argc, argv, arguments)) {
    constexpr std::string_view kUsage = "started by vade, not by hand\n";
    (void)!write(STDERR_FILENO, kUsage.data(), kUsage.size());
    return vade::ingest::kExitUsage;
  }
  const std::string outcome = vade::ingest::SerializeOutcome(vade::ingest::RunSandboxed(arguments));
  // No destructors: the process owns nothing that outlives it, and a parser's state may be broken.
  _exit(vade::ingest::WriteAll(outcome) ? 0 : vade::ingest::kExitBrokenPipe);
}
