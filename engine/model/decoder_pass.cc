#include "engine/model/decoder_pass.h"

#include <algorithm>

namespace vade::model {
namespace {

// Rows a thread treats at a time in steps that go row by row.
constexpr size_t kRowChunk = 8;

// Rows of the embedding table read from the file before its pages are given back, some 10 us.
constexpr size_t kRowsHeld = 4;

// Logits a thread scales or caps at a time.
constexpr size_t kLogitChunk = 4096;

std::vector<AttentionRun> RunsOf(std::span<const PlacedRow> rows, const KvCache& cache) {
  std::vector<AttentionRun> runs;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (row == 0 || rows[row].token.sequence != rows[row - 1].token.sequence) {
      runs.push_back({.pages = cache.Pages(rows[row].token.sequence).data(),
                      .first_position = rows[row].position,
                      .first_row = row});
    }
    ++runs.back().num_rows;
  }
  return runs;
}

// y = norm(x); bias (layer norm only) may be null, x may be y. Shapes: all [n] f32.
void Normalize(const kernels::KernelTable& kernels, NormKind kind, const float* x,
               const float* weight, const float* bias, float eps, size_t n, float* y) noexcept {
  if (kind == NormKind::kLayer) return kernels.layer_norm(x, weight, bias, eps, n, y);
  kernels.rms_norm(x, weight, eps, n, y);
}

}  // namespace

void DecoderPass::NormalizeRow(const LayerNormWeights& norm, const float* x,
                               float* y) const noexcept {
  Normalize(kernels, config.facts->norm, x, norm.weight.data(), norm.bias_or_null(),
            config.norm_eps, config.d_model, y);
}

// hidden = token (scaled, plus position), and the angles of the batch's positions.
void DecoderPass::Embed() {
  const bool rotates = config.rope.style != RopeStyle::kNone;
  team.ForRanges(num_rows_, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      float* x = Hidden(row);
      weights.tokens.Read(static_cast<size_t>(rows[row].token.token), x);
      if (row % kRowsHeld == 0 || row + 1 == end) weights.tokens.Release();
      if (config.embedding_scale != 1.0f) {
        for (size_t i = 0; i < config.d_model; ++i) x[i] *= config.embedding_scale;
      }
      if (weights.positions.rows() != 0) {
        weights.positions.Read(rows[row].position, Normed(row));
        kernels.add(Normed(row), config.d_model, x);
      }
      if (!rotates) continue;
      scratch.rope.Set(row, rows[row].position, weights.rope);
      scratch.local_rope.Set(row, rows[row].position, weights.local_rope);
    }
  });
}

// normed = norm(hidden), where there is a norm; and the operand of the next product.
void DecoderPass::Prepare(const LayerNormWeights& norm, const tensor::PackedMatrix& reader) {
  scratch.narrow.Shape(reader);
  team.ForRanges(num_rows_, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      const float* x = Hidden(row);
      if (!norm.weight.empty()) {
        NormalizeRow(norm, x, Normed(row));
        x = Normed(row);
      }
      scratch.narrow.Store(kernels, row, 0, {x, config.d_model});
    }
  });
}

// hidden += branch, after the branch's own norm if it has one; then what comes next is normalised.
void DecoderPass::AddBranch(const LayerNormWeights& post_norm, const LayerNormWeights& next_norm) {
  team.ForRanges(num_rows_, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      float* branch = scratch.branch.data() + row * config.d_model;
      if (!post_norm.weight.empty()) NormalizeRow(post_norm, branch, branch);
      if (config.residual_scale != 1.0f) {
        for (size_t i = 0; i < config.d_model; ++i) branch[i] *= config.residual_scale;
      }
      kernels.add(branch, config.d_model, Hidden(row));
      if (!next_norm.weight.empty()) NormalizeRow(next_norm, Hidden(row), Normed(row));
    }
  });
}

// narrow = x, in the form a matrix wants. Shapes: x [num_rows, width] f32.
void DecoderPass::Store(const float* x, size_t width, const tensor::PackedMatrix& reader) {
  scratch.narrow.Shape(reader);
  team.ForRanges(num_rows_, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      scratch.narrow.Store(kernels, row, 0, {x + row * width, width});
    }
  });
}

// y = narrow * w^T + bias, rows ldy apart, columns shared out.
void DecoderPass::Multiply(const Linear& linear, float* y, size_t ldy) {
  team.ForRanges(linear.weight.n(), kernels::kPanelWidth, [&](size_t begin, size_t end, size_t) {
    tensor::Product{.x = scratch.narrow,
                    .w = linear.weight,
                    .bias = linear.bias_or_null(),
                    .y = y + begin,
                    .ldy = ldy}
        .Run(kernels, 0, num_rows_, begin, end - begin);
  });
}

// qkv, piece by piece; a piece of another form than the one before needs the operand anew.
void DecoderPass::ProjectQkv(const DecoderLayer& layer) {
  const bool normed = !layer.attention_norm.weight.empty();
  float* y = scratch.qkv.data();
  for (size_t i = 0; i < layer.qkv.size(); ++i) {
    const Linear& piece = layer.qkv[i];
    if (i > 0 && piece.weight.form() != layer.qkv[i - 1].weight.form()) {
      Store(normed ? Normed(0) : Hidden(0), config.d_model, piece.weight);
    }
    Multiply(piece, y, config.qkv_dim());
    y += piece.weight.n();
  }
}

void DecoderPass::NormalizeHeads(const Vector& weight, size_t num_heads, float* heads) const {
  if (weight.empty()) return;
  const bool whole = config.facts->qk_norm == QkNorm::kWhole;
  const size_t width = whole ? num_heads * config.head_dim : config.head_dim;
  const size_t weight_step = config.facts->qk_norm == QkNorm::kEachHead ? config.head_dim : 0;
  for (size_t i = 0; i < (whole ? 1 : num_heads); ++i) {
    float* x = heads + i * width;
    Normalize(kernels, config.facts->norm, x, weight.data() + i * weight_step, nullptr,
              config.norm_eps, width, x);
  }
}

// Normalises and rotates one row's queries and keys; stores its keys and values.
void DecoderPass::PlaceRow(const DecoderLayer& layer, size_t layer_idx, size_t row) {
  float* query = scratch.qkv.data() + row * config.qkv_dim();
  float* key = query + config.q_dim();
  const float* value = key + config.kv_dim();
  NormalizeHeads(layer.q_norm, config.num_heads, query);
  NormalizeHeads(layer.k_norm, config.num_kv_heads, key);
  const LayerConfig& own = config.layers[layer_idx];
  if (own.rotates) {
    const RopeRows& rope = own.window != 0 ? scratch.local_rope : scratch.rope;
    rope.Rotate(kernels, config.rope.style, row, config.num_heads + config.num_kv_heads,
                config.head_dim, query);
  }
  const PlacedRow& placed = rows[row];
  std::byte* page = cache.Pages(placed.token.sequence)[placed.position / kKvPageTokens];
  const size_t slot = placed.position % kKvPageTokens;
  const KvLayout& layout = cache.layout();
  for (size_t head = 0; head < config.num_kv_heads; ++head) {
    layout.StoreKey(kernels, page + layout.KeyOffset(layer_idx, head), slot,
                    key + head * config.head_dim);
    layout.StoreValue(kernels, page + layout.ValueOffset(layer_idx, head), slot,
                      value + head * config.head_dim);
  }
}

void DecoderPass::PlaceKeys(const DecoderLayer& layer, size_t layer_idx) {
  team.ForRanges(num_rows_, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) PlaceRow(layer, layer_idx, row);
  });
}

void DecoderPass::Attend(size_t layer_idx) {
  const AttentionShape shape{.num_heads = config.num_heads,
                             .num_kv_heads = config.num_kv_heads,
                             .head_dim = config.head_dim,
                             .window = config.layers[layer_idx].window,
                             .scale = config.query_scale,
                             .cap = config.score_cap};
  // Tiles are smaller when there are fewer key heads than threads.
  const size_t columns = runs_.size() * config.num_kv_heads;
  const size_t cuts = (team.size() + columns - 1) / columns;
  std::vector<AttentionTask> tasks;
  for (const AttentionRun& run : runs_) {
    const size_t num_queries = run.num_rows * shape.group();
    const size_t tile =
        std::clamp<size_t>((num_queries + cuts - 1) / cuts, 1, AttentionTile::kMaxRows);
    for (size_t end = num_queries; end > 0; end -= std::min(end, tile)) {  // the longest first
      for (size_t head = 0; head < config.num_kv_heads; ++head) {
        tasks.push_back({run, head, end - std::min(end, tile), end});
      }
    }
  }
  team.For(tasks.size(), [&](size_t i, size_t thread_idx) {
    scratch.tiles[thread_idx].Run(kernels, cache.layout(), layer_idx, shape, tasks[i],
                                  scratch.qkv.data(), config.qkv_dim(), scratch.context.data(),
                                  config.q_dim());
  });
}

// After the last layer's attention only the rows that want logits matter.
void DecoderPass::KeepWanted() {
  size_t kept = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (!rows[row].token.wants_logits) continue;
    const auto move = [&](AlignedBuffer<float>& buffer, size_t width) {
      std::copy_n(buffer.data() + row * width, width, buffer.data() + kept * width);
    };
    if (kept != row) {
      move(scratch.hidden, config.d_model);
      move(scratch.normed, config.d_model);
      move(scratch.context, config.q_dim());
    }
    ++kept;
  }
  num_rows_ = kept;
}

// False when nothing is left to be computed.
bool DecoderPass::RunLayer(size_t layer_idx) {
  const DecoderLayer& layer = weights.layers[layer_idx];
  const bool last = layer_idx + 1 == config.num_layers;
  Prepare(layer.attention_norm, layer.qkv.front().weight);
  ProjectQkv(layer);
  PlaceKeys(layer, layer_idx);
  if (observer != nullptr) observer->AfterKeys(*this, layer_idx);
  const bool any_wanted =
      std::ranges::any_of(rows, [](const PlacedRow& row) { return row.token.wants_logits; });
  if (last && !any_wanted) return false;
  Attend(layer_idx);
  if (last) KeepWanted();
  Store(scratch.context.data(), config.q_dim(), layer.attention_out.weight);
  Multiply(layer.attention_out, scratch.branch.data(), config.d_model);
  AddBranch(layer.attention_post_norm, layer.ffn_norm);
  // Without a norm of its own the network reads what attention read.
  const bool reads_hidden = config.facts->place == NormPlace::kPost;
  Ffn(config, layer, kernels, team, scratch.ffn)
      .Run(reads_hidden ? Hidden(0) : Normed(0), num_rows_, scratch.branch.data());
  AddBranch(layer.ffn_post_norm, {});
  return true;
}

void DecoderPass::NormalizeInto(float* out) {
  team.ForRanges(num_rows_, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      NormalizeRow(weights.output_norm, Hidden(row), out + row * config.d_model);
    }
  });
}

void DecoderPass::Logits(float* logits) {
  if (weights.output.weight.n() == 0) return NormalizeInto(logits);
  Prepare(weights.output_norm, weights.output.weight);
  Multiply(weights.output, logits, weights.output.weight.n());
  if (config.logit_scale == 1.0f && config.logit_cap == 0) return;
  const size_t size = num_rows_ * weights.output.weight.n();
  team.ForRanges(size, kLogitChunk, [&](size_t begin, size_t end, size_t) {
    if (config.logit_cap != 0) {
      return kernels.soft_cap(logits + begin, end - begin, config.logit_scale, config.logit_cap);
    }
    for (size_t i = begin; i < end; ++i) logits[i] *= config.logit_scale;
  });
}

bool DecoderPass::Run(float* logits) {
  num_rows_ = rows.size();
  runs_ = RunsOf(rows, cache);
  Embed();
  if (observer != nullptr) observer->AfterEmbedding(*this);
  for (size_t i = 0; i < config.num_layers; ++i) {
    if (cancel != nullptr && cancel->cancelled()) return false;
    if (!RunLayer(i)) return true;
  }
  Logits(logits);
  return true;
}

}  // namespace vade::model
