#include "engine/model/encoder_weights.h"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "engine/base/memory_info.h"
#include "engine/model/tensor_binder.h"

namespace vade::model {
namespace {

using gguf::TensorInfo;
using tensor::StoredMatrix;

// The matrices of one layer as they lie in the file.
struct LayerSource {
  std::vector<StoredMatrix> qkv;
  std::vector<StoredMatrix> attention_out;
  std::vector<StoredMatrix> ffn_gate;  // empty unless gated
  std::vector<StoredMatrix> ffn_up;
  std::vector<StoredMatrix> ffn_down;
};

std::string BlockName(size_t layer_idx, std::string_view tensor) {
  return "blk." + std::to_string(layer_idx) + "." + std::string(tensor);
}

// A norm that may be absent is empty then.
Result<LayerNormWeights> BindNorm(TensorBinder& binder, const std::string& name, size_t n,
                                  bool required) {
  LayerNormWeights norm;
  VADE_TRY(norm.weight, binder.FindValues(name + ".weight", required, n));
  if (norm.weight.empty()) return norm;
  VADE_TRY(norm.bias, binder.FindValues(name + ".bias", false, n));
  return norm;
}

Result<void> BindLinear(TensorBinder& binder, const std::string& name, size_t n, size_t k,
                        std::vector<StoredMatrix>& source, Linear& linear) {
  VADE_TRY(auto matrix, binder.Matrix(name + ".weight", n, k));
  source.push_back(matrix);
  VADE_TRY(linear.bias, binder.FindValues(name + ".bias", false, n));
  return {};
}

// Binds the layers one after the other.
class LayerBinder {
 public:
  LayerBinder(TensorBinder& binder, const EncoderConfig& config)
      : binder_(binder), config_(config), d_(config.d_model) {}

  [[nodiscard]] Result<LayerSource> Bind(size_t layer_idx, EncoderLayer& layer) {
    layer_idx_ = layer_idx;
    LayerSource source;
    VADE_CHECK_OK(Norms(layer));
    VADE_CHECK_OK(Qkv(source, layer));
    VADE_CHECK_OK(BindLinear(binder_, Name("attn_output"), d_, d_, source.attention_out,
                             layer.attention_out));
    VADE_CHECK_OK(Ffn(source, layer));
    return source;
  }

  /// What the last layer gives is normalised by this.
  [[nodiscard]] Result<LayerNormWeights> OutputNorm() const {
    if (config_.facts->pre_norm) return BindNorm(binder_, "output_norm", d_, true);
    return BindNorm(binder_, BlockName(config_.num_layers - 1, "layer_output_norm"), d_, true);
  }

 private:
  [[nodiscard]] std::string Name(std::string_view tensor) const {
    return BlockName(layer_idx_, tensor);
  }

  [[nodiscard]] Result<void> Norms(EncoderLayer& layer) {
    const bool first = layer_idx_ == 0;
    if (config_.facts->pre_norm) {
      VADE_TRY(layer.attention_norm, BindNorm(binder_, Name("attn_norm"), d_, !first));
      VADE_TRY(layer.ffn_norm, BindNorm(binder_, Name("ffn_norm"), d_, true));
    } else {
      if (!first) {
        VADE_TRY(layer.attention_norm,
                 BindNorm(binder_, BlockName(layer_idx_ - 1, "layer_output_norm"), d_, true));
      }
      VADE_TRY(layer.ffn_norm, BindNorm(binder_, Name("attn_output_norm"), d_, true));
      VADE_TRY(layer.between_norm, BindNorm(binder_, Name("attn_norm_2"), d_, false));
      // In the order of the model: the second norm is the one whose output the network reads.
      if (!layer.between_norm.weight.empty()) std::swap(layer.between_norm, layer.ffn_norm);
    }
    VADE_TRY(layer.q_norm, BindNorm(binder_, Name("attn_q_norm"), d_, false));
    VADE_TRY(layer.k_norm, BindNorm(binder_, Name("attn_k_norm"), config_.kv_dim(), false));
    return {};
  }

  // Query, key and value stacked, whether the file has them fused or apart.
  [[nodiscard]] Result<void> Qkv(LayerSource& source, EncoderLayer& layer) {
    if (binder_.Has(Name("attn_qkv.weight"))) {
      return BindLinear(binder_, Name("attn_qkv"), config_.qkv_dim(), d_, source.qkv, layer.qkv);
    }
    const std::array<std::pair<std::string_view, size_t>, 3> parts = {
        {{"attn_q", d_}, {"attn_k", config_.kv_dim()}, {"attn_v", config_.kv_dim()}}};
    Vector bias;
    bool has_bias = false;
    for (const auto& [part, n] : parts) {
      Linear linear;
      VADE_CHECK_OK(BindLinear(binder_, Name(part), n, d_, source.qkv, linear));
      has_bias = has_bias || !linear.bias.empty();
      linear.bias.resize(n);
      bias.insert(bias.end(), linear.bias.begin(), linear.bias.end());
    }
    if (has_bias) layer.qkv.bias = std::move(bias);
    return {};
  }

  [[nodiscard]] Result<void> Ffn(LayerSource& source, EncoderLayer& layer) {
    const size_t d_ff = config_.d_ff;
    VADE_CHECK_OK(BindLinear(binder_, Name("ffn_down"), d_, d_ff, source.ffn_down, layer.ffn_down));
    if (config_.gate == FfnGate::kFused) return FusedGateUp(source, layer);
    if (config_.gate == FfnGate::kOwn) {
      VADE_CHECK_OK(
          BindLinear(binder_, Name("ffn_gate"), d_ff, d_, source.ffn_gate, layer.ffn_gate));
    }
    return BindLinear(binder_, Name("ffn_up"), d_ff, d_, source.ffn_up, layer.ffn_up);
  }

  // The gate's rows come first.
  [[nodiscard]] Result<void> FusedGateUp(LayerSource& source, EncoderLayer& layer) {
    const size_t d_ff = config_.d_ff;
    std::vector<StoredMatrix> both;
    Linear linear;
    VADE_CHECK_OK(BindLinear(binder_, Name("ffn_up"), 2 * d_ff, d_, both, linear));
    const StoredMatrix& matrix = both.front();
    const size_t half = matrix.data.size() / 2;
    source.ffn_gate.push_back({matrix.type, matrix.data.first(half), d_ff, d_});
    source.ffn_up.push_back({matrix.type, matrix.data.last(half), d_ff, d_});
    if (linear.bias.empty()) return {};
    const auto middle = linear.bias.begin() + static_cast<ptrdiff_t>(d_ff);
    layer.ffn_gate.bias.assign(linear.bias.begin(), middle);
    layer.ffn_up.bias.assign(middle, linear.bias.end());
    return {};
  }

  TensorBinder& binder_;
  const EncoderConfig& config_;
  const size_t d_;
  size_t layer_idx_ = 0;
};

// Gate and up read the same operand, so they share a form.
tensor::Form GatedForm(const LayerSource& source) {
  const bool quantised = tensor::FormOf(source.ffn_gate) == tensor::Form::kI16 ||
                         tensor::FormOf(source.ffn_up) == tensor::Form::kI16;
  return quantised ? tensor::Form::kI16 : tensor::Form::kF32;
}

// Calls use(parts, form, linear) for every matrix of a layer.
template <typename Use>
void ForMatrices(const LayerSource& source, EncoderLayer& layer, const Use& use) {
  use(source.qkv, tensor::FormOf(source.qkv), layer.qkv);
  use(source.attention_out, tensor::FormOf(source.attention_out), layer.attention_out);
  if (!source.ffn_gate.empty()) use(source.ffn_gate, GatedForm(source), layer.ffn_gate);
  use(source.ffn_up, GatedForm(source), layer.ffn_up);
  use(source.ffn_down, tensor::FormOf(source.ffn_down), layer.ffn_down);
}

// What is added to every token's embedding: its position's row, and row 0 of the token types (a
// text is one segment; llama.cpp does the same in the second half of a reranker's pair).
Result<void> BindInput(TensorBinder& binder, const EncoderConfig& config, EncoderWeights& weights) {
  const size_t d = config.d_model;
  weights.input_per_position = config.facts->position_embeddings;
  const size_t rows = weights.input_per_position ? config.ctx_len : 1;
  const TensorInfo* positions = nullptr;
  if (weights.input_per_position) {
    VADE_TRY(positions,
             binder.Tensor("position_embd.weight", std::array<uint64_t, 2>{d, config.ctx_len}));
  }
  Vector type_row(d);
  if (const TensorInfo* types = binder.file().FindTensor("token_types.weight"); types != nullptr) {
    VADE_TRY(types,
             binder.Tensor("token_types.weight", std::array<uint64_t, 2>{d, types->dims[1]}));
    quant::InfoOf(types->type).dequantize(types->data.data(), type_row.data(), d);
  }
  weights.input = AlignedBuffer<float>(rows * d);
  const auto table = positions != nullptr ? EmbeddingTable(*positions) : EmbeddingTable();
  for (size_t row = 0; row < rows; ++row) {
    float* out = weights.input.data() + row * d;
    if (positions != nullptr) table.Read(row, out);
    for (size_t i = 0; i < d; ++i) out[i] += type_row[i];
  }
  return {};
}

Result<void> BindRankHead(TensorBinder& binder, const EncoderConfig& config,
                          EncoderWeights& weights) {
  using Act = RankHead::Act;
  const Act gelu = config.activation == Activation::kGeluTanh ? Act::kGeluTanh : Act::kGeluErf;
  VADE_TRY(weights.rank,
           RankHead::Bind(binder, config.d_model, config.facts->rank_from_mean ? gelu : Act::kTanh,
                          config.norm_eps));
  if (config.pooling != Pooling::kRank || !weights.rank.empty()) return {};
  return binder.file().TensorError("cls.output.weight", "missing, pooling is rank");
}

}  // namespace

EmbeddingTable::EmbeddingTable(const TensorInfo& tensor)
    : dequantize_(quant::InfoOf(tensor.type).dequantize),
      rows_(tensor.dims[1]),
      width_(tensor.dims[0]),
      row_bytes_(tensor.data.size() / tensor.dims[1]),
      bytes_(tensor.data.size()) {
  std::memcpy(bytes_.data(), tensor.data.data(), tensor.data.size());
}

void EmbeddingTable::Read(size_t row, float* out) const noexcept {
  dequantize_(bytes_.data() + row * row_bytes_, out, width_);
}

Result<EncoderWeights> EncoderWeights::Load(const gguf::File& file, const EncoderConfig& config) {
  TensorBinder binder(file);
  LayerBinder layers(binder, config);
  const size_t d = config.d_model;
  EncoderWeights weights;
  std::vector<LayerSource> sources;
  size_t bytes = 0;
  for (size_t i = 0; i < config.num_layers; ++i) {  // a missing layer ends this early
    EncoderLayer& layer = weights.layers.emplace_back();
    VADE_TRY(auto source, layers.Bind(i, layer));
    ForMatrices(source, layer, [&](const auto& parts, tensor::Form form, Linear&) {
      bytes += tensor::PackedMatrix::PackedBytes(parts, form);
      weights.any_f32 = weights.any_f32 || form == tensor::Form::kF32;
    });
    weights.any_between = weights.any_between || !layer.between_norm.weight.empty();
    sources.push_back(std::move(source));
  }
  VADE_TRY(weights.output_norm, layers.OutputNorm());
  const TensorInfo* tokens = file.FindTensor("token_embd.weight");
  if (tokens == nullptr) return file.TensorError("token_embd.weight", "missing");
  VADE_TRY(tokens, binder.Tensor("token_embd.weight", std::array<uint64_t, 2>{d, tokens->dims[1]}));
  bytes += tokens->data.size();
  bytes += (config.facts->position_embeddings ? config.ctx_len : 1) * d * sizeof(float);
  if (const uint64_t have = AvailableMemoryBytes(); bytes > have) {
    return Fail(ErrorCode::kResource, file.name() + ": needs " + FormatBytes(bytes) +
                                          " of memory, have " + FormatBytes(have));
  }
  VADE_TRY(weights.input_norm, BindNorm(binder, "token_embd_norm", d, true));
  VADE_CHECK_OK(BindInput(binder, config, weights));
  VADE_CHECK_OK(BindRankHead(binder, config, weights));
  VADE_CHECK_OK(binder.CheckAllUsed());
  weights.tokens = EmbeddingTable(*tokens);
  for (size_t i = 0; i < config.num_layers; ++i) {
    ForMatrices(sources[i], weights.layers[i],
                [](const auto& parts, tensor::Form form, Linear& linear) {
                  linear.weight = tensor::PackedMatrix::Pack(parts, form);
                });
  }
  return weights;
}

}  // namespace vade::model
