// vade generate: text from a language model, streamed as it is written.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/utf8.h"
#include "engine/chat_prompt.h"
#include "engine/session.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/progress.h"
#include "qa/cli/question_flags.h"
#include "qa/cli/terminal.h"

namespace vade::qa {
namespace {

using nlohmann::json;

struct GenerateFlags {
  ModelFlags model;
  SamplingFlags sampling;
  std::string prompt;
  std::string system;
  bool raw = false;
};

/// "-" reads standard input.
std::string ReadPrompt(const std::string& prompt) {
  if (prompt != "-") return prompt;
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

Result<engine::ChatPrompt> MakePrompt(const GenerateFlags& flags,
                                      const engine::DecoderEngine& engine) {
  const std::string text = ReadPrompt(flags.prompt);
  if (flags.raw) {
    engine::ChatPrompt prompt;
    prompt.template_name = "none";
    prompt.ids = engine.tokenizer().Encode(text, true, false);
    return prompt;
  }
  std::vector<engine::ChatMessage> messages;
  if (!flags.system.empty()) messages.push_back({"system", flags.system});
  messages.push_back({"user", text});
  return engine::BuildChatPrompt(engine.tokenizer(), engine.chat_template(), messages);
}

json TokensToJson(const engine::Generation& generation, const tokenizer::Tokenizer& tokenizer) {
  const auto entry = [&](tokenizer::TokenId id, float logprob) {
    return json{{"id", id}, {"text", utf8::Repair(tokenizer.TokenText(id))}, {"logprob", logprob}};
  };
  json tokens = json::array();
  for (const runtime::Sampled& token : generation.tokens) {
    if (!token.logprob) {
      tokens.push_back({{"id", token.id}});
      continue;
    }
    json item = entry(token.id, *token.logprob);
    for (const auto& other : token.top) item["top"].push_back(entry(other.id, other.logprob));
    tokens.push_back(std::move(item));
  }
  return tokens;
}

double PerSecond(size_t count, double milliseconds) {
  return milliseconds > 0 ? 1000.0 * static_cast<double>(count) / milliseconds : 0;
}

json ToJson(const engine::Generation& generation, const engine::ChatPrompt& prompt,
            const engine::DecoderEngine& engine, double load_ms) {
  const size_t computed = generation.prompt_tokens - generation.reused_tokens;
  const size_t after_first = generation.tokens.empty() ? 0 : generation.tokens.size() - 1;
  json out = {{"model", utf8::Repair(std::string(engine.name()))},
              {"architecture", engine.architecture()},
              {"template", prompt.template_name},
              {"text", generation.text},
              {"stop_reason", engine::StopReasonName(generation.reason)},
              {"prompt_tokens", generation.prompt_tokens},
              {"completion_tokens", generation.tokens.size()},
              {"seed", generation.seed},
              {"drafted_tokens", generation.drafted_tokens},
              {"accepted_tokens", generation.accepted_tokens},
              {"tokens", TokensToJson(generation, engine.tokenizer())},
              {"timings",
               {{"load_ms", load_ms},
                {"prefill_ms", generation.prefill_ms},
                {"decode_ms", generation.decode_ms},
                {"prefill_tokens_per_second", PerSecond(computed, generation.prefill_ms)},
                {"decode_tokens_per_second", PerSecond(after_first, generation.decode_ms)}}},
              {"warnings", prompt.warnings}};
  if (!generation.stop_string.empty()) out["stop_string"] = generation.stop_string;
  return out;
}

int ExitCodeOf(const engine::Generation& generation) {
  if (generation.reason == engine::StopReason::kCancelled) return kInterrupted;
  return generation.reason == engine::StopReason::kCaller ? kDiskError : kOk;
}

int RunGenerate(const Context& context, const GenerateFlags& flags) {
  const auto options = ToGenerateOptions(flags.sampling);
  if (!options) return FailInput(options.error());
  const auto started = std::chrono::steady_clock::now();
  int exit_code = kOk;
  const auto engine = LoadLanguageModel(context, flags.model, &exit_code);
  if (engine == nullptr) return exit_code;
  const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - started;
  const auto prompt = MakePrompt(flags, *engine);
  if (!prompt) return FailInput(prompt.error());
  PrintWarnings(context, prompt->warnings);

  engine::Session session(*engine);
  Progress progress("Reading the prompt", context.global.quiet);
  const bool on_terminal = isatty(STDOUT_FILENO) != 0;  // which a model must not control
  const auto show = [&](std::string_view text) {
    if (context.global.json) return true;
    std::cout << (on_terminal ? EscapeLines(text) : std::string(text)) << std::flush;
    return static_cast<bool>(std::cout);
  };
  const auto generation =
      session.Generate(prompt->ids, *options, show, &context.cancel,
                       [&](size_t done, size_t total) { progress.Update(done, total, "tokens"); });
  if (!generation) return FailInput(generation.error());
  if (context.global.json) {
    std::cout << ToJson(*generation, *prompt, *engine, load.count()).dump(2) << '\n';
  } else {
    std::cout << '\n';
    if (generation->reason == engine::StopReason::kContextFull) {
      PrintWarnings(context, {"the context of " + std::to_string(engine->context_length()) +
                              " tokens is full: the text ends here (--context raises it)"});
    }
  }
  return ExitCodeOf(*generation);
}

}  // namespace

void RegisterGenerate(CLI::App& app, Context& context) {
  auto flags = std::make_shared<GenerateFlags>();
  CLI::App* command = app.add_subcommand("generate", "Write text with a language model");
  AddModelFlags(*command, flags->model, true);
  command->add_option("-p,--prompt", flags->prompt, "The prompt; - reads standard input")
      ->required();
  command->add_option("--system", flags->system, "Instructions put before the prompt");
  command->add_flag("--raw", flags->raw, "Continue the prompt as it is, without a chat template");
  AddSamplingFlags(*command, flags->sampling, "-n,--max-tokens");
  command->callback([&context, flags] {
    context.run = [&context, flags] { return RunGenerate(context, *flags); };
  });
}

}  // namespace vade::qa
