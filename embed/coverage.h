// How much of a text a vocabulary knows. Private to embed.
#pragma once

#include <string_view>

#include "engine/encoder_engine.h"

namespace vade::embed {

/// Share of the letters of `text` that belong to words the vocabulary knows: a word counts when it
/// has no unknown token and takes fewer tokens than letters; a one-letter word when it is ASCII.
/// 1 for a text without letters.
[[nodiscard]] double CoverageOf(const engine::EncoderEngine& engine, std::string_view text);

}  // namespace vade::embed
