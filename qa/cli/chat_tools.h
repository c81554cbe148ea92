// The tools of `vade chat`: which there are, asking the user, and showing what was called.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "qa/chat/chat.h"
#include "qa/cli/context.h"
#include "qa/cli/terminal.h"

namespace vade::qa {

/// Calculator, clock and units, and what the configuration names. Calls that leave the machine are
/// asked about where a terminal is at both ends, and denied elsewhere, but for those that `allowed`
/// or the configuration allows.
/// Errors: kInvalidArgument for an allowed tool that there is not.
[[nodiscard]] Result<ChatTools> MakeChatTools(const ToolSettings& settings,
                                              const std::vector<std::string>& allowed);

/// What /tools says.
[[nodiscard]] std::string DescribeTools(const ChatTools& tools, bool with_library, bool on);

/// One line to standard error: what was called with what, and what it gave.
void PrintToolCall(const ToolTrace& trace);

/// The answer and its sources, or the refusal. `store` may be null.
void PrintToolAnswer(const ToolAnswer& answer, const std::string& question,
                     const vectorstore::Store* store, const Terminal& terminal);

}  // namespace vade::qa
