// SHA-256 of data in pieces: the identity by which model registries name their files.
// Source: FIPS 180-4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vade {

/// Single-thread.
class Sha256 {
 public:
  void Add(std::span<const std::byte> bytes) noexcept;
  /// The digest as 64 lower-case hexadecimal digits. Call once.
  [[nodiscard]] std::string Finish();

 private:
  void Block(const std::byte* block) noexcept;

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending_{};
  uint64_t num_bytes_ = 0;
};

}  // namespace vade
