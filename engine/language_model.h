// LanguageModel: text from a model, wherever it runs: in this process, in a runner process, or
// behind the API of another server. What answers, conversations and the server see of the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/chat_message.h"
#include "engine/runtime/sampling_options.h"
#include "engine/session.h"

namespace vade::engine {

/// A function that the model may ask to have called.
struct ToolSpec {
  std::string name;         // [A-Za-z0-9_-]{1,64}
  std::string description;  // for the model
  std::string parameters;   // JSON schema of the arguments object; empty: takes none
};

/// May or must a tool be called?
struct ToolChoice {
  enum class Mode : uint8_t { kAuto, kNone, kRequired };
  Mode mode = Mode::kAuto;
  std::string name;  // with kRequired: this tool; empty: any
};

/// The form that the text must have.
struct OutputFormat {
  enum class Kind : uint8_t { kText, kJsonObject, kJsonSchema, kGbnf };
  Kind kind = Kind::kText;
  std::string definition;  // the schema's JSON text, or the grammar
};

struct ModelRequest {
  std::vector<ChatMessage> messages;  // what was said; or
  std::optional<std::string> prompt;  // a text to be continued as it is, without a template
  std::vector<ToolSpec> tools;
  ToolChoice tool_choice;
  OutputFormat format;
  runtime::SamplingOptions sampling;
  size_t max_tokens = 0;  // 0: until the model ends or the context is full
  std::vector<std::string> stop;
  size_t draft_tokens = GenerateOptions{}.draft_tokens;  // local models only
  // A short one beside a conversation, whose computed beginning is kept for its next turn.
  bool aside = false;
};

/// One token of the reply with what was asked about it.
struct TokenLogprob {
  tokenizer::TokenId id = -1;  // -1: not told
  std::string bytes;           // may be part of a UTF-8 character
  float logprob = 0;
  struct Other {
    tokenizer::TokenId id = -1;
    std::string bytes;
    float logprob = 0;
  };
  std::vector<Other> top;
};

struct ModelReply {
  std::string text;                  // without stop string and without what became tool calls
  std::vector<ToolCall> tool_calls;  // arguments checked against the tool's schema
  StopReason reason = StopReason::kEnd;
  std::string stop_string;   // with kStopString, when the model tells which
  size_t prompt_tokens = 0;  // as the model counts them
  size_t reused_tokens = 0;  // of the prompt, known from before
  size_t completion_tokens = 0;
  size_t drafted_tokens = 0;
  size_t accepted_tokens = 0;
  uint64_t seed = 0;    // 0 from servers that do not tell
  double queue_ms = 0;  // waiting for a place in the batch
  double prefill_ms = 0;
  double decode_ms = 0;
  std::vector<tokenizer::TokenId> token_ids;  // of the text; empty from servers
  std::vector<TokenLogprob> logprobs;         // with sampling.logprobs
  std::string template_name;  // "model", a built-in one, "none"; empty when only the server knows
  std::string prompt;         // as the model got it; empty when only the server knows
  std::vector<std::string> warnings;
};

/// What a prompt costs.
struct PromptCount {
  size_t tokens = 0;
  bool exact = true;  // false: an estimate from above, of a server that does not count
};

/// Thread-safe: many callers at once; how many run side by side is the implementation's.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  /// Most tokens of prompt and reply together.
  [[nodiscard]] virtual size_t context_length() const = 0;

  /// Tokens of one text by itself: exact for local models, an estimate from above otherwise.
  [[nodiscard]] virtual size_t CountTokens(std::string_view text) const = 0;
  /// Tokens of the whole prompt that the request makes, template and tools included.
  /// Errors: as Generate.
  [[nodiscard]] virtual Result<PromptCount> CountPrompt(const ModelRequest& request) const = 0;

  /// The reply. `sink` takes its text as it comes, on the calling thread; false stops. A reply that
  /// turns into tool calls gives no text of theirs. A cancelled request gives what it had, with
  /// kCancelled as its reason.
  /// Errors: kInvalidArgument for options out of range and for a prompt that leaves no room in the
  /// context (with both numbers): nothing is cut off silently; kResource when a queue is full;
  /// kUnavailable for what a network or a server did; the model's own.
  [[nodiscard]] virtual Result<ModelReply> Generate(const ModelRequest& request,
                                                    const TextSink& sink,
                                                    const CancelToken* cancel = nullptr,
                                                    const PrefillProgress& progress = {}) = 0;
};

}  // namespace vade::engine
