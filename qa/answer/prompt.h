// Prompt: numbered passages and instructions for a language model, and the ledger of what went in.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/chat_prompt.h"
#include "qa/answer/question.h"
#include "retriever/retriever.h"

namespace vade::qa {

/// One part of the prompt, or one that was left out.
struct LedgerEntry {
  std::string what;  // "instructions", "question", "passage 3: pump.pdf, p. 7"
  size_t tokens = 0;
  bool included = false;
  std::string reason;  // why it was left out
};

struct GroundedPrompt {
  std::vector<engine::ChatMessage> messages;
  std::vector<LedgerEntry> ledger;
  std::vector<size_t> passages;  // index into the search's passages of [1], [2], ...
  size_t budget_tokens = 0;      // what the passages, the question and the instructions could take
};

/// What was said before in a conversation, as its prompts had it: user and assistant in turns, and
/// the passages that the user's messages number [1], [2], ...
struct PromptHistory {
  std::vector<engine::ChatMessage> messages;
  std::vector<retriever::Passage> passages;
  size_t tokens = 0;  // what the messages cost
};

/// The user's message: passages numbered from first_number on, and the question.
[[nodiscard]] std::string UserMessage(const Question& question,
                                      const std::vector<retriever::Passage>& passages,
                                      size_t first_number);

/// Is all of `passage` in one of these?
[[nodiscard]] bool HoldsPassage(const std::vector<retriever::Passage>& passages,
                                const retriever::Passage& passage);

/// Tokens a text costs in the model's vocabulary.
using TokenCounter = std::function<size_t(std::string_view)>;

/// The passages that fit, best first and whole: none is cut. Those that do not fit are named in the
/// ledger, and smaller ones behind them may still go in. `history` comes before them, its passages
/// are not repeated.
/// Errors: kResource if not even instructions, question and the smallest passage fit (with
/// numbers).
[[nodiscard]] Result<GroundedPrompt> BuildPrompt(const Question& question,
                                                 const std::vector<retriever::Passage>& passages,
                                                 size_t budget_tokens, const TokenCounter& count,
                                                 const PromptHistory& history = {});

}  // namespace vade::qa
