#include "engine/model/architecture.h"

#include <array>

namespace vade::model {
namespace {

// Fields that a row leaves out have the defaults of DecoderFacts: RMS norm before each branch,
// halves RoPE, gated SiLU, no biases.
constexpr std::array kDecoders = {
    DecoderFacts{.name = "llama", .rope = RopeStyle::kAdjacent},
    DecoderFacts{.name = "smollm3", .rope = RopeStyle::kAdjacent, .no_rope_step = 4},
    DecoderFacts{.name = "qwen2", .qkv_bias = true},
    DecoderFacts{.name = "qwen3", .qk_norm = QkNorm::kHead, .ranks_by_last = true},
    DecoderFacts{.name = "qwen2moe",
                 .qkv_bias = true,
                 .needs_experts = true,
                 .renormalise_experts = false,
                 .shared_expert = true},
    DecoderFacts{.name = "qwen3moe", .qk_norm = QkNorm::kHead, .needs_experts = true},
    DecoderFacts{.name = "gemma", .ffn = FfnKind::kGeluGated, .scale_embedding = true},
    DecoderFacts{.name = "gemma2",
                 .place = NormPlace::kSandwich,
                 .ffn = FfnKind::kGeluGated,
                 .scale_embedding = true,
                 .window_pattern = 2,
                 .default_window = 4096,
                 .wide_query_layers = 46},
    DecoderFacts{.name = "gemma3",
                 .place = NormPlace::kSandwich,
                 .ffn = FfnKind::kGeluGated,
                 .qk_norm = QkNorm::kHead,
                 .scale_embedding = true,
                 .window_pattern = 6,
                 .local_rope = LocalRope::kOwnBase,
                 .wide_query_layers = 62},
    DecoderFacts{.name = "phi2",
                 .norm = NormKind::kLayer,
                 .ffn = FfnKind::kGelu,
                 .norm_bias = true,
                 .qkv_bias = true,
                 .attention_bias = true,
                 .ffn_bias = true,
                 .output_bias = true,
                 .parallel = true},
    DecoderFacts{.name = "phi3", .fused_gate_up = true},
    DecoderFacts{.name = "granite",
                 .rope = RopeStyle::kAdjacent,
                 .multipliers = true,
                 .logit_scale = LogitScale::kDivides},
    DecoderFacts{.name = "olmo2",
                 .place = NormPlace::kPost,
                 .qk_norm = QkNorm::kWhole,
                 .window_pattern = 4,
                 .local_rope = LocalRope::kUnscaled},
    DecoderFacts{.name = "starcoder2",
                 .norm = NormKind::kLayer,
                 .ffn = FfnKind::kGelu,
                 .norm_bias = true,
                 .qkv_bias = true,
                 .attention_bias = true,
                 .ffn_bias = true},
    DecoderFacts{.name = "gpt2",
                 .norm = NormKind::kLayer,
                 .rope = RopeStyle::kNone,
                 .ffn = FfnKind::kGelu,
                 .norm_bias = true,
                 .qkv_bias = true,
                 .attention_bias = true,
                 .ffn_bias = true,
                 .position_embeddings = true},
    DecoderFacts{.name = "stablelm",
                 .norm = NormKind::kLayer,
                 .qk_norm = QkNorm::kEachHead,
                 .norm_bias = true,
                 .optional_ffn_norm = true},
    DecoderFacts{.name = "command-r",
                 .norm = NormKind::kLayer,
                 .rope = RopeStyle::kAdjacent,
                 .qk_norm = QkNorm::kEachHead,
                 .parallel = true,
                 .logit_scale = LogitScale::kMultiplies},
    DecoderFacts{.name = "internlm2", .rope = RopeStyle::kAdjacent},
};

}  // namespace

const DecoderFacts* FindDecoder(std::string_view architecture) noexcept {
  for (const DecoderFacts& facts : kDecoders) {
    if (facts.name == architecture) return &facts;
  }
  return nullptr;
}

std::span<const DecoderFacts> Decoders() noexcept { return kDecoders; }

std::string DecoderNames() {
  std::string names;
  for (const DecoderFacts& facts : kDecoders) {
    if (!names.empty()) names += ", ";
    names += facts.name;
  }
  return names;
}

}  // namespace vade::model
