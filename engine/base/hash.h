// Content identity: XXH3, 64 bit. For finding changes and corruption, not for security.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace vade {

[[nodiscard]] inline uint64_t Hash64(std::string_view bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

[[nodiscard]] inline uint64_t Hash64(std::span<const std::byte> bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace vade
