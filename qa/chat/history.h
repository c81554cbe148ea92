// ChatHistory: the turns of a conversation, and as much of them as the next prompt can take.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "qa/answer/citation.h"
#include "qa/answer/prompt.h"
#include "retriever/retriever.h"

namespace vade::qa {

struct ChatTurn {
  std::string question;    // as typed
  std::string standalone;  // as searched for
  std::string answer;      // as shown
  bool refused = false;
  std::vector<Citation> citations;
  // What the next turn builds on; a loaded conversation has none of it.
  std::vector<retriever::Passage> passages;  // new in this turn
  std::string words;                         // the answer with marks numbered as in the prompt
};

/// Single-thread.
class ChatHistory {
 public:
  /// `base`: passages that the turn's prompt had before its own (PromptHistory::passages.size()).
  void Add(ChatTurn turn, size_t base);
  void Clear();
  /// The turns as read from a file.
  void Replace(std::vector<ChatTurn> turns);

  [[nodiscard]] const std::vector<ChatTurn>& turns() const { return turns_; }

  /// The newest turns, whole ones, that cost at most budget_tokens. With the same turns it is the
  /// same text each time, so that a session does not compute it again.
  [[nodiscard]] PromptHistory ForPrompt(size_t budget_tokens, const TokenCounter& count) const;

  /// Questions and answers of the last turns in at most max_bytes, oldest first: for rewriting.
  [[nodiscard]] std::string Digest(size_t max_bytes) const;

 private:
  [[nodiscard]] PromptHistory From(size_t first, const TokenCounter& count) const;

  std::vector<ChatTurn> turns_;
  std::vector<size_t> numbers_;  // of each turn: passages of all turns before it
};

/// "[n]" with n moved by -base; marks that would fall below 1 are left out with the space before
/// them.
[[nodiscard]] std::string ShiftMarks(std::string_view text, size_t base);

}  // namespace vade::qa
