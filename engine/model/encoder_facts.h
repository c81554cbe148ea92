// What tells one architecture of the encoder family from another: one row of facts each. The
// forward pass (encoder.cc) reads nothing else about a model's kind.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vade::model {

enum class Activation {
  kGeluErf,   // the exact GELU, what the original models use
  kGeluTanh,  // its tanh approximation
  kSilu,
};

/// ffn = down(activation(up(x))), or with a gate down(activation(gate(x)) * up(x)).
enum class FfnGate {
  kNone,
  kOwn,       // a matrix ffn_gate
  kFused,     // the first half of ffn_up's rows
  kAsStored,  // one of these, as the file has it
};

struct EncoderFacts {
  std::string_view name;  // general.architecture

  /// false: x = norm(x + branch(x)). true: x = x + branch(norm(x)), and one more norm at the end;
  /// the first layer's attention may go without.
  bool pre_norm = false;
  bool position_embeddings = false;  // learnt, added to the input
  bool rope = false;                 // rotary, NeoX halves
  bool alibi = false;                // scores fall with the distance, a slope for each head
  FfnGate gate = FfnGate::kNone;
  Activation activation = Activation::kGeluErf;
  bool fixed_activation = false;  // <arch>.hidden_activation is not read

  /// Every layer but the first of each group of this many sees only tokens near by. 0: all see all.
  size_t window_pattern = 0;

  /// What a reranker's head reads and does: the mean of all tokens and GELU, or the first and tanh.
  bool rank_from_mean = false;
};

/// nullptr if it is not an encoder we know.
[[nodiscard]] const EncoderFacts* FindEncoder(std::string_view architecture) noexcept;

/// "bert, nomic-bert, ...": for messages.
[[nodiscard]] std::string EncoderNames();

}  // namespace vade::model
