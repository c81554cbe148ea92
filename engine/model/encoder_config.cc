#include "engine/model/encoder_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace vade::model {
namespace {

constexpr std::array<ArchitectureFacts, 2> kEncoders = {{
    {"bert", true, false, false, Activation::kGeluErf},
    {"nomic-bert", false, true, true, Activation::kSwiGlu},
}};

// Far above any model, far below where sizes could overflow.
constexpr uint32_t kMaxLayers = 1024;
constexpr uint32_t kMaxWidth = 1u << 17;
constexpr uint32_t kMaxContext = 1u << 20;
constexpr float kDefaultRopeBase = 10000.0f;

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

Result<void> ReadPooling(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  const std::string key = keys.Full("pooling_type");
  VADE_TRY(const auto pooling, file.Find<uint32_t>(key));
  const uint32_t value = pooling.value_or(0);
  if (value > static_cast<uint32_t>(Pooling::kRank)) {
    return file.KeyError(
        key, "got " + std::to_string(value) + ", expected 0 none, 1 mean, 2 cls, 3 last or 4 rank");
  }
  config.pooling = static_cast<Pooling>(value);
  VADE_TRY(const auto causal, file.Find<bool>(keys.Full("attention.causal")));
  if (causal.value_or(false)) {
    return file.KeyError(keys.Full("attention.causal"), "got true, an encoder sees both sides");
  }
  return {};
}

Result<void> ReadActivation(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  config.activation = config.facts->activation;
  const std::string key = keys.Full("hidden_activation");
  VADE_TRY(const auto name, file.Find<std::string_view>(key));
  if (!name || config.facts->gated) return {};
  if (*name == "gelu") {
    config.activation = Activation::kGeluErf;
  } else if (*name == "gelu_new" || *name == "gelu_pytorch_tanh" || *name == "gelu_tanh") {
    config.activation = Activation::kGeluTanh;
  } else {
    return file.KeyError(key, "got '" + std::string(*name) +
                                  "', expected gelu, gelu_new, gelu_tanh or gelu_pytorch_tanh");
  }
  return {};
}

Result<void> ReadRope(const gguf::File& file, const Keys& keys, EncoderConfig& config) {
  if (!config.facts->rope) return {};
  VADE_TRY(config.rope_dims, keys.Count("rope.dimension_count", kMaxWidth, config.head_dim));
  if (config.rope_dims > config.head_dim || config.rope_dims % 2 != 0) {
    return file.KeyError(keys.Full("rope.dimension_count"),
                         "got " + std::to_string(config.rope_dims) +
                             ", expected an even number up to the head size " +
                             std::to_string(config.head_dim));
  }
  VADE_TRY(const auto base, file.Find<float>(keys.Full("rope.freq_base")));
  config.rope_base = base.value_or(kDefaultRopeBase);
  if (!std::isfinite(config.rope_base) || config.rope_base <= 0) {
    return file.KeyError(keys.Full("rope.freq_base"),
                         "got " + std::to_string(config.rope_base) + ", expected above 0");
  }
  VADE_TRY(const auto scaling, file.Find<std::string_view>(keys.Full("rope.scaling.type")));
  if (!scaling || *scaling == "none") return {};
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
  config.rope_position_scale = 1.0f / scale;
  return {};
}

}  // namespace

std::string_view PoolingName(Pooling pooling) noexcept {
  constexpr std::array<std::string_view, 5> kNames = {"none", "mean", "cls", "last", "rank"};
  return kNames[static_cast<size_t>(pooling)];
}

const ArchitectureFacts* FindEncoder(std::string_view architecture) noexcept {
  for (const ArchitectureFacts& facts : kEncoders) {
    if (facts.name == architecture) return &facts;
  }
  return nullptr;
}

Result<EncoderConfig> ReadEncoderConfig(const gguf::File& file) {
  VADE_TRY(const auto architecture, file.Require<std::string_view>("general.architecture"));
  EncoderConfig config;
  config.facts = FindEncoder(architecture);
  if (config.facts == nullptr) {
    return Fail(ErrorCode::kUnsupported, file.name() + ": general.architecture: got '" +
                                             std::string(architecture) +
                                             "', expected an encoder: bert, nomic-bert");
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
  VADE_CHECK_OK(ReadPooling(file, keys, config));
  VADE_CHECK_OK(ReadActivation(file, keys, config));
  VADE_CHECK_OK(ReadRope(file, keys, config));
  return config;
}

}  // namespace vade::model
