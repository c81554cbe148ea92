// Messages -> the tokens of the prompt a model was trained on.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/chat_message.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

struct ChatPrompt {
  std::vector<tokenizer::TokenId> ids;
  std::string text;           // as rendered, special tokens by their names
  std::string template_name;  // "model", or the built-in one that took its place
  std::vector<std::string> warnings;
};

/// The prompt for the assistant's next message. The model's own template (Jinja; may be empty) is
/// used when it renders; otherwise one of ours, chosen by the special tokens of the vocabulary
/// (chatml, llama3, gemma, phi3, llama2, plain), with a warning. A system message that a template
/// refuses is put before the first user message. Names of control tokens inside a message are text
/// (faults.md 20).
/// Errors: kInvalidArgument without messages.
[[nodiscard]] Result<ChatPrompt> BuildChatPrompt(const tokenizer::Tokenizer& tokenizer,
                                                 std::string_view model_template,
                                                 std::span<const ChatMessage> messages);

}  // namespace vade::engine
