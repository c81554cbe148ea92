#include "engine/model/encoder_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace vade::model {
namespace {

// Far above any model, far below where sizes could overflow.
constexpr uint32_t kMaxLayers = 1024;
constexpr uint32_t kMaxWidth = 1u << 17;
constexpr uint32_t kMaxContext = 1u << 20;
constexpr float kDefaultRopeBase = 10000.0f;
constexpr float kAlibiBias = 8.0f;  // Press et al. 2022

// Reads the keys "<arch>.<name>" of one file.
class Keys {
 public:
  Keys(const gguf::File& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  [[nodiscard]] std::string Full(std::string_view name) const {
    return prefix_ + std::string(name);
  }

  [[nodiscard]] Result<size_t> Count(std::string_view name, uint32_t highest) const {
    VADE_TRY(const uint32_t value, file_.Require<uint32_t>(Full(name)));
    return Checked(name, value, highest);
  }

  [[nodiscard]] Result<size_t> Count(std::string_view name, uint32_t highest,
                                     size_t fallback) const {
    VADE_TRY(const auto value, file_.Find<uint32_t>(Full(name)));
    if (!value) return fallback;
    return Checked(name, *value, highest);
  }

 private:
  [[nodiscard]] Result<size_t> Checked(std::string_view name, uint32_t value,
                                       uint32_t highest) const {
    if (value >= 1 && value <= highest) return size_t{value};
    return file_.KeyError(
        Full(name), "got " + std::to_string(value) + ", expected 1 to " + std::to_string(highest));
  }

  const gguf::File& file_;
  std::string prefix_;
};

Result<void> ReadHeads(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  constexpr std::string_view kHeads = "attention.head_count";
  constexpr std::string_view kKvHeads = "attention.head_count_kv";
  VADE_TRY(config.num_heads, keys.Count(kHeads, kMaxWidth));
  if (config.d_model % config.num_heads != 0) {
    return file.KeyError(keys.Full(kHeads), std::to_string(config.num_heads) +
                                                " heads do not divide embedding_length " +
                                                std::to_string(config.d_model));
  }
  config.head_dim = config.d_model / config.num_heads;
  VADE_TRY(config.num_kv_heads, keys.Count(kKvHeads, kMaxWidth, config.num_heads));
  if (config.num_heads % config.num_kv_heads != 0) {
    return file.KeyError(keys.Full(kKvHeads), std::to_string(config.num_kv_heads) +
                                                  " key heads do not divide head_count " +
                                                  std::to_string(config.num_heads));
  }
  return {};
}

Result<void> ReadAttention(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  VADE_TRY(const auto causal, file.Find<bool>(keys.Full("attention.causal")));
  if (causal.value_or(false)) {
    return file.KeyError(keys.Full("attention.causal"), "got true, an encoder sees both sides");
  }
  if (config.facts->alibi) config.alibi_bias = kAlibiBias;
  return {};
}

// Whether a file of an architecture that leaves it open has a gate, and where.
FfnGate GateOf(const gguf::File& file, const EncoderConfig& config) {
  if (config.facts->gate != FfnGate::kAsStored) return config.facts->gate;
  if (file.FindTensor("blk.0.ffn_gate.weight") != nullptr) return FfnGate::kOwn;
  const gguf::TensorInfo* up = file.FindTensor("blk.0.ffn_up.weight");
  const bool both = up != nullptr && up->dims[1] == 2 * config.d_ff;
  return both ? FfnGate::kFused : FfnGate::kNone;
}

Result<void> ReadActivation(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  struct Name {
    std::string_view name;
    Activation activation;
  };
  constexpr std::array<Name, 8> kNames = {{{"gelu", Activation::kGeluErf},
                                           {"geglu", Activation::kGeluErf},
                                           {"gelu_new", Activation::kGeluTanh},
                                           {"gelu_tanh", Activation::kGeluTanh},
                                           {"gelu_pytorch_tanh", Activation::kGeluTanh},
                                           {"silu", Activation::kSilu},
                                           {"swish", Activation::kSilu},
                                           {"swiglu", Activation::kSilu}}};
  config.activation = config.facts->activation;
  if (config.facts->fixed_activation) return {};
  const std::string key = keys.Full("hidden_activation");
  VADE_TRY(const auto given, file.Find<std::string_view>(key));
  if (!given) return {};
  const auto* found = std::ranges::find(kNames, *given, &Name::name);
  if (found == kNames.end()) {
    return file.KeyError(key, "got '" + std::string(*given) +
                                  "', expected gelu, geglu, gelu_new, gelu_tanh, "
                                  "gelu_pytorch_tanh, silu, swish or swiglu");
  }
  config.activation = found->activation;
  return {};
}

Result<float> ReadRopeBase(const gguf::File& file, const std::string& key) {
  VADE_TRY(const auto base, file.Find<float>(key));
  const float value = base.value_or(kDefaultRopeBase);
  if (std::isfinite(value) && value > 0) return value;
  return file.KeyError(key, "got " + std::to_string(value) + ", expected above 0");
}

Result<float> ReadPositionScale(const gguf::File& file, const Keys& keys) {
  VADE_TRY(const auto scaling, file.Find<std::string_view>(keys.Full("rope.scaling.type")));
  if (!scaling || *scaling == "none") return 1.0f;
  if (*scaling != "linear") {
    return Fail(ErrorCode::kUnsupported, file.name() + ": key " + keys.Full("rope.scaling.type") +
                                             ": got '" + std::string(*scaling) +
                                             "', expected none or linear");
  }
  VADE_TRY(const auto factor, file.Find<float>(keys.Full("rope.scaling.factor")));
  const float scale = factor.value_or(1.0f);
  if (!std::isfinite(scale) || scale <= 0) {
    return file.KeyError(keys.Full("rope.scaling.factor"),
                         "got " + std::to_string(scale) + ", expected above 0");
  }
  return 1.0f / scale;
}

Result<void> ReadRope(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  if (!config.facts->rope) return {};
  EncoderRope& rope = config.rope;
  VADE_TRY(rope.dims, keys.Count("rope.dimension_count", kMaxWidth, config.head_dim));
  if (rope.dims > config.head_dim || rope.dims % 2 != 0) {
    return file.KeyError(keys.Full("rope.dimension_count"),
                         "got " + std::to_string(rope.dims) +
                             ", expected an even number up to the head size " +
                             std::to_string(config.head_dim));
  }
  VADE_TRY(rope.base, ReadRopeBase(file, keys.Full("rope.freq_base")));
  VADE_TRY(rope.position_scale, ReadPositionScale(file, keys));
  if (config.is_local.empty()) return {};
  config.local_rope.dims = rope.dims;  // and never scaled
  VADE_TRY(config.local_rope.base, ReadRopeBase(file, keys.Full("rope.freq_base_swa")));
  return {};
}

// Which layers see tokens near by only: an array with a flag per layer, or all but the first of
// each group.
Result<void> ReadWindows(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  if (config.facts->window_pattern == 0) return {};
  VADE_TRY(const auto window, file.Find<uint32_t>(keys.Full("attention.sliding_window")));
  if (window.value_or(0) == 0) return {};
  config.reach = std::min(*window, kMaxContext) / 2;
  const std::string key = keys.Full("attention.sliding_window_pattern");
  const gguf::KeyValue* entry = file.FindKey(key);
  if (entry != nullptr && entry->value.is_array()) {
    VADE_TRY(config.is_local, file.RequireArray<bool>(key));
    if (config.is_local.size() == config.num_layers) return {};
    return file.KeyError(key, "got " + std::to_string(config.is_local.size()) + " flags for " +
                                  std::to_string(config.num_layers) + " layers");
  }
  VADE_TRY(const size_t pattern, keys.Count("attention.sliding_window_pattern", kMaxLayers,
                                            config.facts->window_pattern));
  for (size_t i = 0; i < config.num_layers; ++i) config.is_local.push_back(i % pattern != 0);
  return {};
}

}  // namespace

Result<EncoderConfig> ReadEncoderConfig(const gguf::File& file) {
  VADE_TRY(const auto architecture, file.Require<std::string_view>("general.architecture"));
  EncoderConfig config;
  config.facts = FindEncoder(architecture);
  if (config.facts == nullptr) {
    return Fail(ErrorCode::kUnsupported, file.name() + ": general.architecture: got '" +
                                             std::string(architecture) +
                                             "', expected an encoder: " + EncoderNames());
  }
  const Keys keys(file, architecture);
  VADE_TRY(config.num_layers, keys.Count("block_count", kMaxLayers));
  VADE_TRY(config.d_model, keys.Count("embedding_length", kMaxWidth));
  VADE_TRY(config.d_ff, keys.Count("feed_forward_length", kMaxWidth));
  VADE_TRY(config.ctx_len, keys.Count("context_length", kMaxContext));
  VADE_TRY(config.max_text_tokens, keys.Count("max_sequence_length", kMaxContext, config.ctx_len));
  config.max_text_tokens = std::min(config.max_text_tokens, config.ctx_len);
  VADE_CHECK_OK(ReadHeads(file, keys, config));
  const std::string eps_key = keys.Full("attention.layer_norm_epsilon");
  VADE_TRY(config.norm_eps, file.Require<float>(eps_key));
  if (!(config.norm_eps >= 0.0f && config.norm_eps < 1.0f)) {
    return file.KeyError(
        eps_key, "got " + std::to_string(config.norm_eps) + ", expected at least 0 and below 1");
  }
  VADE_TRY(const auto pooling, ReadPooling(file, architecture));
  config.pooling = pooling.value_or(Pooling::kNone);
  VADE_CHECK_OK(ReadAttention(file, keys, config));
  config.gate = GateOf(file, config);
  VADE_CHECK_OK(ReadActivation(file, keys, config));
  VADE_CHECK_OK(ReadWindows(file, keys, config));
  VADE_CHECK_OK(ReadRope(file, keys, config));
  return config;
}

}  // namespace vade::model
