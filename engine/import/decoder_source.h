// What tells one decoder of the Hugging Face library from another: one row of facts each, and the
// names of its tensors. The import reads nothing else about a model's kind.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vade::import {

/// What is done to a tensor's values on the way.
enum class Change : uint8_t {
  kNone,
  kPlusOne,     // norms whose weights are stored as the difference from one
  kTransposed,  // stored [in, out]
  kPermuteQ,    // each head's rows from halves to neighbours, as llama.cpp rotates them
  kPermuteK,
  kPerHead,  // one vector a head, "{}" in the name, stacked
  kPerKvHead,
  kPerExpert,  // one matrix an expert, "{}" in the name, stacked
};

/// A tensor by its names without ".weight". A ".bias" beside it goes along.
struct TensorRule {
  std::string_view to;    // in GGUF, after "blk.N." for one of a layer
  std::string_view from;  // after DecoderSource::layers and the layer's number for one of a layer
  Change change = Change::kNone;
  bool optional = false;
};

/// Settings that only some models have; read in decoder_settings.cc.
enum class Extra : uint8_t {
  kNone,
  kMixtral,
  kQwen2Moe,
  kQwen3Moe,
  kSmolLm3,
  kGemma2,
  kGemma3,
  kGranite,
  kOlmo2,
  kStableLm,
  kCommandR,
  kInternLm2,  // the tensor wqkv is taken apart
  kPhi3,
};

struct DecoderSource {
  std::string_view model_type;                    // in config.json
  std::string_view architecture;                  // general.architecture
  std::span<const std::string_view> activations;  // what the architecture computes here
  std::span<const TensorRule> model_rules;        // of the whole model; the embedding is the first
  std::span<const TensorRule> layer_rules;
  std::string_view layers = "model.layers.";
  bool layer_norm = false;    // which key the epsilon goes under
  bool always_tied = false;   // an output matrix in the folder is the embedding once more
  double partial_rotary = 1;  // where config.json does not say
  Extra extra = Extra::kNone;
};

/// nullptr if it is not a decoder we can import.
[[nodiscard]] const DecoderSource* FindDecoderSource(std::string_view model_type) noexcept;

/// "llama, mistral, ...": for messages.
[[nodiscard]] std::string DecoderSourceNames();

}  // namespace vade::import
