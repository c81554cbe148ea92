// The loop all dequantisers share: blocks are copied out, because files do not align them.
#pragma once

#include <cstddef>
#include <cstring>

namespace vade::quant {

/// Calls body(block, float* of its kValues values) for each block.
/// REQUIRES num_values % kValues == 0.
template <typename Block, size_t kValues, typename Body>
void ForEachBlock(const std::byte* blocks, float* out, size_t num_values,
                  const Body& body) noexcept {
  for (size_t i = 0; i < num_values; i += kValues) {
    Block block;
    std::memcpy(&block, blocks, sizeof block);
    body(block, out + i);
    blocks += sizeof block;
  }
}

}  // namespace vade::quant
