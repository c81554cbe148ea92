// vade generate: text from a language model, streamed as it is written.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/utf8.h"
#include "engine/language_model.h"
#include "engine/local_model.h"
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

void PutPrompt(const GenerateFlags& flags, engine::ModelRequest& request) {
  const std::string text = ReadPrompt(flags.prompt);
  if (flags.raw) {
    request.prompt = text;
    return;
  }
  if (!flags.system.empty()) request.messages.push_back({"system", flags.system});
  request.messages.push_back({"user", text});
}

json TokenToJson(tokenizer::TokenId id, const std::string& bytes, float logprob) {
  json out = {{"text", utf8::Repair(bytes)}, {"logprob", logprob}};
  if (id >= 0) out["id"] = id;
  return out;
}

json TokensToJson(const engine::ModelReply& reply) {
  json tokens = json::array();
  for (const engine::TokenLogprob& token : reply.logprobs) {
    json item = TokenToJson(token.id, token.bytes, token.logprob);
    for (const auto& other : token.top) {
      item["top"].push_back(TokenToJson(other.id, other.bytes, other.logprob));
    }
    tokens.push_back(std::move(item));
  }
  if (!reply.logprobs.empty()) return tokens;
  for (const tokenizer::TokenId id : reply.token_ids) tokens.push_back({{"id", id}});
  return tokens;
}

double PerSecond(size_t count, double milliseconds) {
  return milliseconds > 0 ? 1000.0 * static_cast<double>(count) / milliseconds : 0;
}

json ToJson(const engine::ModelReply& reply, const engine::LanguageModel& model, double load_ms) {
  const size_t computed = reply.prompt_tokens - std::min(reply.reused_tokens, reply.prompt_tokens);
  const size_t after_first = reply.completion_tokens - std::min<size_t>(reply.completion_tokens, 1);
  json out = {{"model", utf8::Repair(std::string(model.name()))},
              {"template", reply.template_name},
              {"text", reply.text},
              {"stop_reason", engine::StopReasonName(reply.reason)},
              {"prompt_tokens", reply.prompt_tokens},
              {"completion_tokens", reply.completion_tokens},
              {"seed", reply.seed},
              {"drafted_tokens", reply.drafted_tokens},
              {"accepted_tokens", reply.accepted_tokens},
              {"tokens", TokensToJson(reply)},
              {"timings",
               {{"load_ms", load_ms},
                {"prefill_ms", reply.prefill_ms},
                {"decode_ms", reply.decode_ms},
                {"prefill_tokens_per_second", PerSecond(computed, reply.prefill_ms)},
                {"decode_tokens_per_second", PerSecond(after_first, reply.decode_ms)}}},
              {"warnings", reply.warnings}};
  if (!reply.stop_string.empty()) out["stop_string"] = reply.stop_string;
  if (const auto* local = dynamic_cast<const engine::LocalModel*>(&model)) {
    out["architecture"] = local->architecture();
  }
  return out;
}

int ExitCodeOf(const engine::ModelReply& reply) {
  if (reply.reason == engine::StopReason::kCancelled) return kInterrupted;
  return reply.reason == engine::StopReason::kCaller ? kDiskError : kOk;
}

int RunGenerate(const Context& context, const GenerateFlags& flags) {
  auto request = ToModelRequest(flags.sampling);
  if (!request) return FailInput(request.error());
  const auto started = std::chrono::steady_clock::now();
  int exit_code = kOk;
  const auto model = OpenLanguageModel(context, flags.model, &exit_code);
  if (model == nullptr) return exit_code;
  const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - started;
  PutPrompt(flags, *request);

  Progress progress("Reading the prompt", context.global.quiet);
  const bool on_terminal = isatty(STDOUT_FILENO) != 0;  // which a model must not control
  const auto show = [&](std::string_view text) {
    if (context.global.json) return true;
    std::cout << (on_terminal ? EscapeLines(text) : std::string(text)) << std::flush;
    return static_cast<bool>(std::cout);
  };
  const auto reply =
      model->Generate(*request, show, &context.cancel,
                      [&](size_t done, size_t total) { progress.Update(done, total, "tokens"); });
  if (!reply) return FailInput(reply.error());
  if (context.global.json) {
    std::cout << ToJson(*reply, *model, load.count()).dump(2) << '\n';
  } else {
    std::cout << '\n';
    PrintWarnings(context, reply->warnings);
    if (reply->reason == engine::StopReason::kContextFull) {
      PrintWarnings(context, {"the context of " + std::to_string(model->context_length()) +
                              " tokens is full: the text ends here (--context raises it)"});
    }
  }
  return ExitCodeOf(*reply);
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
