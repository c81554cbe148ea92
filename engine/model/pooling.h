// From a vector for each token to one for the sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/kernels/kernels.h"

namespace vade::model {

/// Values of the key <arch>.pooling_type.
enum class Pooling : uint32_t {
  kNone = 0,  // every token's vector
  kMean = 1,
  kCls = 2,   // the first token
  kLast = 3,  // the last token
  kRank = 4,  // one token or the mean through a classifier head: relevance scores
};

[[nodiscard]] std::string_view PoolingName(Pooling pooling) noexcept;
[[nodiscard]] std::optional<Pooling> FindPooling(std::string_view name) noexcept;

/// The file's key; nothing if it has none. Errors: kCorruptData for another number.
[[nodiscard]] Result<std::optional<Pooling>> ReadPooling(const gguf::File& file,
                                                         std::string_view architecture);

/// Shapes: hidden [num_tokens, out.size()] f32. REQUIRES kMean, kCls or kLast, one token or more.
void PoolTokens(const kernels::KernelTable& kernels, Pooling pooling, std::span<const float> hidden,
                std::span<float> out) noexcept;

}  // namespace vade::model
