// The explanation as text for a terminal of 80 columns.
#pragma once

#include <string>

#include "qa/cli/terminal.h"
#include "qa/explain/attention_view.h"
#include "qa/explain/explanation.h"

namespace vade::qa {

/// All six steps. `place`: the attention map shown.
[[nodiscard]] std::string ExplainText(const Explanation& explanation, AttentionPlace place,
                                      const Terminal& terminal);

}  // namespace vade::qa
