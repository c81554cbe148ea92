// Messages -> the tokens of the prompt a model was trained on.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/chat_message.h"
#include "engine/language_model.h"
#include "engine/tokenizer/tokenizer.h"
#include "engine/tool_calls.h"

namespace vade::engine {

struct ChatPrompt {
  std::vector<tokenizer::TokenId> ids;
  std::string text;                        // as rendered, special tokens by their names
  std::string template_name;               // "model", or the built-in one that took its place
  CallForm call_form = CallForm::kTagged;  // in which the model was told to call tools
  std::vector<std::string> warnings;
};

/// The prompt for the assistant's next message. The model's own template (Jinja; may be empty) is
/// used when it renders; otherwise one of ours, chosen by the special tokens of the vocabulary
/// (chatml, llama3, gemma, phi3, llama2, plain), with a warning. A system message that a template
/// refuses is put before the first user message. Names of control tokens inside a message are text
/// (faults.md 20).
/// Tools are told in the template's own way if it has one that we read; otherwise they are
/// described in the system message, and calls and their results stand in the messages' text.
/// Errors: kInvalidArgument without messages.
[[nodiscard]] Result<ChatPrompt> BuildChatPrompt(const tokenizer::Tokenizer& tokenizer,
                                                 std::string_view model_template,
                                                 std::span<const ChatMessage> messages,
                                                 std::span<const ToolSpec> tools = {});

}  // namespace vade::engine
