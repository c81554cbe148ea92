// Locks the current process down before it looks at a stranger's file. Used by the extractor
// executables only; one-way.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/result.h"

namespace vade::ingest {

/// Is the program built with a sanitizer? It needs more of the system than the sandbox leaves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

struct SandboxOptions {
  uint64_t max_memory_bytes = 0;  // RLIMIT_AS
  uint32_t max_cpu_seconds = 0;   // RLIMIT_CPU
  /// Folders whose files may still be opened, read-only (poppler's character maps). Empty: no file
  /// can be opened at all.
  std::span<const char* const> readable_folders;
};

/// Exit status of a child that ran into RLIMIT_AS.
inline constexpr int kExitOutOfMemory = 77;

/// Resource limits, no new privileges, death with the parent, then seccomp: reading and writing
/// open descriptors, memory and time are left; sockets, programs, threads, other processes, and
/// files (but for readable_folders) answer EPERM. Where the kernel has Landlock, readable_folders
/// are the only ones; without it any file readable by the user could be opened read-only if, and
/// only if, readable_folders is not empty.
/// Errors: kInternal when a layer that this kernel supports cannot be put in place.
[[nodiscard]] Result<void> EnterSandbox(const SandboxOptions& options, int parent_pid);

}  // namespace vade::ingest
