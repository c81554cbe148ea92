#include "engine/model/encoder_weights.h"

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "engine/base/memory_info.h"

namespace vade::model {
namespace {

using gguf::TensorInfo;
using tensor::StoredMatrix;

constexpr size_t kMaxLabels = 4096;

// The matrices of one layer as they lie in the file.
struct LayerSource {
  std::vector<StoredMatrix> qkv;
  std::vector<StoredMatrix> attention_out;
  std::vector<StoredMatrix> ffn_gate;  // empty unless gated
  std::vector<StoredMatrix> ffn_up;
  std::vector<StoredMatrix> ffn_down;
};

// Looks tensors up by name and checks each against the shape the hyper-parameters ask for.
class Binder {
 public:
  explicit Binder(const gguf::File& file) : file_(file) {}

  [[nodiscard]] Result<const TensorInfo*> Tensor(std::string_view name, size_t k, size_t n) const {
    VADE_TRY(const TensorInfo* info, file_.RequireTensor(name, std::array<uint64_t, 2>{k, n}));
    VADE_CHECK_OK(CheckReadable(*info));
    return info;
  }

  [[nodiscard]] Result<StoredMatrix> Matrix(const std::string& name, size_t n, size_t k) const {
    VADE_TRY(const TensorInfo* info, Tensor(name, k, n));
    if (!tensor::GroupOf(tensor::FormOf(info->type), k)) {
      return file_.TensorError(name, "got rows of " + std::to_string(k) +
                                         " quantised values, expected a multiple of 32");
    }
    return StoredMatrix{info->type, info->data, n, k};
  }

  [[nodiscard]] Result<Vector> RequireVector(const std::string& name, size_t n) const {
    VADE_TRY(const TensorInfo* info, Tensor(name, n, 1));
    Vector out(n);
    quant::InfoOf(info->type).dequantize(info->data.data(), out.data(), n);
    return out;
  }

  // Empty if there is no such tensor.
  [[nodiscard]] Result<Vector> FindVector(const std::string& name, size_t n) const {
    if (file_.FindTensor(name) == nullptr) return Vector{};
    return RequireVector(name, n);
  }

  [[nodiscard]] Result<LayerNormWeights> Norm(const std::string& name, size_t n) const {
    LayerNormWeights norm;
    VADE_TRY(norm.weight, RequireVector(name + ".weight", n));
    VADE_TRY(norm.bias, FindVector(name + ".bias", n));
    return norm;
  }

 private:
  [[nodiscard]] Result<void> CheckReadable(const TensorInfo& info) const {
    const quant::TensorTypeInfo& type = quant::InfoOf(info.type);
    if (type.dequantize != nullptr) return {};
    return Fail(ErrorCode::kUnsupported, file_.name() + ": tensor " + std::string(info.name) +
                                             ": type " + std::string(type.name) +
                                             " cannot be read");
  }

  const gguf::File& file_;
};

std::string BlockName(size_t layer_idx, std::string_view tensor) {
  return "blk." + std::to_string(layer_idx) + "." + std::string(tensor);
}

// Query, key and value stacked, whether the file has them fused or apart.
Result<void> BindQkv(const Binder& binder, const gguf::File& file, const EncoderConfig& config,
                     size_t layer_idx, LayerSource& source, EncoderLayer& layer) {
  const std::string fused = BlockName(layer_idx, "attn_qkv");
  if (file.FindTensor(fused + ".weight") != nullptr) {
    VADE_TRY(auto matrix, binder.Matrix(fused + ".weight", config.qkv_dim(), config.d_model));
    source.qkv.push_back(matrix);
    VADE_TRY(layer.qkv.bias, binder.FindVector(fused + ".bias", config.qkv_dim()));
    return {};
  }
  const std::array<std::pair<std::string_view, size_t>, 3> parts = {
      {{"attn_q", config.d_model}, {"attn_k", config.kv_dim()}, {"attn_v", config.kv_dim()}}};
  Vector bias;
  bool has_bias = false;
  for (const auto& [part, n] : parts) {
    const std::string name = BlockName(layer_idx, part);
    VADE_TRY(auto matrix, binder.Matrix(name + ".weight", n, config.d_model));
    source.qkv.push_back(matrix);
    VADE_TRY(Vector part_bias, binder.FindVector(name + ".bias", n));
    has_bias = has_bias || !part_bias.empty();
    part_bias.resize(n);
    bias.insert(bias.end(), part_bias.begin(), part_bias.end());
  }
  if (has_bias) layer.qkv.bias = std::move(bias);
  return {};
}

Result<void> BindLinear(const Binder& binder, const std::string& name, size_t n, size_t k,
                        std::vector<StoredMatrix>& source, Linear& linear) {
  VADE_TRY(auto matrix, binder.Matrix(name + ".weight", n, k));
  source.push_back(matrix);
  VADE_TRY(linear.bias, binder.FindVector(name + ".bias", n));
  return {};
}

Result<LayerSource> BindLayer(const Binder& binder, const gguf::File& file,
                              const EncoderConfig& config, size_t layer_idx, EncoderLayer& layer) {
  const size_t d = config.d_model;
  const auto name = [&](std::string_view tensor) { return BlockName(layer_idx, tensor); };
  LayerSource source;
  VADE_CHECK_OK(BindQkv(binder, file, config, layer_idx, source, layer));
  VADE_CHECK_OK(
      BindLinear(binder, name("attn_output"), d, d, source.attention_out, layer.attention_out));
  VADE_TRY(layer.attention_norm, binder.Norm(name("attn_output_norm"), d));
  if (config.facts->gated) {
    VADE_CHECK_OK(
        BindLinear(binder, name("ffn_gate"), config.d_ff, d, source.ffn_gate, layer.ffn_gate));
  }
  VADE_CHECK_OK(BindLinear(binder, name("ffn_up"), config.d_ff, d, source.ffn_up, layer.ffn_up));
  VADE_CHECK_OK(
      BindLinear(binder, name("ffn_down"), d, config.d_ff, source.ffn_down, layer.ffn_down));
  VADE_TRY(layer.output_norm, binder.Norm(name("layer_output_norm"), d));
  return source;
}

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
Result<void> BindInput(const gguf::File& file, const Binder& binder, const EncoderConfig& config,
                       EncoderWeights& weights) {
  const size_t d = config.d_model;
  weights.input_per_position = config.facts->position_embeddings;
  const size_t rows = weights.input_per_position ? config.ctx_len : 1;
  const TensorInfo* positions = nullptr;
  if (weights.input_per_position) {
    VADE_TRY(positions, binder.Tensor("position_embd.weight", d, config.ctx_len));
  }
  Vector type_row(d);
  if (const TensorInfo* types = file.FindTensor("token_types.weight"); types != nullptr) {
    VADE_TRY(types, binder.Tensor("token_types.weight", d, types->dims[1]));
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

Result<RankHead> BindRankHead(const gguf::File& file, const Binder& binder, size_t d) {
  RankHead head;
  if (const TensorInfo* dense = file.FindTensor("cls.weight"); dense != nullptr) {
    VADE_TRY(dense, binder.Tensor("cls.weight", d, d));
    head.dense.resize(d * d);
    quant::InfoOf(dense->type).dequantize(dense->data.data(), head.dense.data(), d * d);
    VADE_TRY(head.dense_bias, binder.FindVector("cls.bias", d));
    head.dense_bias.resize(d);
  }
  const TensorInfo* output = file.FindTensor("cls.output.weight");
  if (output == nullptr) return file.TensorError("cls.output.weight", "missing, pooling is rank");
  if (output->dims[1] > kMaxLabels) {
    return file.TensorError("cls.output.weight", "got " + gguf::ShapeToString(*output) +
                                                     ", expected at most " +
                                                     std::to_string(kMaxLabels) + " labels");
  }
  head.num_labels = output->dims[1];
  VADE_TRY(output, binder.Tensor("cls.output.weight", d, head.num_labels));
  head.output.resize(d * head.num_labels);
  quant::InfoOf(output->type)
      .dequantize(output->data.data(), head.output.data(), head.output.size());
  VADE_TRY(head.output_bias, binder.FindVector("cls.output.bias", head.num_labels));
  head.output_bias.resize(head.num_labels);
  return head;
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
  const Binder binder(file);
  const size_t d = config.d_model;
  EncoderWeights weights;
  std::vector<LayerSource> sources;
  size_t bytes = 0;
  for (size_t i = 0; i < config.num_layers; ++i) {  // a missing layer ends this early
    VADE_TRY(auto source, BindLayer(binder, file, config, i, weights.layers.emplace_back()));
    ForMatrices(source, weights.layers[i], [&](const auto& parts, tensor::Form form, Linear&) {
      bytes += tensor::PackedMatrix::PackedBytes(parts, form);
      weights.any_f32 = weights.any_f32 || form == tensor::Form::kF32;
    });
    sources.push_back(std::move(source));
  }
  const TensorInfo* tokens = file.FindTensor("token_embd.weight");
  if (tokens == nullptr) return file.TensorError("token_embd.weight", "missing");
  VADE_TRY(tokens, binder.Tensor("token_embd.weight", d, tokens->dims[1]));
  bytes += tokens->data.size();
  bytes += (config.facts->position_embeddings ? config.ctx_len : 1) * d * sizeof(float);
  if (const uint64_t have = AvailableMemoryBytes(); bytes > have) {
    return Fail(ErrorCode::kResource, file.name() + ": needs " + FormatBytes(bytes) +
                                          " of memory, have " + FormatBytes(have));
  }
  VADE_TRY(weights.input_norm, binder.Norm("token_embd_norm", d));
  VADE_CHECK_OK(BindInput(file, binder, config, weights));
  if (config.pooling == Pooling::kRank) {
    VADE_TRY(weights.rank, BindRankHead(file, binder, d));
  }
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
