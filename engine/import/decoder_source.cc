#include "engine/import/decoder_source.h"

#include <algorithm>
#include <array>

namespace vade::import {
namespace {

constexpr std::array<std::string_view, 2> kSilu = {"silu", "swish"};
constexpr std::array<std::string_view, 3> kTanhGelu = {"gelu_new", "gelu_pytorch_tanh",
                                                       "gelu_fast"};
// Gemma's configurations say "gelu" and mean the tanh form.
constexpr std::array<std::string_view, 4> kGemmaGelu = {"gelu_pytorch_tanh", "gelu", "gelu_new",
                                                        "gelu_fast"};

template <size_t... kSizes>
constexpr auto Join(const std::array<TensorRule, kSizes>&... lists) {
  std::array<TensorRule, (kSizes + ...)> all{};
  auto* at = all.data();
  ((at = std::copy(lists.begin(), lists.end(), at)), ...);
  return all;
}

using Rules1 = std::array<TensorRule, 1>;
using Rules2 = std::array<TensorRule, 2>;
using Rules3 = std::array<TensorRule, 3>;
using Rules4 = std::array<TensorRule, 4>;

// Of whole models.
constexpr Rules1 kOutput = {{{"output", "lm_head", Change::kNone, true}}};
constexpr auto kEnds =
    Join(Rules2{{{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}}}, kOutput);
constexpr auto kGemmaEnds = Join(
    Rules2{{{"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm", Change::kPlusOne}}},
    kOutput);
constexpr auto kPhi2Ends =
    Join(Rules2{{{"token_embd", "model.embed_tokens"}, {"output_norm", "model.final_layernorm"}}},
         kOutput);
constexpr auto kGpt2Ends = Join(Rules3{{{"token_embd", "transformer.wte"},
                                        {"position_embd", "transformer.wpe"},
                                        {"output_norm", "transformer.ln_f"}}},
                                kOutput);
constexpr Rules3 kInternLm2Ends = {{{"token_embd", "model.tok_embeddings"},
                                    {"output_norm", "model.norm"},
                                    {"output", "output", Change::kNone, true}}};

// Parts of layers.
constexpr Rules2 kNorms = {
    {{"attn_norm", "input_layernorm"}, {"ffn_norm", "post_attention_layernorm"}}};
constexpr Rules4 kAttention = {{{"attn_q", "self_attn.q_proj"},
                                {"attn_k", "self_attn.k_proj"},
                                {"attn_v", "self_attn.v_proj"},
                                {"attn_output", "self_attn.o_proj"}}};
constexpr Rules4 kPermutedAttention = {{{"attn_q", "self_attn.q_proj", Change::kPermuteQ},
                                        {"attn_k", "self_attn.k_proj", Change::kPermuteK},
                                        {"attn_v", "self_attn.v_proj"},
                                        {"attn_output", "self_attn.o_proj"}}};
constexpr Rules2 kQkNorms = {
    {{"attn_q_norm", "self_attn.q_norm"}, {"attn_k_norm", "self_attn.k_norm"}}};
constexpr Rules3 kGatedFfn = {
    {{"ffn_gate", "mlp.gate_proj"}, {"ffn_up", "mlp.up_proj"}, {"ffn_down", "mlp.down_proj"}}};
constexpr Rules4 kExperts = {{{"ffn_gate_inp", "mlp.gate"},
                              {"ffn_gate_exps", "mlp.experts.{}.gate_proj", Change::kPerExpert},
                              {"ffn_up_exps", "mlp.experts.{}.up_proj", Change::kPerExpert},
                              {"ffn_down_exps", "mlp.experts.{}.down_proj", Change::kPerExpert}}};
constexpr Rules4 kSharedExpert = {{{"ffn_gate_inp_shexp", "mlp.shared_expert_gate"},
                                   {"ffn_gate_shexp", "mlp.shared_expert.gate_proj"},
                                   {"ffn_up_shexp", "mlp.shared_expert.up_proj"},
                                   {"ffn_down_shexp", "mlp.shared_expert.down_proj"}}};

// Layers.
constexpr auto kLlama = Join(kNorms, kPermutedAttention, kGatedFfn);
constexpr auto kQwen2 = Join(kNorms, kAttention, kGatedFfn);
constexpr auto kQwen3 = Join(kQwen2, kQkNorms);
constexpr auto kMixtral =
    Join(kNorms, kPermutedAttention,
         Rules4{{{"ffn_gate_inp", "block_sparse_moe.gate"},
                 {"ffn_gate_exps", "block_sparse_moe.experts.{}.w1", Change::kPerExpert},
                 {"ffn_down_exps", "block_sparse_moe.experts.{}.w2", Change::kPerExpert},
                 {"ffn_up_exps", "block_sparse_moe.experts.{}.w3", Change::kPerExpert}}});
constexpr auto kQwen2Moe = Join(kNorms, kAttention, kExperts, kSharedExpert);
constexpr auto kQwen3Moe = Join(kNorms, kAttention, kQkNorms, kExperts);
constexpr auto kGemma = Join(Rules2{{{"attn_norm", "input_layernorm", Change::kPlusOne},
                                     {"ffn_norm", "post_attention_layernorm", Change::kPlusOne}}},
                             kAttention, kGatedFfn);
constexpr auto kGemma2 =
    Join(Rules4{{{"attn_norm", "input_layernorm", Change::kPlusOne},
                 {"post_attention_norm", "post_attention_layernorm", Change::kPlusOne},
                 {"ffn_norm", "pre_feedforward_layernorm", Change::kPlusOne},
                 {"post_ffw_norm", "post_feedforward_layernorm", Change::kPlusOne}}},
         kAttention, kGatedFfn);
constexpr auto kGemma3 =
    Join(kGemma2, Rules2{{{"attn_q_norm", "self_attn.q_norm", Change::kPlusOne},
                          {"attn_k_norm", "self_attn.k_norm", Change::kPlusOne}}});
constexpr auto kPhi2 = Join(Rules1{{{"attn_norm", "input_layernorm"}}},
                            Rules4{{{"attn_q", "self_attn.q_proj"},
                                    {"attn_k", "self_attn.k_proj"},
                                    {"attn_v", "self_attn.v_proj"},
                                    {"attn_output", "self_attn.dense"}}},
                            Rules2{{{"ffn_up", "mlp.fc1"}, {"ffn_down", "mlp.fc2"}}});
constexpr auto kPhi3 = Join(kNorms, Rules4{{{"attn_qkv", "self_attn.qkv_proj"},
                                            {"attn_output", "self_attn.o_proj"},
                                            {"ffn_up", "mlp.gate_up_proj"},
                                            {"ffn_down", "mlp.down_proj"}}});
constexpr auto kOlmo2 = Join(Rules2{{{"post_attention_norm", "post_attention_layernorm"},
                                     {"post_ffw_norm", "post_feedforward_layernorm"}}},
                             kAttention, kQkNorms, kGatedFfn);
constexpr auto kStarCoder2 =
    Join(kNorms, kAttention, Rules2{{{"ffn_up", "mlp.c_fc"}, {"ffn_down", "mlp.c_proj"}}});
constexpr auto kGpt2 = Join(Rules2{{{"attn_norm", "ln_1"}, {"ffn_norm", "ln_2"}}},
                            Rules4{{{"attn_qkv", "attn.c_attn", Change::kTransposed},
                                    {"attn_output", "attn.c_proj", Change::kTransposed},
                                    {"ffn_up", "mlp.c_fc", Change::kTransposed},
                                    {"ffn_down", "mlp.c_proj", Change::kTransposed}}});
constexpr auto kStableLm =
    Join(Rules2{{{"attn_norm", "input_layernorm"},
                 {"ffn_norm", "post_attention_layernorm", Change::kNone, true}}},
         kAttention, kGatedFfn,
         Rules2{{{"attn_q_norm", "self_attn.q_layernorm.norms.{}", Change::kPerHead, true},
                 {"attn_k_norm", "self_attn.k_layernorm.norms.{}", Change::kPerKvHead, true}}});
constexpr auto kCohere = Join(Rules1{{{"attn_norm", "input_layernorm"}}}, kAttention, kGatedFfn,
                              Rules2{{{"attn_q_norm", "self_attn.q_norm", Change::kNone, true},
                                      {"attn_k_norm", "self_attn.k_norm", Change::kNone, true}}});
// attn_q, attn_k and attn_v come from attention.wqkv.
constexpr auto kInternLm2 =
    Join(Rules2{{{"attn_norm", "attention_norm"}, {"ffn_norm", "ffn_norm"}}},
         Rules4{{{"attn_output", "attention.wo"},
                 {"ffn_gate", "feed_forward.w1"},
                 {"ffn_up", "feed_forward.w3"},
                 {"ffn_down", "feed_forward.w2"}}});

constexpr std::array kSources = {
    DecoderSource{"llama", "llama", kSilu, kEnds, kLlama},
    DecoderSource{"mistral", "llama", kSilu, kEnds, kLlama},
    DecoderSource{.model_type = "mixtral",
                  .architecture = "llama",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kMixtral,
                  .extra = Extra::kMixtral},
    DecoderSource{.model_type = "smollm3",
                  .architecture = "smollm3",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kLlama,
                  .extra = Extra::kSmolLm3},
    DecoderSource{"qwen2", "qwen2", kSilu, kEnds, kQwen2},
    DecoderSource{"qwen3", "qwen3", kSilu, kEnds, kQwen3},
    DecoderSource{.model_type = "qwen2_moe",
                  .architecture = "qwen2moe",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kQwen2Moe,
                  .extra = Extra::kQwen2Moe},
    DecoderSource{.model_type = "qwen3_moe",
                  .architecture = "qwen3moe",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kQwen3Moe,
                  .extra = Extra::kQwen3Moe},
    DecoderSource{.model_type = "gemma",
                  .architecture = "gemma",
                  .activations = kGemmaGelu,
                  .model_rules = kGemmaEnds,
                  .layer_rules = kGemma,
                  .always_tied = true},
    DecoderSource{.model_type = "gemma2",
                  .architecture = "gemma2",
                  .activations = kGemmaGelu,
                  .model_rules = kGemmaEnds,
                  .layer_rules = kGemma2,
                  .always_tied = true,
                  .extra = Extra::kGemma2},
    DecoderSource{.model_type = "gemma3_text",
                  .architecture = "gemma3",
                  .activations = kGemmaGelu,
                  .model_rules = kGemmaEnds,
                  .layer_rules = kGemma3,
                  .always_tied = true,
                  .extra = Extra::kGemma3},
    DecoderSource{.model_type = "phi",
                  .architecture = "phi2",
                  .activations = kTanhGelu,
                  .model_rules = kPhi2Ends,
                  .layer_rules = kPhi2,
                  .layer_norm = true,
                  .partial_rotary = 0.5},
    DecoderSource{.model_type = "phi3",
                  .architecture = "phi3",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kPhi3,
                  .extra = Extra::kPhi3},
    DecoderSource{.model_type = "granite",
                  .architecture = "granite",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kLlama,
                  .extra = Extra::kGranite},
    DecoderSource{.model_type = "olmo2",
                  .architecture = "olmo2",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kOlmo2,
                  .extra = Extra::kOlmo2},
    DecoderSource{.model_type = "olmo3",
                  .architecture = "olmo2",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kOlmo2,
                  .extra = Extra::kOlmo2},
    DecoderSource{.model_type = "starcoder2",
                  .architecture = "starcoder2",
                  .activations = kTanhGelu,
                  .model_rules = kEnds,
                  .layer_rules = kStarCoder2,
                  .layer_norm = true},
    DecoderSource{.model_type = "gpt2",
                  .architecture = "gpt2",
                  .activations = kTanhGelu,
                  .model_rules = kGpt2Ends,
                  .layer_rules = kGpt2,
                  .layers = "transformer.h.",
                  .layer_norm = true},
    DecoderSource{.model_type = "stablelm",
                  .architecture = "stablelm",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kStableLm,
                  .layer_norm = true,
                  .partial_rotary = 0.25,
                  .extra = Extra::kStableLm},
    DecoderSource{.model_type = "cohere",
                  .architecture = "command-r",
                  .activations = kSilu,
                  .model_rules = kEnds,
                  .layer_rules = kCohere,
                  .layer_norm = true,
                  .always_tied = true,
                  .extra = Extra::kCommandR},
    DecoderSource{.model_type = "internlm2",
                  .architecture = "internlm2",
                  .activations = kSilu,
                  .model_rules = kInternLm2Ends,
                  .layer_rules = kInternLm2,
                  .extra = Extra::kInternLm2},
};

}  // namespace

const DecoderSource* FindDecoderSource(std::string_view model_type) noexcept {
  const auto* found = std::ranges::find(kSources, model_type, &DecoderSource::model_type);
  return found == kSources.end() ? nullptr : found;
}

std::string DecoderSourceNames() {
  std::string names;
  for (const DecoderSource& source : kSources) {
    if (!names.empty()) names += ", ";
    names += source.model_type;
  }
  return names;
}

}  // namespace vade::import
