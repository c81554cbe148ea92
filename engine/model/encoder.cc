#include "engine/model/encoder.h"

#include <algorithm>
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

}  // namespace

size_t TokenBatch::longest() const noexcept {
  size_t longest = 0;
  for (size_t i = 0; i < num_sequences(); ++i) longest = std::max(longest, length(i));
  return longest;
}

Result<Encoder> Encoder::Load(const gguf::File& file, const kernels::KernelTable& kernels) {
  Encoder encoder;
  VADE_TRY(encoder.config_, ReadEncoderConfig(file));
  VADE_TRY(encoder.weights_, EncoderWeights::Load(file, encoder.config_));
  encoder.kernels_ = &kernels;
  return encoder;
}

size_t Encoder::output_dim() const noexcept {
  return config_.pooling == Pooling::kRank ? weights_.rank.num_labels : config_.d_model;
}

size_t Encoder::ScratchBytes(size_t num_tokens, size_t longest, size_t team_size) const noexcept {
  const size_t d = config_.d_model;
  const size_t ffn_buffers = config_.facts->gated ? 2 : 1;
  const size_t per_thread = AttentionScratch::Bytes(longest, config_.head_dim) +
                            ffn_buffers * num_tokens * kFfnColumns * sizeof(float);
  return num_tokens * (2 * d + config_.qkv_dim()) * sizeof(float) +
         tensor::Operand::ReservedBytes(num_tokens, d, weights_.any_f32) +
         tensor::Operand::ReservedBytes(num_tokens, config_.d_ff, weights_.any_f32) +
         RopeTable::Bytes(config_, longest) + team_size * per_thread;
}

void Encoder::Reserve(size_t num_tokens, size_t longest, size_t team_size,
                      EncoderScratch& scratch) const {
  Grow(scratch.hidden, num_tokens * config_.d_model);
  Grow(scratch.qkv, num_tokens * config_.qkv_dim());
  Grow(scratch.context, num_tokens * config_.d_model);
  scratch.narrow.Reserve(num_tokens, config_.d_model, weights_.any_f32);
  scratch.wide.Reserve(num_tokens, config_.d_ff, weights_.any_f32);
  scratch.rope.Reserve(config_, longest);
  if (scratch.threads.size() < team_size) scratch.threads.resize(team_size);
  for (EncoderScratch::PerThread& thread : scratch.threads) {
    thread.attention.Reserve(longest, config_.head_dim);
    Grow(thread.up, num_tokens * kFfnColumns);
    if (config_.facts->gated) Grow(thread.gate, num_tokens * kFfnColumns);
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

  void Normalize(const LayerNormWeights& norm, size_t row) const noexcept {
    kernels.layer_norm(Hidden(row), norm.weight.data(), norm.bias_or_null(), config.norm_eps,
                       config.d_model, Hidden(row));
  }

  // hidden = norm(token + position + token type).
  void Embed() const {
    const size_t d = config.d_model;
    team.For(batch.num_sequences(), [&](size_t sequence, size_t) {
      for (size_t row = batch.starts[sequence]; row < batch.starts[sequence + 1]; ++row) {
        const size_t position = weights.input_per_position ? row - batch.starts[sequence] : 0;
        weights.tokens.Read(static_cast<size_t>(batch.tokens[row]), Hidden(row));
        kernels.add(weights.input.data() + position * d, d, Hidden(row));
        Normalize(weights.input_norm, row);
      }
    });
  }

  // narrow = x, in the form w wants; after normalising x if there is a norm.
  void Store(float* x, const LayerNormWeights* norm, const tensor::PackedMatrix& w) const {
    scratch.narrow.Shape(w);
    team.ForRanges(batch.num_tokens(), kRowChunk, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) {
        if (norm != nullptr) Normalize(*norm, row);
        scratch.narrow.Store(kernels, row, 0, {x + row * config.d_model, config.d_model});
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

  void Rotate() const {
    if (!config.facts->rope) return;
    team.For(batch.num_sequences(), [&](size_t sequence, size_t) {
      for (size_t row = batch.starts[sequence]; row < batch.starts[sequence + 1]; ++row) {
        float* heads = scratch.qkv.data() + row * config.qkv_dim();  // queries, then keys
        scratch.rope.Rotate(row - batch.starts[sequence], config.num_heads + config.num_kv_heads,
                            config.head_dim, heads);
      }
    });
  }

  void Attend() const {
    const size_t group = config.num_heads / config.num_kv_heads;  // queries per key head
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
                    .out_stride = config.d_model});
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
    if (config.facts->gated) multiply(layer.ffn_gate, thread.gate.data());
    for (size_t row = 0; row < rows; ++row) {
      float* up = thread.up.data() + row * width;
      Activate(up, config.facts->gated ? thread.gate.data() + row * width : nullptr, width);
      scratch.wide.Store(kernels, row, col, {up, width});
    }
  }

  void Activate(float* up, float* gate, size_t n) const {
    switch (config.activation) {
      case Activation::kGeluErf:
        return kernels.gelu_erf(up, n);
      case Activation::kGeluTanh:
        return kernels.gelu_tanh(up, n);
      case Activation::kSwiGlu:
        kernels.silu(gate, n);
        return kernels.multiply(gate, n, up);
    }
  }

  void RunLayer(const EncoderLayer& layer) const {
    Multiply(scratch.narrow, layer.qkv, scratch.qkv.data(), false);
    Rotate();
    Attend();
    Store(scratch.context.data(), nullptr, layer.attention_out.weight);
    Multiply(scratch.narrow, layer.attention_out, scratch.hidden.data(), true);
    Store(scratch.hidden.data(), &layer.attention_norm, layer.ffn_up.weight);
    FfnUp(layer);
    Multiply(scratch.wide, layer.ffn_down, scratch.hidden.data(), true);
  }

  void Run() const {
    Embed();
    const LayerNormWeights* norm = nullptr;  // of the layer before, applied when its output is read
    for (const EncoderLayer& layer : weights.layers) {
      Store(scratch.hidden.data(), norm, layer.qkv.weight);
      RunLayer(layer);
      norm = &layer.output_norm;
    }
    team.ForRanges(batch.num_tokens(), kRowChunk, [&](size_t begin, size_t end, size_t) {
      for (size_t row = begin; row < end; ++row) Normalize(*norm, row);
    });
  }
};

void Encoder::Forward(const TokenBatch& batch, const Team& team, EncoderScratch& scratch) const {
  VADE_CHECK(scratch.threads.size() >= team.size());
  if (batch.num_tokens() == 0) return;
  Pass{config_, weights_, *kernels_, batch, team, scratch}.Run();
}

void Encoder::Pool(std::span<const float> hidden, std::span<float> out) const {
  const size_t d = config_.d_model;
  const size_t num_tokens = hidden.size() / d;
  switch (config_.pooling) {
    case Pooling::kNone:
      VADE_CHECK(false);
      return;
    case Pooling::kMean:
      std::fill(out.begin(), out.end(), 0.0f);
      for (size_t row = 0; row < num_tokens; ++row) {
        kernels_->add(hidden.data() + row * d, d, out.data());
      }
      for (float& value : out) value /= static_cast<float>(num_tokens);
      return;
    case Pooling::kCls:
      std::copy_n(hidden.begin(), d, out.begin());
      return;
    case Pooling::kLast:
      std::copy_n(hidden.end() - static_cast<ptrdiff_t>(d), d, out.begin());
      return;
    case Pooling::kRank:
      return PoolRank(hidden.data(), out);
  }
}

void Encoder::PoolRank(const float* token, std::span<float> out) const {
  const size_t d = config_.d_model;
  const RankHead& head = weights_.rank;
  const auto dot = [d](const float* x, const float* w) {
    double sum = 0;
    for (size_t i = 0; i < d; ++i) sum += double{x[i]} * double{w[i]};
    return sum;
  };
  std::vector<float> x(token, token + d);
  if (!head.dense.empty()) {
    for (size_t i = 0; i < d; ++i) {
      x[i] = static_cast<float>(
          std::tanh(dot(token, head.dense.data() + i * d) + double{head.dense_bias[i]}));
    }
  }
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] =
        static_cast<float>(dot(x.data(), head.output.data() + i * d) + double{head.output_bias[i]});
  }
}

}  // namespace vade::model
