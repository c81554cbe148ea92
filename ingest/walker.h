// Finds the files of a folder worth reading, without following links or touching devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade::ingest {

struct WalkOptions {
  bool include_hidden = false;
  std::vector<std::string>
      ignore_globs;  // besides .vadeignore/.gitignore-style files found on the way
};

struct FoundFile {
  std::string relative_path;  // bytes as the file system gives them, '/' separated, no leading './'
  uint64_t size = 0;
  int64_t mtime_ns = 0;
};

/// A path that was not read and why ("symlink", "permission denied", "not a regular file",
/// "hidden", "ignored").
struct SkippedPath {
  std::string relative_path;
  std::string reason;
  bool unreadable = false;  // permission or I/O: says nothing about what lies at or below it
  bool on_purpose = false;  // hidden or matched an ignore rule: nothing the user must hear about
};

struct WalkResult {
  UniqueFd root;                 // open directory; files are opened beneath it only
  std::vector<FoundFile> files;  // sorted by path
  std::vector<SkippedPath> skipped;
};

/// Walks `root` (a folder, or one regular file). kNotFound / kIo when root itself cannot be read.
[[nodiscard]] Result<WalkResult> Walk(const std::string& root, const WalkOptions& options,
                                      const CancelToken* cancel = nullptr);

}  // namespace vade::ingest
