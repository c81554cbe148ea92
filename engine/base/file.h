// Whole files in and out: bounded reads of regular files, atomic replacement on write.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade {

/// Reads a regular file of at most max_bytes. FIFOs, devices and directories are kUnsupported.
[[nodiscard]] Result<std::string> ReadFile(const std::filesystem::path& path,
                                           uint64_t max_bytes = uint64_t{1} << 30);

/// Writes to "path.part", fsyncs, renames over `path`. On failure `path` is untouched.
[[nodiscard]] Result<void> WriteFileAtomically(const std::filesystem::path& path,
                                               std::string_view bytes);

/// "path: reason" for errno, kNotFound for ENOENT, else kIo.
[[nodiscard]] Error ErrnoError(std::string_view what, int error_number);

}  // namespace vade
