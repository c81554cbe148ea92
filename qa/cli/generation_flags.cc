#include "qa/cli/generation_flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <utility>

#include "engine/base/file.h"
#include "engine/local_model.h"
#include "engine/remote_model.h"
#include "engine/runtime/grammar.h"
#include "engine/runtime/json_schema.h"
#include "qa/cli/model_files.h"

namespace vade::qa {
namespace {

constexpr const char* kGroup = "How words are chosen";  // of the flags, in the help
constexpr uint64_t kMaxGrammarBytes = 4 << 20;

Result<runtime::LogitBias> ParseBias(const std::string& text) {
  runtime::LogitBias bias;
  const size_t equals = text.find('=');
  const char* end = text.data() + text.size();
  const auto id = std::from_chars(text.data(), end, bias.id);
  const auto value = equals == std::string::npos
                         ? std::from_chars_result{text.data(), std::errc::invalid_argument}
                         : std::from_chars(text.data() + equals + 1, end, bias.bias);
  if (id.ec != std::errc() || id.ptr != text.data() + equals || value.ec != std::errc() ||
      value.ptr != end) {
    return Fail(ErrorCode::kInvalidArgument,
                "--logit-bias: got '" + text + "', want ID=NUMBER, as in 42=-inf");
  }
  return bias;
}

// The grammar or schema of the flags, known to be one before a model is loaded for it.
Result<engine::OutputFormat> ReadFormat(const SamplingFlags& flags) {
  using Kind = engine::OutputFormat::Kind;
  if (flags.json_object) return engine::OutputFormat{Kind::kJsonObject, ""};
  const bool is_schema = flags.grammar_file.empty();
  const std::string& name = is_schema ? flags.schema_file : flags.grammar_file;
  if (name.empty()) return engine::OutputFormat{};
  VADE_TRY(std::string definition, ReadFile(name, kMaxGrammarBytes));
  std::string gbnf = definition;
  if (is_schema) {
    auto converted = runtime::JsonSchemaGbnf(definition);
    if (!converted) return Fail(name, std::move(converted).error());
    gbnf = *std::move(converted);
  }
  const auto grammar = runtime::Grammar::Parse(gbnf);
  if (!grammar) return Fail(name, grammar.error());
  return engine::OutputFormat{is_schema ? Kind::kJsonSchema : Kind::kGbnf, std::move(definition)};
}

engine::DecoderOptions ToDecoderOptions(const Context& context, const ModelFlags& flags) {
  engine::DecoderOptions options;
  options.num_threads = context.global.threads;
  options.context_length = flags.context_length;
  options.spare_tokens = flags.spare_tokens;
  options.kv_type = flags.kv == "q8_0"  ? engine::KvType::kQ8_0
                    : flags.kv == "f32" ? engine::KvType::kF32
                                        : engine::KvType::kF16;
  return options;
}

}  // namespace

void AddModelFlags(CLI::App& command, ModelFlags& flags, bool required) {
  command
      .add_option(
          "-m,--model", flags.path,
          "GGUF file of the language model, or its name in the models folder; or one behind "
          "a server: ollama://[host[:port]/]name, openai://host[:port][/v1]/name")
      ->type_name("MODEL")
      ->required(required);
  command
      .add_option("--context", flags.context_length,
                  "Most tokens of prompt and answer (default: the model's, at most 4096)")
      ->check(CLI::Range(size_t{1}, size_t{1} << 24));
  command.add_option("--kv", flags.kv, "How keys and values are kept: f16, q8_0 or f32")
      ->check(CLI::IsMember({"f16", "q8_0", "f32"}))
      ->capture_default_str();
}

std::unique_ptr<engine::LanguageModel> OpenLanguageModel(const Context& context,
                                                         const ModelFlags& flags, int* exit_code) {
  const auto open = [&]() -> Result<std::unique_ptr<engine::LanguageModel>> {
    if (remote::IsModelAddress(flags.path)) {
      return engine::OpenRemoteModel(flags.path, {.context_length = flags.context_length},
                                     &context.cancel);
    }
    return engine::LocalModel::Load(FindModel(context, flags.path),
                                    {.decoder = ToDecoderOptions(context, flags)});
  };
  auto model = open();
  if (!model) {
    *exit_code = FailInput(model.error());
    return nullptr;
  }
  return *std::move(model);
}

std::unique_ptr<engine::DecoderEngine> LoadLanguageModel(const Context& context,
                                                         const ModelFlags& flags, int* exit_code) {
  if (remote::IsModelAddress(flags.path)) {
    *exit_code = FailUsage(flags.path + ": this command looks inside a model: it needs a file");
    return nullptr;
  }
  auto engine =
      engine::DecoderEngine::Load(FindModel(context, flags.path), ToDecoderOptions(context, flags));
  if (!engine) {
    *exit_code = FailInput(engine.error());
    return nullptr;
  }
  return *std::move(engine);
}

void AddSamplerFlags(CLI::App& command, SamplingFlags& flags) {
  runtime::SamplingOptions& sampling = flags.sampling;
  const auto add = [&](const char* name, auto& value, const char* help) {
    command.add_option(name, value, help)->group(kGroup)->capture_default_str();
  };
  add("--temperature", sampling.temperature, "0 takes the best token");
  add("--top-k", sampling.top_k, "Keep the k best tokens; 0: all");
  add("--top-p", sampling.top_p, "Keep the best up to this probability; 1: all");
  add("--min-p", sampling.min_p, "Drop tokens below this share of the best one's probability");
  add("--typical-p", sampling.typical_p, "Keep the most typical up to this probability; 1: all");
  add("--repeat-penalty", sampling.repeat_penalty, "Divides the logits of seen tokens; 1: off");
  add("--repeat-last-n", sampling.repeat_last_n, "How far back penalties look; -1: everything");
  add("--presence-penalty", sampling.presence_penalty, "Taken once from a seen token's logit");
  add("--frequency-penalty", sampling.frequency_penalty, "Taken for each time it was seen");
  command.add_option("--seed", flags.seed, "Same seed, same text")
      ->check(CLI::NonNegativeNumber)
      ->group(kGroup);
  command.add_option("--logit-bias", flags.logit_bias, "Added to a token's logit (repeatable)")
      ->type_name("ID=NUMBER")
      ->group(kGroup);
}

void AddSamplingFlags(CLI::App& command, SamplingFlags& flags, const char* max_tokens) {
  command.add_option(max_tokens, flags.max_tokens, "Most tokens to write; 0: until the model ends")
      ->group(kGroup)
      ->capture_default_str();
  AddSamplerFlags(command, flags);
  command
      .add_option("--logprobs", flags.sampling.top_logprobs,
                  "With --json: log probabilities, and those of this many best tokens")
      ->group(kGroup)
      ->capture_default_str();
  command
      .add_option("--draft", flags.draft_tokens,
                  "Most tokens guessed from the context, which does not change the text; 0: none")
      ->group(kGroup)
      ->capture_default_str();
  command.add_option("--stop", flags.stop, "End before this text (repeatable)")->group(kGroup);
  auto* grammar =
      command.add_option("--grammar-file", flags.grammar_file, "Only texts of this GBNF")
          ->type_name("FILE")
          ->group(kGroup);
  auto* schema =
      command.add_option("--json-schema", flags.schema_file, "Only JSON that fits this schema")
          ->type_name("FILE")
          ->excludes(grammar)
          ->group(kGroup);
  command.add_flag("--json-object", flags.json_object, "Only a JSON object")
      ->excludes(grammar)
      ->excludes(schema)
      ->group(kGroup);
}

Result<runtime::SamplingOptions> ToSamplingOptions(const SamplingFlags& flags) {
  runtime::SamplingOptions options = flags.sampling;
  options.logprobs = options.top_logprobs > 0;
  if (flags.seed >= 0) options.seed = static_cast<uint64_t>(flags.seed);
  for (const std::string& text : flags.logit_bias) {
    VADE_TRY(const runtime::LogitBias bias, ParseBias(text));
    options.logit_bias.push_back(bias);
  }
  return options;
}

Result<engine::ModelRequest> ToModelRequest(const SamplingFlags& flags) {
  engine::ModelRequest request;
  VADE_TRY(request.sampling, ToSamplingOptions(flags));
  request.max_tokens = flags.max_tokens;
  request.stop = flags.stop;
  request.draft_tokens = flags.draft_tokens;
  VADE_TRY(request.format, ReadFormat(flags));
  return request;
}

}  // namespace vade::qa
