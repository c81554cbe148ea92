#include "engine/local_model.h"

#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/runtime/json_schema.h"

namespace vade::engine {
namespace {

Result<std::optional<runtime::Grammar>> ReadFormat(const OutputFormat& format) {
  std::string gbnf;
  switch (format.kind) {
    case OutputFormat::Kind::kText:
      return std::nullopt;
    case OutputFormat::Kind::kJsonObject:
      gbnf = runtime::JsonObjectGbnf();
      break;
    case OutputFormat::Kind::kJsonSchema: {
      VADE_TRY(gbnf, runtime::JsonSchemaGbnf(format.definition));
      break;
    }
    case OutputFormat::Kind::kGbnf:
      gbnf = format.definition;
      break;
  }
  VADE_TRY(runtime::Grammar grammar, runtime::Grammar::Parse(gbnf));
  return std::optional<runtime::Grammar>(std::move(grammar));
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
  if (!request.tools.empty() && request.tool_choice.mode != ToolChoice::Mode::kNone) {
    return Fail(ErrorCode::kUnsupported, "tools: this model takes none");
  }
  if (!request.prompt) {
    return BuildChatPrompt(engine_->tokenizer(), engine_->chat_template(), request.messages);
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
  VADE_TRY(options.grammar, ReadFormat(request.format));
  VADE_TRY(ChatPrompt prompt, MakePrompt(request));

  VADE_TRY(Generation generation, scheduler_.Generate(prompt.ids, options, sink, cancel, progress));
  ModelReply reply;
  reply.text = std::move(generation.text);
  reply.reason = generation.reason;
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
