// Extraction in a child process: hostile files cannot crash, hang, or reach out of the parent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "ingest/document.h"

namespace vade::ingest {

struct ExtractLimits {
  uint64_t max_file_bytes = uint64_t{1} << 30;    // larger files are skipped with this reason
  uint64_t max_text_bytes = uint64_t{256} << 20;  // extracted text of one document
  uint64_t max_memory_bytes = uint64_t{2} << 30;  // RLIMIT_AS of the child
  uint32_t max_seconds = 120;                     // of CPU time; four times that by the clock
};

/// What a file on disk was when it was read.
struct FileIdentity {
  uint64_t content_hash = 0;  // XXH3-64 of the bytes
  uint64_t size = 0;
  int64_t mtime_ns = 0;
};

struct Extraction {
  FileIdentity identity;
  Document document;
};

/// Reads and hashes a file beneath dir_fd without parsing it (links are never followed), to tell
/// whether it changed or is a known document under a new name. Errors: kIo, kNotFound, kUnsupported
/// ("not a regular file"), kResource (larger than limits.max_file_bytes).
[[nodiscard]] Result<FileIdentity> IdentifyFile(int dir_fd,
                                                const std::filesystem::path& relative_path,
                                                const ExtractLimits& limits);

/// Extracts a file, type decided by content then name.
/// Errors (message says why, for the report): kUnsupported "unrecognised content", "password
/// protected", "no text layer"; kCorruptData; kResource "timed out after 120 s", "killed: SIGSEGV";
/// kIo.
/// Thread-safe; blocks for the child.
[[nodiscard]] Result<Extraction> ExtractFile(int dir_fd, const std::filesystem::path& relative_path,
                                             const ExtractLimits& limits,
                                             const CancelToken* cancel = nullptr);

}  // namespace vade::ingest
