// ChatMessage: one turn of a conversation with a language model.
#pragma once

#include <string>
#include <vector>

namespace vade::engine {

/// A model's wish to have a function called.
struct ToolCall {
  std::string id;         // of this call; unique in a conversation
  std::string name;       // of the function
  std::string arguments;  // JSON text of an object
};

struct ChatMessage {
  std::string role;  // "system", "user", "assistant", "tool"
  std::string content;
  std::vector<ToolCall> tool_calls = {};  // of an assistant
  std::string tool_call_id = {};          // of a tool: the call it answers
  std::string tool_name = {};             // of a tool
};

}  // namespace vade::engine
