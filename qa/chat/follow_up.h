// Follow-up questions: which questions lean on the one before, and what they mean by themselves.
// Rules for English and Korean; a language model's rewriting is only taken if it passes them.
#pragma once

#include <string>
#include <string_view>

namespace vade::qa {

/// True for "How long does it take?", "What about the P350?", "그건 왜요?": a pronoun, an opening
/// like "and", or hardly a word of its own. A question that names a thing stands by itself.
[[nodiscard]] bool IsFollowUp(std::string_view question);

/// The question with the topic of `previous`, a question that stands by itself: the missing words
/// in parentheses, or, for "What about ...?", put behind it or in the place of its model number.
[[nodiscard]] std::string CarryTopic(std::string_view question, std::string_view previous);

/// May `rewritten` take the place of `question`? It is one short line in the same language, keeps
/// the model numbers and most words of the question, and invents none: its words stand in the
/// question or in `conversation`.
[[nodiscard]] bool IsFaithfulRewriting(std::string_view rewritten, std::string_view question,
                                       std::string_view conversation);

}  // namespace vade::qa
