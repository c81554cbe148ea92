#include "qa/explain/attention_view.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace vade::qa {

std::vector<float> AttentionRow(const engine::DecoderTrace& trace, AttentionPlace place,
                                size_t token) {
  if (place.head) {
    const auto row = trace.Attention(place.layer_idx, *place.head, token);
    return {row.begin(), row.end()};
  }
  std::vector<double> sums(token + 1);
  for (size_t head = 0; head < trace.num_heads; ++head) {
    const auto row = trace.Attention(place.layer_idx, head, token);
    for (size_t i = 0; i < row.size(); ++i) sums[i] += double{row[i]};
  }
  std::vector<float> mean;
  for (const double sum : sums) {
    mean.push_back(static_cast<float>(sum / static_cast<double>(trace.num_heads)));
  }
  return mean;
}

AttentionPlace MostTellingHead(const engine::DecoderTrace& trace) {
  AttentionPlace best{0, 0};
  float least = 2;
  for (size_t layer = 0; layer < trace.num_layers; ++layer) {
    for (size_t head = 0; head < trace.num_heads; ++head) {
      const auto row = trace.Attention(layer, head, trace.num_tokens - 1);
      const float usual = row.size() == 1 ? row[0] : row.front() + row.back();
      if (usual >= least) continue;
      least = usual;
      best = {layer, head};
    }
  }
  return best;
}

std::vector<Glance> Strongest(const std::vector<float>& row, size_t count) {
  std::vector<Glance> glances;
  for (size_t i = 0; i < row.size(); ++i) glances.push_back({i, row[i]});
  std::ranges::stable_sort(glances, std::ranges::greater(), &Glance::weight);
  glances.resize(std::min(count, glances.size()));
  return glances;
}

double Wavelength(const engine::RopeTrace& rope, size_t pair) {
  return 2 * std::numbers::pi / rope.per_position[pair];
}

double Stretch(const engine::RopeTrace& rope, size_t pair) {
  const double exponent = -2.0 * static_cast<double>(pair) / static_cast<double>(rope.config.dims);
  return std::pow(double{rope.config.base}, exponent) / rope.per_position[pair];
}

std::vector<size_t> SomePairs(const engine::RopeTrace& rope, size_t count) {
  const size_t num_pairs = rope.per_position.size();
  std::vector<size_t> pairs;
  if (num_pairs <= count) {
    pairs.resize(num_pairs);
    std::iota(pairs.begin(), pairs.end(), size_t{0});
    return pairs;
  }
  for (size_t i = 0; i < count; ++i) pairs.push_back(i * (num_pairs - 1) / (count - 1));
  return pairs;
}

}  // namespace vade::qa
