#include "engine/local_model.h"

#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/runtime/json_schema.h"
#include "engine/tool_calls.h"

namespace vade::engine {
namespace {

// The grammar of a format; empty: any text.
Result<std::string> FormatGbnf(const OutputFormat& format) {
  switch (format.kind) {
    case OutputFormat::Kind::kText:
      break;
    case OutputFormat::Kind::kJsonObject:
      return runtime::JsonObjectGbnf();
    case OutputFormat::Kind::kJsonSchema:
      return runtime::JsonSchemaGbnf(format.definition);
    case OutputFormat::Kind::kGbnf:
      return format.definition;
  }
  return std::string();
}

bool MayCall(const ModelRequest& request) {
  return !request.prompt && !request.tools.empty() &&
         request.tool_choice.mode != ToolChoice::Mode::kNone;
}

// What the text must be: of the format, calls, or either.
Result<void> Constrain(const ModelRequest& request, CallForm form, GenerateOptions& options,
                       std::vector<std::string>& warnings) {
  VADE_TRY(std::string gbnf, FormatGbnf(request.format));
  if (MayCall(request)) {
    VADE_TRY(CallGrammar calls, MakeCallGrammar(form, request.tools, request.tool_choice));
    warnings.insert(warnings.end(), calls.warnings.begin(), calls.warnings.end());
    options.calls = CallTrigger{std::move(calls.marks), calls.only_at_start, std::nullopt};
    if (gbnf.empty() || options.calls->marks.empty()) {
      gbnf.clear();
      VADE_TRY(options.calls->grammar, runtime::Grammar::Parse(calls.gbnf));
    } else {
      gbnf = EitherGbnf(gbnf, calls.gbnf);
    }
  }
  if (!gbnf.empty()) {
    VADE_TRY(options.grammar, runtime::Grammar::Parse(gbnf));
  }
  return {};
}

std::vector<TokenLogprob> Logprobs(const Generation& generation,
                                   const tokenizer::Tokenizer& tokenizer) {
  std::vector<TokenLogprob> out;
  for (const runtime::Sampled& token : generation.tokens) {
    if (!token.logprob) continue;
    TokenLogprob& entry = out.emplace_back();
    entry.id = token.id;
    entry.bytes = tokenizer.TokenText(token.id);
    entry.logprob = *token.logprob;
    for (const auto& other : token.top) {
      entry.top.push_back({other.id, tokenizer.TokenText(other.id), other.logprob});
    }
  }
  return out;
}

// Calls that are whole; what is left of one that the end of the reply has cut is nobody's text.
void ReadCallsInto(ModelReply& reply, ChatPrompt& prompt, const std::string& text) {
  reply.tool_calls = ReadCalls(prompt.call_form, text);
  const bool cut = reply.reason != StopReason::kEnd;
  if (reply.tool_calls.empty() || cut) prompt.warnings.push_back("a tool call was cut off");
}

}  // namespace

Result<std::unique_ptr<LocalModel>> LocalModel::Load(const std::filesystem::path& gguf,
                                                     const LocalModelOptions& options) {
  VADE_TRY(auto engine, DecoderEngine::Load(gguf, options.decoder));
  return std::make_unique<LocalModel>(std::move(engine), options);
}

LocalModel::LocalModel(std::unique_ptr<DecoderEngine> engine, const LocalModelOptions& options)
    : engine_(std::move(engine)),
      scheduler_(*engine_, {.max_parallel = options.max_parallel, .max_queue = options.max_queue}) {
}

LocalModel::~LocalModel() = default;

Result<DecoderNeed> LocalModel::Measure(const std::filesystem::path& gguf,
                                        const LocalModelOptions& options) {
  return DecoderEngine::Measure(gguf, options.decoder);
}

size_t LocalModel::CountTokens(std::string_view text) const {
  return engine_->tokenizer().Count(text);
}

Result<ChatPrompt> LocalModel::MakePrompt(const ModelRequest& request) const {
  VADE_CHECK_OK(CheckTools(request.tools, request.tool_choice));
  if (!request.prompt) {
    const auto tools = MayCall(request) ? std::span(request.tools) : std::span<const ToolSpec>();
    return BuildChatPrompt(engine_->tokenizer(), engine_->chat_template(), request.messages, tools);
  }
  ChatPrompt prompt;
  prompt.template_name = "none";
  prompt.text = *request.prompt;
  prompt.ids = engine_->tokenizer().Encode(*request.prompt, true, false);
  return prompt;
}

Result<PromptCount> LocalModel::CountPrompt(const ModelRequest& request) const {
  VADE_TRY(const ChatPrompt prompt, MakePrompt(request));
  return PromptCount{prompt.ids.size(), true};
}

Result<ModelReply> LocalModel::Generate(const ModelRequest& request, const TextSink& sink,
                                        const CancelToken* cancel,
                                        const PrefillProgress& progress) {
  GenerateOptions options;
  options.sampling = request.sampling;
  options.max_tokens = request.max_tokens;
  options.stop = request.stop;
  options.draft_tokens = request.draft_tokens;
  options.keep_prefix = !request.aside;
  VADE_TRY(ChatPrompt prompt, MakePrompt(request));
  VADE_CHECK_OK(Constrain(request, prompt.call_form, options, prompt.warnings));

  VADE_TRY(Generation generation, scheduler_.Generate(prompt.ids, options, sink, cancel, progress));
  ModelReply reply;
  reply.text = std::move(generation.text);
  reply.reason = generation.reason;
  if (!generation.calls.empty()) ReadCallsInto(reply, prompt, generation.calls);
  reply.stop_string = std::move(generation.stop_string);
  reply.prompt_tokens = generation.prompt_tokens;
  reply.reused_tokens = generation.reused_tokens;
  reply.completion_tokens = generation.tokens.size();
  reply.drafted_tokens = generation.drafted_tokens;
  reply.accepted_tokens = generation.accepted_tokens;
  reply.seed = generation.seed;
  reply.queue_ms = generation.queue_ms;
  reply.prefill_ms = generation.prefill_ms;
  reply.decode_ms = generation.decode_ms;
  reply.logprobs = Logprobs(generation, engine_->tokenizer());
  for (const runtime::Sampled& token : generation.tokens) reply.token_ids.push_back(token.id);
  reply.template_name = std::move(prompt.template_name);
  reply.prompt = std::move(prompt.text);
  reply.warnings = std::move(prompt.warnings);
  return reply;
}

}  // namespace vade::engine
