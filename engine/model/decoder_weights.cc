#include "engine/model/decoder_weights.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "engine/model/tensor_binder.h"

namespace vade::model {
namespace {

using tensor::Form;
using tensor::StoredMatrix;

// Binds one layer after the other into the loader's weights.
class LayerBinder {
 public:
  LayerBinder(TensorBinder& binder, const DecoderConfig& config, DecoderLoader& loader)
      : binder_(binder), config_(config), facts_(*config.facts), loader_(loader) {}

  [[nodiscard]] Result<LayerNormWeights> Norm(const std::string& name) {
    LayerNormWeights norm;
    VADE_TRY(norm.weight, binder_.Values(name + ".weight", config_.d_model));
    if (facts_.norm == NormKind::kLayer) {
      VADE_TRY(norm.bias, binder_.FindValues(name + ".bias", facts_.norm_bias, config_.d_model));
    }
    return norm;
  }

  [[nodiscard]] Result<void> Layer(size_t layer_idx) {
    prefix_ = "blk." + std::to_string(layer_idx) + ".";
    DecoderLayer& layer = loader_.mutable_weights().layers[layer_idx];
    VADE_CHECK_OK(Norms(layer));
    VADE_CHECK_OK(Qkv(layer));
    VADE_CHECK_OK(QkNorms(layer));
    VADE_CHECK_OK(Single("attn_output", config_.d_model, config_.q_dim(), facts_.attention_bias,
                         layer.attention_out));
    if (config_.num_experts == 0) return Dense(layer);
    VADE_CHECK_OK(Experts(layer));
    return config_.d_shared == 0 ? Result<void>() : Shared(layer);
  }

 private:
  [[nodiscard]] std::string Name(std::string_view tensor) const {
    return prefix_ + std::string(tensor);
  }

  [[nodiscard]] Result<void> Norms(DecoderLayer& layer) {
    if (facts_.place != NormPlace::kPost) {
      VADE_TRY(layer.attention_norm, Norm(Name("attn_norm")));
      const bool left_out =
          facts_.parallel || (facts_.optional_ffn_norm && !binder_.Has(Name("ffn_norm.weight")));
      if (!left_out) {
        VADE_TRY(layer.ffn_norm, Norm(Name("ffn_norm")));
      }
    }
    if (facts_.place == NormPlace::kPre) return {};
    VADE_TRY(layer.attention_post_norm, Norm(Name("post_attention_norm")));
    VADE_TRY(layer.ffn_post_norm, Norm(Name("post_ffw_norm")));
    return {};
  }

  // Query, key and value below each other, whether the file has them fused or apart.
  [[nodiscard]] Result<void> Qkv(DecoderLayer& layer) {
    layer.qkv.reserve(3);  // the loader keeps addresses
    if (binder_.Has(Name("attn_qkv.weight"))) {
      VADE_CHECK_OK(Piece("attn_qkv", config_.qkv_dim(), layer.qkv));
    } else {
      VADE_CHECK_OK(Piece("attn_q", config_.q_dim(), layer.qkv));
      VADE_CHECK_OK(Piece("attn_k", config_.kv_dim(), layer.qkv));
      VADE_CHECK_OK(Piece("attn_v", config_.kv_dim(), layer.qkv));
    }
    FlushPiece();
    return {};
  }

  // n more rows: of the last piece if that is of the same type, else a piece of their own.
  [[nodiscard]] Result<void> Piece(std::string_view name, size_t n, std::vector<Linear>& pieces) {
    VADE_TRY(const StoredMatrix matrix, binder_.Matrix(Name(name) + ".weight", n, config_.d_model));
    VADE_TRY(Vector bias, binder_.FindValues(Name(name) + ".bias", facts_.qkv_bias, n));
    if (parts_.empty() || parts_.back().type != matrix.type) {
      FlushPiece();
      piece_ = &pieces.emplace_back();
    }
    size_t rows = 0;
    for (const StoredMatrix& part : parts_) rows += part.n;
    parts_.push_back(matrix);
    if (bias.empty() && piece_->bias.empty()) return {};
    piece_->bias.resize(rows);  // zeros for parts without one
    piece_->bias.insert(piece_->bias.end(), bias.begin(), bias.end());
    piece_->bias.resize(rows + n);
    return {};
  }

  void FlushPiece() {
    if (parts_.empty()) return;
    const Form form = tensor::DecoderFormOf(parts_);
    loader_.Add(std::exchange(parts_, {}), form, piece_->weight);
  }

  [[nodiscard]] Result<void> QkNorms(DecoderLayer& layer) {
    const bool whole = facts_.qk_norm == QkNorm::kWhole;
    const bool each = facts_.qk_norm == QkNorm::kEachHead;
    if (facts_.qk_norm == QkNorm::kNone) return {};
    const auto read = [&](const char* name, size_t num_heads) {
      return binder_.FindValues(Name(name), !each,
                                whole ? num_heads * config_.head_dim : config_.head_dim,
                                each ? num_heads : 1);
    };
    VADE_TRY(layer.q_norm, read("attn_q_norm.weight", config_.num_heads));
    VADE_TRY(layer.k_norm, read("attn_k_norm.weight", config_.num_kv_heads));
    return {};
  }

  [[nodiscard]] Result<void> Single(std::string_view name, size_t n, size_t k, bool needs_bias,
                                    Linear& linear) {
    VADE_TRY(const StoredMatrix matrix, binder_.Matrix(Name(name) + ".weight", n, k));
    VADE_TRY(linear.bias, binder_.FindValues(Name(name) + ".bias", needs_bias, n));
    loader_.Add({matrix}, tensor::DecoderFormOf(matrix.type), linear.weight);
    return {};
  }

  // Gate and up read the same operand, so they share a form.
  void AddGated(const StoredMatrix& gate, const StoredMatrix& up, FfnWeights& ffn) {
    const Form form = tensor::DecoderFormOf(std::array{gate, up});
    loader_.Add({gate}, form, ffn.gate.weight);
    loader_.Add({up}, form, ffn.up.weight);
  }

  [[nodiscard]] Result<void> Dense(DecoderLayer& layer) {
    const size_t d_ff = config_.d_ff;
    FfnWeights& ffn = layer.ffn.emplace_back();
    VADE_CHECK_OK(Single("ffn_down", config_.d_model, d_ff, facts_.ffn_bias, ffn.down));
    if (facts_.ffn == FfnKind::kGelu) {
      return Single("ffn_up", d_ff, config_.d_model, facts_.ffn_bias, ffn.up);
    }
    if (facts_.fused_gate_up) return FusedGateUp(ffn);
    VADE_TRY(const StoredMatrix gate,
             binder_.Matrix(Name("ffn_gate.weight"), d_ff, config_.d_model));
    VADE_TRY(const StoredMatrix up, binder_.Matrix(Name("ffn_up.weight"), d_ff, config_.d_model));
    VADE_TRY(ffn.gate.bias, binder_.FindValues(Name("ffn_gate.bias"), facts_.ffn_bias, d_ff));
    VADE_TRY(ffn.up.bias, binder_.FindValues(Name("ffn_up.bias"), facts_.ffn_bias, d_ff));
    AddGated(gate, up, ffn);
    return {};
  }

  // The gate's rows come first.
  [[nodiscard]] Result<void> FusedGateUp(FfnWeights& ffn) {
    VADE_TRY(const StoredMatrix both,
             binder_.Matrix(Name("ffn_up.weight"), 2 * config_.d_ff, config_.d_model));
    StoredMatrix gate = both;
    StoredMatrix up = both;
    gate.n = up.n = config_.d_ff;
    gate.data = both.data.first(both.data.size() / 2);
    up.data = both.data.last(both.data.size() / 2);
    AddGated(gate, up, ffn);
    return {};
  }

  [[nodiscard]] Result<void> Experts(DecoderLayer& layer) {
    const size_t count = config_.num_experts;
    const size_t d = config_.d_model;
    VADE_CHECK_OK(Single("ffn_gate_inp", count, d, false, layer.router));
    VADE_TRY(const auto gate,
             binder_.Matrices(Name("ffn_gate_exps.weight"), count, config_.d_expert, d));
    VADE_TRY(const auto up,
             binder_.Matrices(Name("ffn_up_exps.weight"), count, config_.d_expert, d));
    VADE_TRY(const auto down,
             binder_.Matrices(Name("ffn_down_exps.weight"), count, d, config_.d_expert));
    layer.ffn.resize(count);
    for (size_t i = 0; i < count; ++i) {
      AddGated(gate[i], up[i], layer.ffn[i]);
      loader_.Add({down[i]}, tensor::DecoderFormOf(down[i].type), layer.ffn[i].down.weight);
    }
    return {};
  }

  [[nodiscard]] Result<void> Shared(DecoderLayer& layer) {
    const size_t d = config_.d_model;
    FfnWeights& ffn = layer.shared.emplace_back();
    VADE_TRY(layer.shared_gate, binder_.Values(Name("ffn_gate_inp_shexp.weight"), d));
    VADE_TRY(const StoredMatrix gate,
             binder_.Matrix(Name("ffn_gate_shexp.weight"), config_.d_shared, d));
    VADE_TRY(const StoredMatrix up,
             binder_.Matrix(Name("ffn_up_shexp.weight"), config_.d_shared, d));
    AddGated(gate, up, ffn);
    return Single("ffn_down_shexp", d, config_.d_shared, false, ffn.down);
  }

  TensorBinder& binder_;
  const DecoderConfig& config_;
  const DecoderFacts& facts_;
  DecoderLoader& loader_;
  std::string prefix_;               // of the layer at hand
  std::vector<StoredMatrix> parts_;  // of the piece at hand, one type
  Linear* piece_ = nullptr;
};

// What divides the frequencies: llama3's factors, or longrope's for short or long contexts.
Result<Vector> BindRopeFactors(TensorBinder& binder, const DecoderConfig& config, size_t ctx_len) {
  const size_t half = config.rope.dims / 2;
  VADE_TRY(Vector all, binder.FindValues("rope_freqs.weight", false, half));
  VADE_TRY(Vector longer, binder.FindValues("rope_factors_long.weight", false, half));
  VADE_TRY(Vector shorter, binder.FindValues("rope_factors_short.weight", false, half));
  const bool is_long = ctx_len > config.rope.scaling.original_ctx_len;
  Vector factors = !all.empty() ? std::move(all) : is_long ? std::move(longer) : std::move(shorter);
  for (const float factor : factors) {
    if (std::isfinite(factor) && factor > 0) continue;
    return binder.file().TensorError(
        "rope_*.weight", "got a factor of " + std::to_string(factor) + ", expected above 0");
  }
  return factors;
}

Result<void> BindEnds(TensorBinder& binder, const DecoderConfig& config, DecoderLoader& loader,
                      LayerBinder& layers, bool logits) {
  DecoderWeights& weights = loader.mutable_weights();
  const size_t d = config.d_model;
  const gguf::File& file = binder.file();
  const gguf::TensorInfo* tokens = file.FindTensor("token_embd.weight");
  const size_t vocab_size = tokens != nullptr ? tokens->dims[1] : 0;
  VADE_TRY(tokens, binder.Tensor("token_embd.weight", std::array<uint64_t, 2>{d, vocab_size}));
  weights.tokens = StoredRows(file, *tokens);
  if (config.facts->position_embeddings) {
    VADE_TRY(
        const auto* positions,
        binder.Tensor("position_embd.weight", std::array<uint64_t, 2>{d, config.trained_ctx_len}));
    weights.positions = StoredRows(file, *positions);
  }
  VADE_TRY(weights.output_norm, layers.Norm("output_norm"));
  const bool tied = !binder.Has("output.weight");
  VADE_TRY(const StoredMatrix output,
           binder.Matrix(tied ? "token_embd.weight" : "output.weight", vocab_size, d));
  VADE_TRY(weights.output.bias,
           binder.FindValues("output.bias", config.facts->output_bias, vocab_size));
  if (logits) loader.Add({output}, tensor::DecoderFormOf(output.type), weights.output.weight);
  VADE_TRY(weights.rank, RankHead::Bind(binder, d, RankHead::Act::kTanh, config.norm_eps));
  return {};
}

}  // namespace

StoredRows::StoredRows(const gguf::File& file, const gguf::TensorInfo& tensor)
    : file_(&file),
      dequantize_(quant::InfoOf(tensor.type).dequantize),
      data_(tensor.data.data()),
      rows_(tensor.dims[1]),
      width_(tensor.dims[0]),
      row_bytes_(tensor.data.size() / tensor.dims[1]) {}

void StoredRows::Read(size_t row, float* out) const noexcept {
  dequantize_(data_ + row * row_bytes_, out, width_);
}

void DecoderLoader::Add(std::vector<StoredMatrix> parts, Form form, tensor::PackedMatrix& target) {
  packed_bytes_ += tensor::PackedMatrix::PackedBytes(parts, form);
  weights_->any_f32 = weights_->any_f32 || form == Form::kF32 || form == Form::kF16;
  jobs_.push_back({std::move(parts), form, &target});
}

Result<DecoderLoader> DecoderLoader::Bind(const gguf::File& file, const DecoderConfig& config,
                                          size_t ctx_len, bool logits) {
  TensorBinder binder(file);
  DecoderLoader loader(file);
  DecoderWeights& weights = loader.mutable_weights();
  LayerBinder layers(binder, config, loader);
  weights.layers.resize(config.num_layers);
  VADE_CHECK_OK(BindEnds(binder, config, loader, layers, logits));
  for (size_t i = 0; i < config.num_layers; ++i) VADE_CHECK_OK(layers.Layer(i));
  VADE_TRY(const Vector factors, BindRopeFactors(binder, config, ctx_len));
  VADE_CHECK_OK(binder.CheckAllUsed());
  weights.rope = RopeFrequencies(config.rope, factors);
  const bool scaled_alike = config.facts->local_rope == LocalRope::kSame;
  weights.local_rope =
      RopeFrequencies(config.local_rope, scaled_alike ? factors : std::span<const float>());
  return loader;
}

std::unique_ptr<const DecoderWeights> DecoderLoader::Pack(const Team& team) && {
  for (const Job& job : jobs_) {
    *job.target = tensor::PackedMatrix::Prepare(job.parts, job.form);
    team.ForRanges(job.target->n(), kernels::kPanelWidth, [&](size_t begin, size_t end, size_t) {
      job.target->PackRows(job.parts, begin, end);
    });
    for (const StoredMatrix& part : job.parts) file_->Release(part.data);  // never both in memory
  }
  for (const auto& part : file_->parts()) file_->Release(part);  // what lies between tensors
  return std::move(weights_);
}

}  // namespace vade::model
