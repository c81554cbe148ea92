// Prompt bounds: what a prompt costs in a vocabulary that only a server knows, from above and from
// below, so that nothing is cut off there unseen (faults.md 70).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/language_model.h"

namespace vade::engine {

/// Tokens of a text, from above for the vocabularies of today's models (32 thousand entries and
/// more): a token per digit, sign and line end, per three letters of a word begun, per Latin or
/// Cyrillic letter beyond ASCII, two per other character, four beyond the basic plane. Beside
/// Llama 3's counts: 1.5 times for English, 2.5 to 3 times for Korean and Japanese.
[[nodiscard]] size_t EstimateTokens(std::string_view text);

/// No vocabulary takes fewer: a token per word between spaces.
[[nodiscard]] size_t LeastTokens(std::string_view text);

/// The same of a whole request with roles, template and tools.
[[nodiscard]] size_t EstimatePrompt(const ModelRequest& request);
[[nodiscard]] size_t LeastPrompt(const ModelRequest& request);

/// Errors: kInvalidArgument if the prompt leaves no room for a reply, with the numbers.
[[nodiscard]] Result<void> CheckFits(const PromptCount& count, size_t context_length);

/// Errors: kUnavailable if a server read fewer tokens than the prompt has; 0 says nothing.
[[nodiscard]] Result<void> CheckReported(const ModelRequest& request, size_t reported,
                                         std::string_view model);

}  // namespace vade::engine
