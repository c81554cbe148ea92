// The sampler's random numbers: xoshiro256++ (Blackman, Vigna 2019), the same on every machine.
// Not for secrets.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace vade::runtime {

class Random {
 public:
  /// The four words of state come from SplitMix64, so that seeds 1, 2, 3 give unrelated streams.
  explicit Random(uint64_t seed) noexcept {
    for (uint64_t& word : state_) {
      seed += 0x9E3779B97F4A7C15u;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
      z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
      word = z ^ (z >> 31);
    }
  }

  [[nodiscard]] uint64_t Next() noexcept {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1): the high 53 bits.
  [[nodiscard]] double NextUnit() noexcept { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  std::array<uint64_t, 4> state_{};
};

}  // namespace vade::runtime
