#include "qa/chat/history.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

// What a template writes around a message, generously.
constexpr size_t kMessageTokens = 12;

/// Calls `put` for every [n] of a text with the text before it and n; then for the rest with 0.
template <typename Put>
void ForMarks(std::string_view text, const Put& put) {
  size_t done = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '[') continue;
    const size_t close = text.find(']', at);
    if (close == std::string_view::npos) break;
    size_t number = 0;
    const char* end = text.data() + close;
    const auto parsed = std::from_chars(text.data() + at + 1, end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number == 0) continue;
    put(text.substr(done, at - done), number);
    done = close + 1;
    at = close;
  }
  put(text.substr(done), size_t{0});
}

std::string Renumber(std::string_view text, size_t plus, size_t minus) {
  std::string out;
  ForMarks(text, [&](std::string_view before, size_t number) {
    out += before;
    if (number == 0) return;
    if (number + plus > minus) {
      out += "[" + std::to_string(number + plus - minus) + "]";
    } else if (out.ends_with(' ')) {
      out.pop_back();
    }
  });
  return out;
}

}  // namespace

std::string ShiftMarks(std::string_view text, size_t base) { return Renumber(text, 0, base); }

void ChatHistory::Add(ChatTurn turn, size_t base) {
  const size_t number = turns_.empty() ? 0 : numbers_.back() + turns_.back().passages.size();
  turn.words = Renumber(turn.words, number, base);
  turns_.push_back(std::move(turn));
  numbers_.push_back(number);
}

void ChatHistory::Clear() {
  turns_.clear();
  numbers_.clear();
}

void ChatHistory::Replace(std::vector<ChatTurn> turns) {
  turns_ = std::move(turns);
  numbers_.assign(turns_.size(), 0);
}

PromptHistory ChatHistory::From(size_t first, const TokenCounter& count) const {
  PromptHistory history;
  const auto say = [&](const char* role, std::string text) {
    history.tokens += count(text) + kMessageTokens;
    history.messages.push_back({role, std::move(text)});
  };
  for (size_t i = first; i < turns_.size(); ++i) {
    const ChatTurn& turn = turns_[i];
    const bool grounded = !turn.passages.empty() || !history.passages.empty();
    say("user", grounded ? UserMessage(ReadQuestion(turn.standalone), turn.passages,
                                       history.passages.size() + 1)
                         : turn.standalone);
    say("assistant", ShiftMarks(turn.words, numbers_[first]));
    history.passages.insert(history.passages.end(), turn.passages.begin(), turn.passages.end());
  }
  return history;
}

PromptHistory ChatHistory::ForPrompt(size_t budget_tokens, const TokenCounter& count) const {
  // From the newest turn back, since each costs what it costs wherever the history begins (but for
  // digits of its numbers). The last turn that fits decides.
  size_t first = turns_.size();
  PromptHistory best;
  while (first > 0) {
    PromptHistory longer = From(first - 1, count);
    if (longer.tokens > budget_tokens) break;
    best = std::move(longer);
    --first;
  }
  return best;
}

std::string ChatHistory::Digest(size_t max_bytes) const {
  std::string digest;
  for (size_t i = turns_.size(); i-- > 0;) {
    const ChatTurn& turn = turns_[i];
    const std::string_view answer(turn.answer);
    const size_t cut = utf8::FloorBoundary(answer, max_bytes / 3);
    std::string lines = "Question: " + turn.standalone + "\nAnswer: ";
    lines.append(answer.substr(0, cut)).append(cut < answer.size() ? " ...\n" : "\n");
    if (digest.size() + lines.size() > max_bytes) break;
    digest.insert(0, lines);
  }
  return digest;
}

}  // namespace vade::qa
