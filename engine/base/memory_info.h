// How much memory this process may still take, and sizes for messages.
#pragma once

#include <cstdint>
#include <string>

namespace vade {

/// The least of: the system's available memory, what the cgroup leaves, RLIMIT_AS.
/// A limit that cannot be read does not count.
[[nodiscard]] uint64_t AvailableMemoryBytes();

/// "1.4 GB", "25.3 MB", "512 B".
[[nodiscard]] std::string FormatBytes(uint64_t bytes);

}  // namespace vade
