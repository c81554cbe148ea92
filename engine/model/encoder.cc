#include "engine/model/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/check.h"

namespace vade::model {
namespace {

// Rows a thread normalises or quantises at a time when a pass is shared out.
constexpr size_t kRowChunk = 8;

// Columns of the ffn computed, activated and stored before the next: an f32 model's chunk; a
// quantised one takes a scale group, since a group is quantised when it is complete.
constexpr size_t kFfnColumns = 384;

size_t FfnChunk(const tensor::PackedMatrix& down) noexcept {
  return down.form() == tensor::Form::kI16 ? down.group() : kFfnColumns;
}

void Grow(AlignedBuffer<float>& buffer, size_t size) {
  if (buffer.size() < size) buffer = AlignedBuffer<float>(size);
}

// A geometric series over the heads; past the last power of two, the steps between its first ones
// (Press et al. 2022).
float AlibiSlope(const EncoderConfig& config, size_t head) noexcept {
  if (config.alibi_bias == 0) return 0;
  const size_t whole = std::bit_floor(config.num_heads);
  const float step = -config.alibi_bias / static_cast<float>(whole);
  if (head < whole) return std::exp2(step * static_cast<float>(head + 1));
  return std::exp2(step / 2 * static_cast<float>(2 * (head - whole) + 1));
}

}  // namespace

size_t TokenBatch::longest() const noexcept {
  size_t longest = 0;
  for (size_t i = 0; i < num_sequences(); ++i) longest = std::max(longest, length(i));
  return longest;
}

Result<Encoder> Encoder::Load(const gguf::File& file, const kernels::KernelTable& kernels,
                              std::optional<Pooling> pooling) {
  Encoder encoder;
  VADE_TRY(encoder.config_, ReadEncoderConfig(file));
  if (pooling) encoder.config_.pooling = *pooling;
  VADE_TRY(encoder.weights_, EncoderWeights::Load(file, encoder.config_));
  encoder.kernels_ = &kernels;
  return encoder;
}

size_t Encoder::output_dim() const noexcept {
  return config_.pooling == Pooling::kRank ? weights_.rank.num_labels() : config_.d_model;
}

size_t Encoder::ScratchBytes(size_t num_tokens, size_t longest, size_t team_size) const noexcept {
  const size_t d = config_.d_model;
  const size_t ffn_buffers = config_.gated() ? 2 : 1;
  const size_t per_thread = AttentionScratch::Bytes(longest, config_.head_dim) +
                            ffn_buffers * num_tokens * kFfnColumns * sizeof(float);
  const size_t rows = weights_.any_between ? 3 : 2;
  return num_tokens * (rows * d + config_.qkv_dim()) * sizeof(float) +
         tensor::Operand::ReservedBytes(num_tokens, d, weights_.any_f32) +
         tensor::Operand::ReservedBytes(num_tokens, config_.d_ff, weights_.any_f32) +
         RopeTable::Bytes(config_.rope, longest) + RopeTable::Bytes(config_.local_rope, longest) +
         team_size * per_thread;
}

void Encoder::Reserve(size_t num_tokens, size_t longest, size_t team_size,
                      EncoderScratch& scratch) const {
  Grow(scratch.hidden, num_tokens * config_.d_model);
  Grow(scratch.qkv, num_tokens * config_.qkv_dim());
  Grow(scratch.context, num_tokens * config_.d_model);
  scratch.narrow.Reserve(num_tokens, config_.d_model, weights_.any_f32);
  scratch.wide.Reserve(num_tokens, config_.d_ff, weights_.any_f32);
  if (weights_.any_between) Grow(scratch.layer_input, num_tokens * config_.d_model);
  scratch.rope.Reserve(config_.rope, longest);
  scratch.local_rope.Reserve(config_.local_rope, longest);
  if (scratch.threads.size() < team_size) scratch.threads.resize(team_size);
  for (EncoderScratch::PerThread& thread : scratch.threads) {
    thread.attention.Reserve(longest, config_.head_dim);
    Grow(thread.up, num_tokens * kFfnColumns);
    if (config_.gated()) Grow(thread.gate, num_tokens * kFfnColumns);
  }
}

// The steps of one pass, in the order of the model. Each step is one fork-join of the team; a team
// of one runs through all layers without any.
struct Encoder::Pass {
  const EncoderConfig& config;
  const EncoderWeights& weights;
  const kernels::KernelTable& kernels;
  const TokenBatch& batch;
  const Team& team;
  EncoderScratch& scratch;

  [[nodiscard]] float* Hidden(size_t row) const noexcept {
    return scratch.hidden.data() + row * config.d_model;
  }

  void Normalize(const LayerNormWeights& norm, const float* x, float* y) const noexcept {
    kernels.layer_norm(x, norm.weight.data(), norm.bias_or_null(), config.norm_eps,
                       norm.weight.size(), y);
  }

  // hidden = norm(token + position + token type).
  void Embed() const {
    const size_t d = config.d_model;
    team.For(batch.num_sequences(), [&](size_t sequence, size_t) {
      for (size_t row = batch.starts[sequence]; row < batch.starts[sequence + 1]; ++row) {
        const size_t position = weights.input_per_position ? row - batch.starts[sequence] : 0;
        weights.tokens.Read(static_cast<size_t>(batch.tokens[row]), Hidden(row));
        kernels.add(weights.input.data() + position * d, d, Hidden(row));
        Normalize(weights.input_norm, Hidden(row), Hidden(row));
      }
    });
  }

  // narrow = norm(hidden), in the form w wants; an empty norm changes nothing. A post-norm model's
  // residual stream goes on normalised.
  void Read(const LayerNormWeights& norm, const tensor::PackedMatrix& w) const {
    const size_t d = config.d_model;
    scratch.narrow.Shape(w);
    team.ForRanges(batch.num_tokens(), kRowChunk, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) {
        float* x = Hidden(row);
        if (!norm.weight.empty()) {
          // Attention's buffer is free before and after attention.
          float* y = config.facts->pre_norm ? scratch.context.data() + row * d : x;
          Normalize(norm, x, y);
          x = y;
        }
        scratch.narrow.Store(kernels, row, 0, {x, d});
      }
    });
  }

  void StoreContext(const tensor::PackedMatrix& w) const {
    const size_t d = config.d_model;
    scratch.narrow.Shape(w);
    team.ForRanges(batch.num_tokens(), kRowChunk, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) {
        scratch.narrow.Store(kernels, row, 0, {scratch.context.data() + row * d, d});
      }
    });
  }

  // hidden = norm(hidden) + the layer's input.
  void NormalizeBetween(const LayerNormWeights& norm) const {
    team.ForRanges(batch.num_tokens(), kRowChunk, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) {
        Normalize(norm, Hidden(row), Hidden(row));
        kernels.add(scratch.layer_input.data() + row * config.d_model, config.d_model, Hidden(row));
      }
    });
  }

  // y = x * w^T + bias (+ y), all rows, columns shared out.
  void Multiply(const tensor::Operand& x, const Linear& linear, float* y, bool accumulate) const {
    const size_t n = linear.weight.n();
    team.ForRanges(n, kernels::kPanelWidth, [&](size_t begin, size_t end, size_t) {
      tensor::Product{.x = x,
                      .w = linear.weight,
                      .bias = linear.bias_or_null(),
                      .y = y + begin,
                      .ldy = n,
                      .accumulate = accumulate}
          .Run(kernels, 0, batch.num_tokens(), begin, end - begin);
    });
  }

  // Normalises and rotates queries and keys.
  void PlaceHeads(size_t layer_idx) const {
    const EncoderLayer& layer = weights.layers[layer_idx];
    const RopeTable& rope = config.IsLocal(layer_idx) ? scratch.local_rope : scratch.rope;
    if (!config.facts->rope && layer.q_norm.weight.empty() && layer.k_norm.weight.empty()) return;
    team.For(batch.num_sequences(), [&](size_t sequence, size_t) {
      for (size_t row = batch.starts[sequence]; row < batch.starts[sequence + 1]; ++row) {
        float* query = scratch.qkv.data() + row * config.qkv_dim();
        float* key = query + config.d_model;
        if (!layer.q_norm.weight.empty()) Normalize(layer.q_norm, query, query);
        if (!layer.k_norm.weight.empty()) Normalize(layer.k_norm, key, key);
        if (!config.facts->rope) continue;
        rope.Rotate(row - batch.starts[sequence], config.num_heads + config.num_kv_heads,
                    config.head_dim, query);
      }
    });
  }

  void Attend(size_t layer_idx) const {
    const size_t group = config.num_heads / config.num_kv_heads;  // queries per key head
    const size_t reach = config.IsLocal(layer_idx) ? config.reach : SIZE_MAX;
    team.For(batch.num_sequences() * config.num_heads, [&](size_t task, size_t thread_idx) {
      const size_t sequence = task / config.num_heads;
      const size_t head = task % config.num_heads;
      const float* qkv = scratch.qkv.data() + batch.starts[sequence] * config.qkv_dim();
      const float* key = qkv + config.d_model + head / group * config.head_dim;
      scratch.threads[thread_idx].attention.Run(
          kernels, {.query = qkv + head * config.head_dim,
                    .key = key,
                    .value = key + config.kv_dim(),
                    .stride = config.qkv_dim(),
                    .num_tokens = batch.length(sequence),
                    .head_dim = config.head_dim,
                    .out = scratch.context.data() + batch.starts[sequence] * config.d_model +
                           head * config.head_dim,
                    .out_stride = config.d_model,
                    .reach = reach,
                    .slope = AlibiSlope(config, head)});
    });
  }

  // wide = activation(up(narrow)), one chunk of columns at a time while it is in the cache.
  void FfnUp(const EncoderLayer& layer) const {
    const size_t chunk = FfnChunk(layer.ffn_down.weight);
    const size_t num_chunks = (config.d_ff + chunk - 1) / chunk;
    scratch.wide.Shape(layer.ffn_down.weight);
    team.For(num_chunks, [&](size_t i, size_t thread_idx) {
      FfnColumns(layer, i * chunk, std::min(chunk, config.d_ff - i * chunk),
                 scratch.threads[thread_idx]);
    });
  }

  void FfnColumns(const EncoderLayer& layer, size_t col, size_t width,
                  EncoderScratch::PerThread& thread) const {
    const size_t rows = batch.num_tokens();
    const auto multiply = [&](const Linear& linear, float* y) {
      tensor::Product{.x = scratch.narrow,
                      .w = linear.weight,
                      .bias = linear.bias_or_null(),
                      .y = y,
                      .ldy = width}
          .Run(kernels, 0, rows, col, width);
    };
    multiply(layer.ffn_up, thread.up.data());
    if (config.gated()) multiply(layer.ffn_gate, thread.gate.data());
    for (size_t row = 0; row < rows; ++row) {
      float* up = thread.up.data() + row * width;
      Activate(up, config.gated() ? thread.gate.data() + row * width : nullptr, width);
      scratch.wide.Store(kernels, row, col, {up, width});
    }
  }

  void Activate(float* up, float* gate, size_t n) const {
    float* x = gate != nullptr ? gate : up;
    switch (config.activation) {
      case Activation::kGeluErf:
        kernels.gelu_erf(x, n);
        break;
      case Activation::kGeluTanh:
        kernels.gelu_tanh(x, n);
        break;
      case Activation::kSilu:
        kernels.silu(x, n);
        break;
    }
    if (gate != nullptr) kernels.multiply(gate, n, up);
  }

  void RunLayer(size_t layer_idx) const {
    const EncoderLayer& layer = weights.layers[layer_idx];
    const bool between = !layer.between_norm.weight.empty();
    Read(layer.attention_norm, layer.qkv.weight);
    if (between) {
      std::copy_n(Hidden(0), batch.num_tokens() * config.d_model, scratch.layer_input.data());
    }
    Multiply(scratch.narrow, layer.qkv, scratch.qkv.data(), false);
    PlaceHeads(layer_idx);
    Attend(layer_idx);
    StoreContext(layer.attention_out.weight);
    Multiply(scratch.narrow, layer.attention_out, scratch.hidden.data(), true);
    if (between) NormalizeBetween(layer.between_norm);
    Read(layer.ffn_norm, layer.ffn_up.weight);
    FfnUp(layer);
    Multiply(scratch.wide, layer.ffn_down, scratch.hidden.data(), true);
  }

  void Run() const {
    Embed();
    for (size_t i = 0; i < config.num_layers; ++i) RunLayer(i);
    team.ForRanges(batch.num_tokens(), kRowChunk, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) {
        Normalize(weights.output_norm, Hidden(row), Hidden(row));
      }
    });
  }
};

void Encoder::Forward(const TokenBatch& batch, const Team& team, EncoderScratch& scratch) const {
  VADE_CHECK(scratch.threads.size() >= team.size());
  if (batch.num_tokens() == 0) return;
  Pass{config_, weights_, *kernels_, batch, team, scratch}.Run();
}

void Encoder::Pool(std::span<const float> hidden, std::span<float> out) const {
  if (config_.pooling != Pooling::kRank) return PoolTokens(*kernels_, config_.pooling, hidden, out);
  const Pooling read = config_.facts->rank_from_mean ? Pooling::kMean : Pooling::kCls;
  std::vector<float> pooled(config_.d_model);
  PoolTokens(*kernels_, read, hidden, pooled);
  weights_.rank.Run(*kernels_, pooled, out);
}

}  // namespace vade::model
