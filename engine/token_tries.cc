#include "engine/token_tries.h"

#include <algorithm>
#include <array>

namespace vade::engine {

using tokenizer::TokenId;

bool IsCallMark(std::string_view control_token) noexcept {
  constexpr std::array<std::string_view, 5> kMarks = {"[TOOL_CALLS]", "[ARGS]", "<tool_call>",
                                                      "</tool_call>", "<|python_tag|>"};
  return std::ranges::find(kMarks, control_token) != kMarks.end();
}

runtime::TokenTrie TokenTries::Build(bool with_call_marks) const {
  std::vector<std::string> texts(tokenizer_.vocab_size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (tokenizer_.IsEndOfGeneration(id)) continue;
    std::string text = tokenizer_.TokenText(id);
    const bool is_text = !tokenizer_.IsControl(id) || (with_call_marks && IsCallMark(text));
    if (is_text) texts[i] = std::move(text);
  }
  return runtime::TokenTrie(texts);
}

const runtime::TokenTrie& TokenTries::Text() {
  const std::lock_guard lock(mutex_);
  if (!text_) text_.emplace(Build(false));
  return *text_;
}

const runtime::TokenTrie& TokenTries::Calls() {
  const std::lock_guard lock(mutex_);
  if (!calls_) calls_.emplace(Build(true));
  return *calls_;
}

std::span<const TokenId> TokenTries::EndIds() {
  const std::lock_guard lock(mutex_);
  if (!end_ids_) {
    std::vector<TokenId> ids;
    for (size_t i = 0; i < tokenizer_.vocab_size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      if (tokenizer_.IsEndOfGeneration(id)) ids.push_back(id);
    }
    end_ids_.emplace(std::move(ids));
  }
  return *end_ids_;
}

}  // namespace vade::engine
