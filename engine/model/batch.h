// What a decoder is asked to compute: rows of tokens, each the next one of a sequence.
#pragma once

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

}  // namespace vade::model
