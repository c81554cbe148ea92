#include "engine/model/decoder_config.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "engine/model/kv_page.h"

namespace vade::model {
namespace {

// Far above any model, far below where sizes could overflow.
constexpr uint32_t kMaxLayers = 1024;
constexpr uint32_t kMaxWidth = 1u << 17;
constexpr uint32_t kMaxHeads = 1024;
constexpr uint32_t kMaxContext = 1u << 24;
constexpr uint32_t kMaxExperts = 1024;
constexpr float kDefaultRopeBase = 10000.0f;

// Reads the keys "<arch>.<name>" of one file.
class Keys {
 public:
  Keys(const gguf::File& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  [[nodiscard]] const gguf::File& file() const noexcept { return file_; }

  [[nodiscard]] std::string Full(std::string_view name) const {
    return prefix_ + std::string(name);
  }

  [[nodiscard]] bool Has(std::string_view name) const {
    return file_.FindKey(Full(name)) != nullptr;
  }

  [[nodiscard]] tl::unexpected<Error> Wrong(std::string_view name, const std::string& why) const {
    return file_.KeyError(Full(name), why);
  }

  /// In [1, highest].
  [[nodiscard]] Result<size_t> Count(std::string_view name, uint32_t highest) const {
    VADE_TRY(const uint32_t value, file_.Require<uint32_t>(Full(name)));
    if (value >= 1 && value <= highest) return size_t{value};
    return Wrong(name,
                 "got " + std::to_string(value) + ", expected 1 to " + std::to_string(highest));
  }

  [[nodiscard]] Result<size_t> Count(std::string_view name, uint32_t highest,
                                     size_t fallback) const {
    if (!Has(name)) return fallback;
    return Count(name, highest);
  }

  /// The same, but 0 is as good as absent.
  [[nodiscard]] Result<size_t> CountOrNone(std::string_view name, uint32_t highest,
                                           size_t fallback) const {
    VADE_TRY(const auto value, file_.Find<uint32_t>(Full(name)));
    if (value && *value == 0) return fallback;
    return Count(name, highest, fallback);
  }

  /// Finite and in (above, ...).
  [[nodiscard]] Result<float> Real(std::string_view name, float above, float fallback) const {
    VADE_TRY(const auto value, file_.Find<float>(Full(name)));
    if (!value) return fallback;
    if (std::isfinite(*value) && *value > above) return *value;
    return Wrong(name, "got " + std::to_string(*value) + ", expected a finite number above " +
                           std::to_string(above));
  }

  /// A factor: finite; 0 and absence mean `fallback`.
  [[nodiscard]] Result<float> Factor(std::string_view name, float fallback) const {
    VADE_TRY(const auto value, file_.Find<float>(Full(name)));
    if (!value || *value == 0) return fallback;
    if (std::isfinite(*value)) return *value;
    return Wrong(name, "got " + std::to_string(*value) + ", expected a finite number");
  }

 private:
  const gguf::File& file_;
  std::string prefix_;
};

Result<void> ReadHeads(const Keys& keys, DecoderConfig& config) {
  VADE_TRY(config.num_heads, keys.Count("attention.head_count", kMaxHeads));
  VADE_TRY(config.num_kv_heads, keys.Count("attention.head_count_kv", kMaxHeads, config.num_heads));
  if (config.num_heads % config.num_kv_heads != 0) {
    return keys.Wrong("attention.head_count_kv", std::to_string(config.num_kv_heads) +
                                                     " key heads do not divide head_count " +
                                                     std::to_string(config.num_heads));
  }
  if (!keys.Has("attention.key_length") && config.d_model % config.num_heads != 0) {
    return keys.Wrong("attention.head_count", std::to_string(config.num_heads) +
                                                  " heads do not divide embedding_length " +
                                                  std::to_string(config.d_model));
  }
  const size_t even_share = config.d_model / config.num_heads;
  VADE_TRY(config.head_dim, keys.Count("attention.key_length", uint32_t{kMaxHeadDim}, even_share));
  if (config.head_dim == 0 || config.head_dim > uint32_t{kMaxHeadDim}) {
    return keys.Wrong("attention.head_count", "a head of " + std::to_string(config.head_dim) +
                                                  " values, expected 1 to " +
                                                  std::to_string(uint32_t{kMaxHeadDim}));
  }
  VADE_TRY(const size_t value_dim,
           keys.Count("attention.value_length", uint32_t{kMaxHeadDim}, even_share));
  if (value_dim != config.head_dim) {
    return Fail(ErrorCode::kUnsupported,
                keys.file().name() + ": key " + keys.Full("attention.value_length") + ": got " +
                    std::to_string(value_dim) + ", expected " + std::to_string(config.head_dim) +
                    ", the length of a key");
  }
  return {};
}

Result<void> ReadNorm(const Keys& keys, DecoderConfig& config) {
  const std::string_view name = config.facts->norm == NormKind::kRms
                                    ? "attention.layer_norm_rms_epsilon"
                                    : "attention.layer_norm_epsilon";
  VADE_TRY(config.norm_eps, keys.file().Require<float>(keys.Full(name)));
  if (config.norm_eps >= 0.0f && config.norm_eps < 1.0f) return {};
  return keys.Wrong(name,
                    "got " + std::to_string(config.norm_eps) + ", expected at least 0 and below 1");
}

Result<void> ReadRopeScaling(const Keys& keys, const DecoderConfig& config, RopeScaling& scaling) {
  VADE_TRY(const auto found, keys.file().Find<std::string_view>(keys.Full("rope.scaling.type")));
  const std::string_view type = found.value_or("linear");  // a factor alone is linear
  if (type != "none" && type != "linear" && type != "yarn" && type != "longrope") {
    return Fail(ErrorCode::kUnsupported,
                keys.file().name() + ": key " + keys.Full("rope.scaling.type") + ": got '" +
                    std::string(type) + "', expected none, linear, yarn or longrope");
  }
  VADE_TRY(scaling.original_ctx_len, keys.CountOrNone("rope.scaling.original_context_length",
                                                      kMaxContext, config.trained_ctx_len));
  VADE_TRY(scaling.attention_factor, keys.Factor("rope.scaling.attn_factor", 1.0f));
  if (type == "none") return {};
  const std::string_view key =
      keys.Has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";  // as of 2023
  VADE_TRY(float factor, keys.Factor(key, 1.0f));
  if (factor <= 0) {
    return keys.Wrong(key, "got " + std::to_string(factor) + ", expected above 0");
  }
  scaling.position_scale = 1.0f / factor;
  if (type != "yarn") return {};
  scaling.yarn = true;
  VADE_TRY(scaling.beta_fast, keys.Real("rope.scaling.yarn_beta_fast", 0, scaling.beta_fast));
  VADE_TRY(scaling.beta_slow, keys.Real("rope.scaling.yarn_beta_slow", 0, scaling.beta_slow));
  // Peng et al. 2023, eq. 22: attention is sharpened as the context grows.
  if (factor > 1) scaling.attention_factor *= 1.0f + 0.1f * std::log(factor);
  return {};
}

Result<void> ReadRope(const Keys& keys, DecoderConfig& config) {
  const DecoderFacts& facts = *config.facts;
  config.rope.style = facts.rope;
  // Granite tells models without positions by this key.
  VADE_TRY(const auto finetuned, keys.file().Find<bool>(keys.Full("rope.scaling.finetuned")));
  if (facts.multipliers && !finetuned.value_or(true)) config.rope.style = RopeStyle::kNone;
  if (config.rope.style == RopeStyle::kNone) return {};
  constexpr std::string_view kDims = "rope.dimension_count";
  VADE_TRY(config.rope.dims, keys.Count(kDims, uint32_t{kMaxHeadDim}, config.head_dim));
  if (config.rope.dims > config.head_dim || config.rope.dims % 2 != 0) {
    return keys.Wrong(kDims, "got " + std::to_string(config.rope.dims) +
                                 ", expected an even number up to the head size " +
                                 std::to_string(config.head_dim));
  }
  VADE_TRY(config.rope.base, keys.Real("rope.freq_base", 0, kDefaultRopeBase));
  VADE_CHECK_OK(ReadRopeScaling(keys, config, config.rope.scaling));
  config.local_rope = config.rope;
  if (facts.local_rope != LocalRope::kSame) config.local_rope.scaling = {};
  const float base = facts.local_rope == LocalRope::kOwnBase ? kDefaultRopeBase : config.rope.base;
  VADE_TRY(config.local_rope.base, keys.Real("rope.freq_base_swa", 0, base));
  return {};
}

// Which layers see a window only: an array with a flag per layer, or every layer but each n-th.
Result<std::vector<bool>> ReadWindowPattern(const Keys& keys, const DecoderConfig& config) {
  constexpr std::string_view kPattern = "attention.sliding_window_pattern";
  std::vector<bool> windowed(config.num_layers);
  const gguf::KeyValue* entry = keys.file().FindKey(keys.Full(kPattern));
  if (entry != nullptr && entry->value.is_array()) {
    VADE_TRY(const auto flags, keys.file().RequireArray<bool>(keys.Full(kPattern)));
    if (flags.size() != config.num_layers) {
      return keys.Wrong(kPattern, "got " + std::to_string(flags.size()) + " flags for " +
                                      std::to_string(config.num_layers) + " layers");
    }
    return flags;
  }
  VADE_TRY(const size_t pattern, keys.Count(kPattern, kMaxLayers, config.facts->window_pattern));
  for (size_t i = 0; i < config.num_layers; ++i) windowed[i] = i % pattern < pattern - 1;
  return windowed;
}

Result<void> ReadLayers(const Keys& keys, DecoderConfig& config) {
  const DecoderFacts& facts = *config.facts;
  config.layers.resize(config.num_layers);
  for (size_t i = 0; i < config.num_layers; ++i) {
    config.layers[i].rotates = config.rope.style != RopeStyle::kNone &&
                               (facts.no_rope_step == 0 || (i + 1) % facts.no_rope_step != 0);
  }
  if (facts.window_pattern == 0) return {};
  VADE_TRY(const size_t window,
           keys.CountOrNone("attention.sliding_window", kMaxContext, facts.default_window));
  if (window == 0) return {};
  VADE_TRY(const std::vector<bool> windowed, ReadWindowPattern(keys, config));
  for (size_t i = 0; i < config.num_layers; ++i) config.layers[i].window = windowed[i] ? window : 0;
  return {};
}

Result<void> ReadScales(const Keys& keys, DecoderConfig& config) {
  const DecoderFacts& facts = *config.facts;
  const bool wide = facts.wide_query_layers == config.num_layers;
  const size_t query_width = wide ? config.d_model / config.num_heads : config.head_dim;
  config.query_scale = 1.0f / std::sqrt(static_cast<float>(query_width));
  if (facts.scale_embedding) {
    config.embedding_scale = std::sqrt(static_cast<float>(config.d_model));
  }
  if (facts.multipliers) {
    VADE_TRY(config.embedding_scale, keys.Factor("embedding_scale", 1.0f));
    VADE_TRY(config.residual_scale, keys.Factor("residual_scale", 1.0f));
    VADE_TRY(config.query_scale, keys.Factor("attention.scale", config.query_scale));
  }
  if (facts.logit_scale != LogitScale::kNone) {
    VADE_TRY(config.logit_scale, keys.Factor("logit_scale", 1.0f));
    if (facts.logit_scale == LogitScale::kDivides) config.logit_scale = 1.0f / config.logit_scale;
  }
  VADE_TRY(config.score_cap, keys.Factor("attn_logit_softcapping", 0.0f));
  VADE_TRY(config.logit_cap, keys.Factor("final_logit_softcapping", 0.0f));
  if (config.query_scale > 0) return {};
  return keys.Wrong("attention.scale",
                    "got " + std::to_string(config.query_scale) + ", expected above 0");
}

Result<void> ReadExperts(const Keys& keys, DecoderConfig& config) {
  VADE_TRY(config.num_experts, keys.CountOrNone("expert_count", kMaxExperts, 0));
  if (config.num_experts == 0) {
    if (!config.facts->needs_experts) return {};
    return keys.Wrong("expert_count",
                      "missing, " + std::string(config.facts->name) + " is a mixture of experts");
  }
  const auto highest = static_cast<uint32_t>(config.num_experts);
  VADE_TRY(config.num_used_experts, keys.Count("expert_used_count", highest));
  const size_t fallback = config.facts->needs_experts
                              ? std::max<size_t>(1, config.d_ff / config.num_used_experts)
                              : config.d_ff;
  VADE_TRY(config.d_expert, keys.CountOrNone("expert_feed_forward_length", kMaxWidth, fallback));
  VADE_TRY(config.expert_scale, keys.Factor("expert_weights_scale", 1.0f));
  if (!config.facts->shared_expert) return {};
  VADE_TRY(config.d_shared,
           keys.CountOrNone("expert_shared_feed_forward_length", kMaxWidth, config.d_ff));
  return {};
}

}  // namespace

Result<DecoderConfig> ReadDecoderConfig(const gguf::File& file) {
  VADE_TRY(const auto architecture, file.Require<std::string_view>("general.architecture"));
  DecoderConfig config;
  config.facts = FindDecoder(architecture);
  if (config.facts == nullptr) {
    return Fail(ErrorCode::kUnsupported, file.name() + ": general.architecture: got '" +
                                             std::string(architecture) +
                                             "', expected a decoder: " + DecoderNames());
  }
  const Keys keys(file, architecture);
  VADE_TRY(config.num_layers, keys.Count("block_count", kMaxLayers));
  VADE_TRY(config.d_model, keys.Count("embedding_length", kMaxWidth));
  VADE_TRY(config.d_ff, keys.Count("feed_forward_length", kMaxWidth));
  VADE_TRY(config.trained_ctx_len, keys.Count("context_length", kMaxContext));
  VADE_CHECK_OK(ReadHeads(keys, config));
  VADE_CHECK_OK(ReadNorm(keys, config));
  VADE_CHECK_OK(ReadRope(keys, config));
  VADE_CHECK_OK(ReadLayers(keys, config));
  VADE_CHECK_OK(ReadScales(keys, config));
  VADE_CHECK_OK(ReadExperts(keys, config));
  return config;
}

}  // namespace vade::model
