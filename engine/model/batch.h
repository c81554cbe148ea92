// The plain words of a decoder: what it is asked to compute, and what that takes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vade::model {

/// A sequence of tokens whose keys and values are kept. Ids are not reused.
using SequenceId = uint32_t;

/// One row of a batch: the token that comes next in its sequence.
struct BatchToken {
  SequenceId sequence = 0;
  int32_t token = 0;
  bool wants_logits = false;
};

/// How keys and values are kept between passes.
enum class KvType {
  kF32,   // exact, for comparing with references
  kF16,   // half the memory; logits move by a few hundredths at most
  kQ8_0,  // about a quarter: 8 bits, a scale per 32 values
};

/// Bytes, computed before anything is loaded. Cache pages are taken as they are needed.
struct DecoderMemory {
  uint64_t weights = 0;  // packed copies
  uint64_t cache = 0;    // when full
  uint64_t scratch = 0;
  [[nodiscard]] uint64_t total() const noexcept { return weights + cache + scratch; }
};

/// What running a model takes, and how long its sequences may be.
struct DecoderNeed {
  DecoderMemory memory;
  size_t context_length = 0;
  size_t trained_context_length = 0;
};

}  // namespace vade::model
