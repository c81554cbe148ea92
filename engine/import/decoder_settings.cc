// The keys every decoder has, then what only some have.
#include "engine/import/decoder_settings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/base/utf8.h"
#include "engine/import/rope_settings.h"

namespace vade::import {
namespace {

using nlohmann::json;

constexpr uint32_t kMaxLayers = 1024;
constexpr uint32_t kMaxHeads = 1024;
constexpr uint32_t kMaxWidth = 1u << 17;
constexpr uint32_t kMaxExperts = 1024;
constexpr uint32_t kMaxContext = 1u << 24;

class SettingsWriter {
 public:
  SettingsWriter(const JsonObject& config, const DecoderSource& source, gguf::Writer& writer)
      : config_(config),
        source_(source),
        prefix_(std::string(source.architecture) + "."),
        writer_(writer) {}

  Result<DecoderSettings> Add() {
    VADE_CHECK_OK(CheckActivation());
    VADE_TRY(settings_.packing, ReadPacking(config_));
    VADE_CHECK_OK(AddSizes());
    VADE_CHECK_OK(AddEpsilon());
    VADE_CHECK_OK(AddExtras());
    const bool rotates = source_.architecture != "gpt2";
    if (rotates) {
      VADE_CHECK_OK(AddRopeSettings(config_, source_, context_length_, settings_, writer_));
    }
    // The libraries' default: the configuration is written without it.
    VADE_TRY(settings_.tied, config_.GetBool("tie_word_embeddings", source_.always_tied));
    settings_.tied = settings_.tied || source_.always_tied;
    return std::move(settings_);
  }

 private:
  tl::unexpected<Error> Unsupported(const std::string& reason) const {
    return Fail(ErrorCode::kUnsupported, config_.name() + ": " + reason);
  }

  // The first of several names of a setting, in [1, highest].
  Result<uint32_t> Count(std::initializer_list<const char*> keys, uint32_t highest,
                         std::optional<uint32_t> fallback = std::nullopt) const {
    const auto* key =
        std::ranges::find_if(keys, [&](const char* k) { return config_.Find(k) != nullptr; });
    if (key == keys.end()) key = keys.begin();
    VADE_TRY(const uint32_t value, config_.GetUint(*key, fallback));
    if (value >= 1 && value <= highest) return value;
    return Fail(ErrorCode::kCorruptData, config_.name() + ": \"" + *key + "\": got " +
                                             std::to_string(value) + ", want 1 to " +
                                             std::to_string(highest));
  }

  Result<void> CheckActivation() const {
    for (const char* key : {"hidden_activation", "hidden_act", "activation_function"}) {
      if (config_.Find(key) == nullptr) continue;
      VADE_TRY(const std::string name, config_.GetString(key, ""));
      if (std::ranges::find(source_.activations, name) != source_.activations.end()) return {};
      return Unsupported(std::string(key) + " \"" + utf8::Escape(name) + "\", want \"" +
                         std::string(source_.activations.front()) + "\"");
    }
    return {};
  }

  void Put(const std::string& key, uint32_t value) { writer_.Add(prefix_ + key, value); }
  void Put(const std::string& key, double value) {
    writer_.Add(prefix_ + key, static_cast<float>(value));
  }

  Result<void> AddSizes() {
    DecoderSettings& s = settings_;
    VADE_TRY(s.num_layers, Count({"num_hidden_layers", "n_layer"}, kMaxLayers));
    VADE_TRY(s.num_heads, Count({"num_attention_heads", "n_head"}, kMaxHeads));
    VADE_TRY(s.num_kv_heads, Count({"num_key_value_heads"}, kMaxHeads, s.num_heads));
    VADE_TRY(d_model_, Count({"hidden_size", "n_embd"}, kMaxWidth));
    VADE_TRY(d_ff_, Count({"intermediate_size", "n_inner"}, kMaxWidth, 4 * d_model_));
    VADE_TRY(context_length_,
             Count({"max_position_embeddings", "n_positions", "n_ctx"}, kMaxContext));
    if (source_.extra ==
        Extra::kCommandR) {  // max_position_embeddings is not what it was trained on
      VADE_TRY(context_length_, Count({"model_max_length"}, kMaxContext, context_length_));
    }
    if (s.num_heads % s.num_kv_heads != 0) {
      return Fail(ErrorCode::kCorruptData,
                  config_.name() + ": num_key_value_heads does not divide num_attention_heads");
    }
    VADE_TRY(s.head_dim, Count({"head_dim"}, kMaxWidth, std::max(1u, d_model_ / s.num_heads)));
    if (s.head_dim * s.num_heads != d_model_ || config_.Find("head_dim") != nullptr) {
      Put("attention.key_length", s.head_dim);
      Put("attention.value_length", s.head_dim);
    }
    Put("context_length", context_length_);
    Put("embedding_length", d_model_);
    Put("block_count", s.num_layers);
    Put("feed_forward_length", d_ff_);
    Put("attention.head_count", s.num_heads);
    Put("attention.head_count_kv", s.num_kv_heads);
    return {};
  }

  Result<void> AddEpsilon() {
    for (const char* key :
         {"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"}) {
      if (config_.Find(key) == nullptr) continue;
      VADE_TRY(const double epsilon, config_.GetNumber(key, std::nullopt));
      Put(source_.layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
          epsilon);
      return {};
    }
    return Fail(ErrorCode::kCorruptData, config_.name() + ": no epsilon of the norms");
  }

  Result<void> RequireBool(const char* key, bool want, bool fallback) const {
    VADE_TRY(const bool got, config_.GetBool(key, fallback));
    if (got == want) return {};
    return Unsupported(std::string(key) + " is " + (got ? "true" : "false") + ", want " +
                       (want ? "true" : "false"));
  }

  Result<void> AddExtras() {
    switch (source_.extra) {
      case Extra::kMixtral:
        return AddExperts();
      case Extra::kQwen2Moe:
        return AddQwenExperts(/*renormalised=*/false);
      case Extra::kQwen3Moe:
        return AddQwenExperts(/*renormalised=*/true);
      case Extra::kSmolLm3:
        return CheckUnrotatedLayers();
      case Extra::kGemma2:
        return AddGemma(46);
      case Extra::kGemma3:
        return AddGemma(62);
      case Extra::kGranite:
        return AddGranite();
      case Extra::kOlmo2:
        return AddWindows("sliding_window", 4);
      case Extra::kCommandR:
        return AddFactor("logit_scale", "logit_scale", 0.0625);
      case Extra::kStableLm:
      case Extra::kInternLm2:
        return {};
      case Extra::kPhi3:
      case Extra::kNone:
        return AddUnusedWindow();
    }
    return {};
  }

  Result<void> AddFactor(const char* from, const char* to, double fallback) {
    VADE_TRY(const double factor, config_.GetNumber(from, fallback));
    Put(to, factor);
    return {};
  }

  Result<void> AddExperts() {
    VADE_TRY(settings_.num_experts, Count({"num_experts", "num_local_experts"}, kMaxExperts));
    VADE_TRY(const uint32_t used, Count({"num_experts_per_tok"}, settings_.num_experts));
    Put("expert_count", settings_.num_experts);
    Put("expert_used_count", used);
    return {};
  }

  Result<void> AddQwenExperts(bool renormalised) {
    VADE_CHECK_OK(RequireBool("norm_topk_prob", renormalised, false));
    VADE_TRY(const uint32_t step, config_.GetUint("decoder_sparse_step", 1));
    const json* dense = config_.Find("mlp_only_layers");
    if (step != 1 || (dense != nullptr && !dense->empty())) {
      return Unsupported("layers without experts (decoder_sparse_step, mlp_only_layers)");
    }
    VADE_CHECK_OK(AddExperts());
    VADE_TRY(const uint32_t d_expert, Count({"moe_intermediate_size"}, kMaxWidth));
    Put("expert_feed_forward_length", d_expert);
    if (renormalised) return {};
    VADE_TRY(const uint32_t shared, Count({"shared_expert_intermediate_size"}, kMaxWidth));
    Put("expert_shared_feed_forward_length", shared);
    return {};
  }

  // The engine leaves out the rotation of every fourth layer.
  Result<void> CheckUnrotatedLayers() const {
    const json* layers = config_.Find("no_rope_layers");
    VADE_CHECK_OK(RequireBool("use_sliding_window", false, false));
    if (layers == nullptr) {
      VADE_TRY(const uint32_t step, config_.GetUint("no_rope_layer_interval", 4));
      return step == 4 ? Result<void>() : Unsupported("no_rope_layer_interval is not 4");
    }
    for (size_t i = 0; i < layers->size(); ++i) {
      const bool rotated = (i + 1) % 4 != 0;
      if (!layers->is_array() || (*layers)[i] != (rotated ? 1 : 0)) {
        return Unsupported("no_rope_layers: want every fourth layer without rotation");
      }
    }
    return {};
  }

  // `wide_layers`: the depth at which queries are scaled by the model's width.
  Result<void> AddGemma(uint32_t wide_layers) {
    const uint32_t width =
        settings_.num_layers == wide_layers ? d_model_ / settings_.num_heads : settings_.head_dim;
    VADE_TRY(const double scalar, config_.GetNumber("query_pre_attn_scalar", width));
    if (scalar != width) {
      return Unsupported("query_pre_attn_scalar " + std::to_string(scalar) + ", want " +
                         std::to_string(width));
    }
    VADE_CHECK_OK(RequireBool("use_bidirectional_attention", false, false));
    for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping"}) {
      if (config_.Find(key) != nullptr) VADE_CHECK_OK(AddFactor(key, key, 0));
    }
    return AddWindows("sliding_window", source_.extra == Extra::kGemma2 ? 2 : 6);
  }

  // The window and which layers have one: by layer_types, else all but each step-th.
  Result<void> AddWindows(const char* key, uint32_t step) {
    if (config_.Find(key) == nullptr) return {};
    VADE_TRY(const uint32_t window, config_.GetUint(key, 0));
    Put("attention.sliding_window", window);
    std::vector<bool> windowed(settings_.num_layers);
    VADE_TRY(step, config_.GetUint("sliding_window_pattern", step));
    for (uint32_t i = 0; i < settings_.num_layers; ++i)
      windowed[i] = step > 0 && (i + 1) % step != 0;
    const json* types = config_.Find("layer_types");
    if (types != nullptr) {
      if (!types->is_array() || types->size() != settings_.num_layers) {
        return Fail(ErrorCode::kCorruptData, config_.name() +
                                                 ": layer_types: want a type for each "
                                                 "of " +
                                                 std::to_string(settings_.num_layers) + " layers");
      }
      for (size_t i = 0; i < windowed.size(); ++i) windowed[i] = (*types)[i] == "sliding_attention";
    }
    const auto flags = std::make_unique<bool[]>(windowed.size());
    std::ranges::copy(windowed, flags.get());
    writer_.AddArray<bool>(prefix_ + "attention.sliding_window_pattern",
                           std::span<const bool>(flags.get(), windowed.size()));
    return {};
  }

  // Kept for the record: neither this engine nor llama.cpp narrows the attention of these models.
  Result<void> AddUnusedWindow() {
    if (config_.Find("sliding_window") == nullptr) return {};
    VADE_TRY(const bool used, config_.GetBool("use_sliding_window", true));
    VADE_TRY(const uint32_t window, config_.GetUint("sliding_window", 0));
    if (used && window > 0) Put("attention.sliding_window", window);
    return {};
  }

  Result<void> AddGranite() {
    VADE_CHECK_OK(AddFactor("embedding_multiplier", "embedding_scale", 1));
    VADE_CHECK_OK(AddFactor("residual_multiplier", "residual_scale", 1));
    VADE_CHECK_OK(AddFactor("attention_multiplier", "attention.scale", 1));
    return AddFactor("logits_scaling", "logit_scale", 1);
  }

  const JsonObject& config_;
  const DecoderSource& source_;
  std::string prefix_;
  gguf::Writer& writer_;
  DecoderSettings settings_;
  uint32_t d_model_ = 0;
  uint32_t d_ff_ = 0;
  uint32_t context_length_ = 0;
};

}  // namespace

Result<DecoderSettings> AddDecoderSettings(const JsonObject& config, const DecoderSource& source,
                                           gguf::Writer& writer) {
  return SettingsWriter(config, source, writer).Add();
}

}  // namespace vade::import
