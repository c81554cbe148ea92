// The explanation as one HTML page: loads nothing, light and dark, phone and desk.
#pragma once

#include <cstddef>
#include <string>

#include "qa/explain/attention_view.h"
#include "qa/explain/explanation.h"

namespace vade::qa {

/// Attention weights a page holds at most, one byte each. All heads of a text of 64 tokens in 32
/// layers of 32 heads take two thirds of it.
inline constexpr size_t kMaxPageWeights = 3'200'000;

struct HtmlPage {
  std::string html;
  size_t left_out_heads = 0;  // beyond kMaxPageWeights only the means of other layers are held
};

/// Every text from a model or a user is escaped. `place`: the map shown first.
[[nodiscard]] HtmlPage ExplainHtml(const Explanation& explanation, AttentionPlace place);

}  // namespace vade::qa
