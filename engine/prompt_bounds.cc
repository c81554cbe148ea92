#include "engine/prompt_bounds.h"

#include "engine/base/utf8.h"

namespace vade::engine {
namespace {

constexpr size_t kLettersPerToken = 3;
constexpr size_t kTemplateTokens = 16;  // what a template says by itself
constexpr size_t kMessageTokens = 8;    // role, separators

bool IsUpper(char32_t c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char32_t c) { return (c >= 'a' && c <= 'z') || IsUpper(c); }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

size_t EstimateTokens(std::string_view text) {
  size_t tokens = 0;
  size_t letters = 0;  // of the word so far
  bool after_lower = false;
  size_t spaces = 0;  // before it
  for (size_t at = 0; at < text.size();) {
    const utf8::CodePoint point = utf8::Decode(text, at);
    at += point.length;
    if (IsLetter(point.value)) {
      if (after_lower && IsUpper(point.value)) letters = 0;  // camelCase, keys
      after_lower = !IsUpper(point.value);
      tokens += letters++ % kLettersPerToken == 0 ? 1 : 0;
      spaces = 0;
      continue;
    }
    after_lower = false;
    letters = 0;
    if (point.value == ' ') {
      tokens += ++spaces % 4 == 2 ? 1 : 0;  // a single one belongs to the word behind it
      continue;
    }
    if (spaces == 1 && point.value >= 0x80) ++tokens;  // no word of that script begins with it
    spaces = 0;
    if (!point.valid) {
      tokens += point.length;
    } else if (point.value < 0x800) {
      tokens += 1;
    } else {
      tokens += point.value < 0x10000 ? 2 : 4;
    }
  }
  return tokens;
}

size_t LeastTokens(std::string_view text) {
  size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    words += !inside && !IsSpace(c) ? 1 : 0;
    inside = !IsSpace(c);
  }
  return words;
}

size_t EstimatePrompt(const ModelRequest& request) {
  if (request.prompt) return EstimateTokens(*request.prompt) + kTemplateTokens;
  size_t tokens = kTemplateTokens;
  for (const ChatMessage& message : request.messages) {
    tokens += EstimateTokens(message.content) + kMessageTokens;
    for (const ToolCall& call : message.tool_calls) {
      tokens += EstimateTokens(call.name) + EstimateTokens(call.arguments) + kMessageTokens;
    }
  }
  if (request.tool_choice.mode == ToolChoice::Mode::kNone) return tokens;
  if (!request.tools.empty()) tokens += 256;  // how to call them
  for (const ToolSpec& tool : request.tools) {
    tokens += EstimateTokens(tool.name) + EstimateTokens(tool.description) +
              EstimateTokens(tool.parameters) + 32;
  }
  return tokens;
}

size_t LeastPrompt(const ModelRequest& request) {
  if (request.prompt) return LeastTokens(*request.prompt);
  size_t tokens = 0;
  for (const ChatMessage& message : request.messages) tokens += LeastTokens(message.content);
  return tokens;
}

Result<void> CheckFits(const PromptCount& count, size_t context_length) {
  if (count.tokens < context_length) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "prompt: " + std::string(count.exact ? "" : "up to ") + std::to_string(count.tokens) +
                  " tokens leave no room in a context of " + std::to_string(context_length) +
                  " (--context raises it)");
}

Result<void> CheckReported(const ModelRequest& request, size_t reported, std::string_view model) {
  const size_t least = LeastPrompt(request);
  if (reported == 0 || reported >= least) return {};
  return Fail(ErrorCode::kUnavailable, utf8::Escape(model) + ": the server read only " +
                                           std::to_string(reported) + " of at least " +
                                           std::to_string(least) +
                                           " tokens: it cut the prompt off (its context is smaller "
                                           "than it said; start it with a larger one)");
}

}  // namespace vade::engine
