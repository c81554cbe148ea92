// The recorder: copies, and attention by its definition.
#include "engine/model/decoder_trace.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/base/check.h"
#include "engine/base/memory_info.h"
#include "engine/model/decoder_pass.h"

namespace vade::model {
namespace {

size_t Triangle(size_t n) noexcept { return n * (n + 1) / 2; }

double Dot(const float* a, const float* b, size_t n) noexcept {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

// weights = softmax(scores); the largest score is taken off first, so that nothing overflows.
void Softmax(std::span<const double> scores, float* weights) noexcept {
  const double highest = *std::ranges::max_element(scores);
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - highest);
  for (size_t i = 0; i < scores.size(); ++i) {
    weights[i] = static_cast<float>(std::exp(scores[i] - highest) / sum);
  }
}

RopeTrace TraceOf(const RopeConfig& config, const RopeFrequencies& frequencies) {
  const auto angles = frequencies.per_position();
  return {config, {angles.begin(), angles.end()}};
}

}  // namespace

std::span<const float> DecoderTrace::Attention(size_t layer_idx, size_t head,
                                               size_t token) const noexcept {
  const size_t map = (layer_idx * num_heads + head) * Triangle(num_tokens);
  return std::span(attention).subspan(map + Triangle(token), token + 1);
}

Result<TraceRecorder> TraceRecorder::Create(const DecoderConfig& config, size_t num_tokens,
                                            size_t batch_tokens) {
  if (num_tokens == 0) return Fail(ErrorCode::kInvalidArgument, "trace: got no tokens");
  if (const size_t most = std::min(kMaxTracedTokens, batch_tokens); num_tokens > most) {
    return Fail(ErrorCode::kResource, "trace: got " + std::to_string(num_tokens) +
                                          " tokens, at most " + std::to_string(most) +
                                          " can be looked at: give a shorter text");
  }
  const uint64_t bytes =
      uint64_t{config.num_layers} * config.num_heads * Triangle(num_tokens) * sizeof(float);
  if (bytes > kMaxTraceBytes) {
    return Fail(ErrorCode::kResource, "trace: the attention of " + std::to_string(num_tokens) +
                                          " tokens in " + std::to_string(config.num_layers) +
                                          " layers of " + std::to_string(config.num_heads) +
                                          " heads takes " + FormatBytes(bytes) + ", at most " +
                                          FormatBytes(kMaxTraceBytes) + ": give a shorter text");
  }
  TraceRecorder recorder;
  DecoderTrace& trace = recorder.trace_;
  trace.num_tokens = num_tokens;
  trace.num_layers = config.num_layers;
  trace.num_heads = config.num_heads;
  trace.num_kv_heads = config.num_kv_heads;
  trace.head_dim = config.head_dim;
  trace.d_model = config.d_model;
  trace.layers = config.layers;
  trace.embedding_scale = config.embedding_scale;
  trace.attention.resize(bytes / sizeof(float));
  return recorder;
}

void TraceRecorder::AfterEmbedding(const PassContext& pass) {
  VADE_CHECK(pass.rows.size() == trace_.num_tokens && pass.rows.front().position == 0);
  trace_.rope = TraceOf(pass.config.rope, pass.weights.rope);
  trace_.local_rope = TraceOf(pass.config.local_rope, pass.weights.local_rope);
  const auto rows = [&](const StoredRows& stored, const auto& index_of) {
    std::vector<float> values(trace_.num_tokens * trace_.d_model);
    for (size_t token = 0; token < trace_.num_tokens; ++token) {
      stored.Read(index_of(token), values.data() + token * trace_.d_model);
    }
    return values;
  };
  trace_.embeddings = rows(pass.weights.tokens, [&](size_t token) {
    return static_cast<size_t>(pass.rows[token].token.token);
  });
  for (float& x : trace_.embeddings) x *= pass.config.embedding_scale;
  if (pass.weights.positions.rows() == 0) return;
  trace_.positions = rows(pass.weights.positions, [](size_t token) { return token; });
}

void TraceRecorder::AfterKeys(const PassContext& pass, size_t layer_idx) {
  pass.team.For(trace_.num_heads,
                [&](size_t head, size_t /*thread_idx*/) { Weigh(pass, layer_idx, head); });
}

void TraceRecorder::Weigh(const PassContext& pass, size_t layer_idx, size_t head) {
  const DecoderConfig& config = pass.config;
  const size_t window = config.layers[layer_idx].window;
  const size_t kv_head = head / (config.num_heads / config.num_kv_heads);
  const float* queries = pass.scratch.qkv.data() + head * config.head_dim;
  const float* keys = pass.scratch.qkv.data() + config.q_dim() + kv_head * config.head_dim;
  float* map =
      trace_.attention.data() + (layer_idx * trace_.num_heads + head) * Triangle(trace_.num_tokens);
  std::vector<double> scores;
  for (size_t token = 0; token < trace_.num_tokens; ++token) {
    const size_t first = window != 0 && token + 1 > window ? token + 1 - window : 0;
    scores.clear();
    for (size_t other = first; other <= token; ++other) {
      double score =
          double{config.query_scale} *
          Dot(queries + token * config.qkv_dim(), keys + other * config.qkv_dim(), config.head_dim);
      if (config.score_cap != 0) {
        score = double{config.score_cap} * std::tanh(score / double{config.score_cap});
      }
      scores.push_back(score);
    }
    Softmax(scores, map + Triangle(token) + first);  // what lies before the window stays zero
  }
}

}  // namespace vade::model
