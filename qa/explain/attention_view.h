// Attention maps cut down to what a reader can take in: means over heads, what stands out.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/decoder_engine.h"

namespace vade::qa {

/// One map: of a head, or the mean over a layer's heads.
struct AttentionPlace {
  size_t layer_idx = 0;
  std::optional<size_t> head;
};

/// Row `token` of a map: token + 1 weights that sum to one.
[[nodiscard]] std::vector<float> AttentionRow(const engine::DecoderTrace& trace,
                                              AttentionPlace place, size_t token);

/// The head whose last token looks least at itself and at the first token, which take most of the
/// attention in most heads; the first such one. REQUIRES a trace with tokens.
[[nodiscard]] AttentionPlace MostTellingHead(const engine::DecoderTrace& trace);

struct Glance {
  size_t token = 0;
  float weight = 0;
};
/// The `count` largest weights of a row, largest first.
[[nodiscard]] std::vector<Glance> Strongest(const std::vector<float>& row, size_t count);

/// How much longer a pair takes for a full turn than it would without scaling: 1 where nothing is
/// scaled.
[[nodiscard]] double Stretch(const engine::RopeTrace& rope, size_t pair);

/// Positions until a pair has turned once.
[[nodiscard]] double Wavelength(const engine::RopeTrace& rope, size_t pair);

/// At most `count` pairs, evenly spread, the first and the last among them.
[[nodiscard]] std::vector<size_t> SomePairs(const engine::RopeTrace& rope, size_t count);

}  // namespace vade::qa
