// Downloading one large file: ranges side by side into "path.part", what is there remembered in
// "path.part.state" so that a later run goes on, checked against its SHA-256, then renamed. A file
// that is not whole and right never has its name (faults.md 71).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::remote {

struct RemoteFile {
  std::string url;
  std::string bearer;  // for the URL's own host; may be empty
  uint64_t size_bytes = 0;
  std::string sha256;     // 64 hexadecimal digits; empty: not published, only the size is checked
  std::string etag;       // of what the URL finally serves; empty: none
  std::string beginning;  // what every such file begins with ("GGUF"); may be empty
};

struct DownloadOptions {
  bool replace = false;                        // overwrite an existing file
  size_t num_connections = 4;                  // ranges at once
  uint64_t piece_bytes = uint64_t{16} << 20;   // of one range: what a cut loses at most
  size_t max_attempts = 5;                     // at one piece
  std::chrono::milliseconds retry_delay{500};  // before the second attempt; doubles
  const CancelToken* cancel = nullptr;
  std::function<void(uint64_t done, uint64_t total)> on_progress;  // on the caller's thread
  std::function<void(const std::string&)> on_note;                 // "goes on at 1.2 GB"
};

/// Errors: kInvalidArgument for an existing file without replace; kIo "needs X, have Y free" and
/// what the disk does; kUnavailable for what the network or server does, for a file that changed
/// meanwhile and for a wrong hash; kCancelled. After all but a wrong hash or a changed file the
/// next call goes on where this one stopped.
[[nodiscard]] Result<void> Download(const RemoteFile& file, const std::filesystem::path& out,
                                    const DownloadOptions& options);

}  // namespace vade::remote
