#include "qa/explain/json_format.h"

#include <algorithm>
#include <cmath>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kShownNumbers = 8;  // of an embedding

json ToJson(const ExplainedToken& token) {
  return {{"id", token.id}, {"text", utf8::Repair(token.text)}, {"control", token.control}};
}

json ToJson(const ExplainedCandidate& candidate) {
  json out = ToJson(candidate.token);
  out["logit"] = candidate.logit;
  out["probability"] = candidate.probability;
  out["after_settings"] = candidate.kept ? json(*candidate.kept) : json(nullptr);
  return out;
}

json Candidates(const ExplainedStep& step) {
  json out = json::array();
  for (const auto& candidate : step.candidates) out.push_back(ToJson(candidate));
  return out;
}

json Embedding(const Explanation& e) {
  json vectors = json::array();
  for (size_t i = 0; i < e.trace.num_tokens; ++i) {
    const auto row = e.trace.Embedding(i);
    double squares = 0;
    for (const float x : row) squares += double{x} * double{x};
    const size_t shown = std::min(row.size(), kShownNumbers);
    vectors.push_back(
        {{"length", std::sqrt(squares)},
         {"first", std::vector<float>(row.begin(), row.begin() + static_cast<ptrdiff_t>(shown))}});
  }
  return {{"width", e.trace.d_model},
          {"scale", e.trace.embedding_scale},
          {"vectors", std::move(vectors)}};
}

json Rope(const engine::RopeTrace& rope) {
  json pairs = json::array();
  for (size_t pair = 0; pair < rope.per_position.size(); ++pair) {
    pairs.push_back({{"radians_per_position", rope.per_position[pair]},
                     {"tokens_per_turn", Wavelength(rope, pair)},
                     {"slowed", Stretch(rope, pair)}});
  }
  const auto& scaling = rope.config.scaling;
  return {{"base", rope.config.base},
          {"rotated_numbers", rope.config.dims},
          {"yarn", scaling.yarn},
          {"position_scale", scaling.position_scale},
          {"attention_factor", scaling.attention_factor},
          {"pairs", std::move(pairs)}};
}

json Positions(const engine::DecoderTrace& trace) {
  if (!trace.positions.empty()) return {{"kind", "learnt"}};
  if (trace.rope.per_position.empty()) return {{"kind", "none"}};
  json out = {{"kind", "rope"}, {"head_width", trace.head_dim}, {"rope", Rope(trace.rope)}};
  const bool has_window =
      std::ranges::any_of(trace.layers, [](const auto& layer) { return layer.window != 0; });
  if (has_window) out["rope_of_windows"] = Rope(trace.local_rope);
  return out;
}

json Map(const engine::DecoderTrace& trace, AttentionPlace place) {
  json rows = json::array();
  for (size_t token = 0; token < trace.num_tokens; ++token) {
    rows.push_back(AttentionRow(trace, place, token));
  }
  return rows;
}

json Attention(const engine::DecoderTrace& trace, const AttentionChoice& choice) {
  const size_t num_layers = choice.layer_idx ? 1 : trace.num_layers;
  const size_t num_heads = choice.head ? 1 : trace.num_heads;
  const bool mean =
      num_layers * num_heads * trace.num_tokens * (trace.num_tokens + 1) / 2 > kMaxJsonWeights;
  json layers = json::array();
  for (size_t layer = 0; layer < trace.num_layers; ++layer) {
    if (choice.layer_idx && layer != *choice.layer_idx) continue;
    json maps = json::array();
    for (size_t head = 0; head < trace.num_heads && !mean; ++head) {
      if (choice.head && head != *choice.head) continue;
      maps.push_back({{"head", head}, {"weights", Map(trace, {layer, head})}});
    }
    if (mean) maps.push_back({{"head", nullptr}, {"weights", Map(trace, {layer, {}})}});
    layers.push_back({{"layer", layer},
                      {"window", trace.layers[layer].window},
                      {"rotated", trace.layers[layer].rotates},
                      {"maps", std::move(maps)}});
  }
  return {{"num_layers", trace.num_layers},
          {"num_heads", trace.num_heads},
          {"num_key_heads", trace.num_kv_heads},
          {"heads", mean ? "mean" : "each"},
          {"layers", std::move(layers)}};
}

json Settings(const runtime::SamplingOptions& s) {
  return {{"temperature", s.temperature},
          {"top_k", s.top_k},
          {"top_p", s.top_p},
          {"min_p", s.min_p},
          {"typical_p", s.typical_p},
          {"repeat_penalty", s.repeat_penalty},
          {"presence_penalty", s.presence_penalty},
          {"frequency_penalty", s.frequency_penalty}};
}

}  // namespace

json ToJson(const Explanation& e, const AttentionChoice& choice) {
  json tokens = json::array();
  for (const auto& token : e.tokens) tokens.push_back(ToJson(token));
  json loop = json::array();
  for (const auto& step : e.steps) {
    json turn = ToJson(step.candidates[step.chosen]);
    turn["num_kept"] = step.num_kept;
    turn["candidates"] = Candidates(step);
    loop.push_back(std::move(turn));
  }
  return {{"model", utf8::Repair(e.model)},
          {"architecture", e.architecture},
          {"tokens", std::move(tokens)},
          {"embedding", Embedding(e)},
          {"positions", Positions(e.trace)},
          {"attention", Attention(e.trace, choice)},
          {"logits", {{"vocab_size", e.vocab_size}, {"candidates", Candidates(e.steps.front())}}},
          {"settings", Settings(e.sampling)},
          {"seed", e.seed},
          {"loop", std::move(loop)},
          {"generated", utf8::Repair(e.generated)},
          {"ended", e.ended}};
}

}  // namespace vade::qa
