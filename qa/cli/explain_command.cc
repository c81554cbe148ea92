// vade explain: the six steps from a text to the next words, on a real model.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "engine/base/atomic_file.h"
#include "engine/chat_prompt.h"
#include "qa/cli/context.h"
#include "qa/cli/explain_text.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/question_flags.h"
#include "qa/explain/explanation.h"
#include "qa/explain/html_page.h"
#include "qa/explain/json_format.h"

namespace vade::qa {
namespace {

struct ExplainFlags {
  ModelFlags model;
  SamplingFlags sampling;
  std::string text;
  std::string html;
  bool chat = false;
  std::optional<size_t> layer;
  std::optional<size_t> head;
  ExplainOptions options;
};

Result<std::vector<engine::TokenId>> Encode(const Context& context, const ExplainFlags& flags,
                                            const engine::DecoderEngine& engine) {
  const std::string text =
      flags.text == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : flags.text;
  if (!flags.chat) return engine.tokenizer().Encode(text, true, false);
  const std::vector<engine::ChatMessage> messages = {{"user", text}};
  VADE_TRY(auto prompt,
           engine::BuildChatPrompt(engine.tokenizer(), engine.chat_template(), messages));
  PrintWarnings(context, prompt.warnings);
  return std::move(prompt.ids);
}

/// The map the flags name, or the most telling head.
Result<AttentionPlace> Place(const ExplainFlags& flags, const engine::DecoderTrace& trace) {
  const auto refuse = [](const char* flag, size_t got, size_t count) {
    return Fail(ErrorCode::kInvalidArgument, std::string(flag) + ": got " + std::to_string(got) +
                                                 ", the model has 0 to " +
                                                 std::to_string(count - 1));
  };
  if (flags.layer && *flags.layer >= trace.num_layers) {
    return refuse("--layer", *flags.layer, trace.num_layers);
  }
  if (flags.head && *flags.head >= trace.num_heads) {
    return refuse("--head", *flags.head, trace.num_heads);
  }
  if (!flags.layer && !flags.head) return MostTellingHead(trace);
  return AttentionPlace{flags.layer.value_or(trace.num_layers - 1), flags.head};
}

int WriteHtml(const Context& context, const ExplainFlags& flags, const Explanation& explanation,
              AttentionPlace place) {
  const HtmlPage page = ExplainHtml(explanation, place);
  if (page.left_out_heads > 0) {
    PrintWarnings(context,
                  {"the page holds the heads of layer " + std::to_string(place.layer_idx) +
                   " and the means of the others: a shorter text has room for all " +
                   std::to_string(explanation.trace.num_layers * explanation.trace.num_heads)});
  }
  auto file = AtomicFile::Create(flags.html);
  if (!file) return FailInput(file.error());
  if (const auto written = file->Write(page.html); !written) return FailInput(written.error());
  if (const auto kept = file->Commit(); !kept) return FailInput(kept.error());
  if (!context.global.quiet) std::fprintf(stderr, "written: %s\n", flags.html.c_str());
  return kOk;
}

int RunExplain(const Context& context, const ExplainFlags& flags) {
  auto sampling = ToSamplingOptions(flags.sampling);
  if (!sampling) return FailInput(sampling.error());
  ExplainOptions options = flags.options;
  options.sampling = *std::move(sampling);
  int exit_code = kOk;
  const auto engine = LoadLanguageModel(context, flags.model, &exit_code);
  if (engine == nullptr) return exit_code;
  const auto ids = Encode(context, flags, *engine);
  if (!ids) return FailInput(ids.error());
  const auto explanation = Explain(*engine, *ids, options, &context.cancel);
  if (!explanation) return FailInput(explanation.error());
  const auto place = Place(flags, explanation->trace);
  if (!place) return FailInput(place.error());
  if (context.global.json) {
    std::cout << ToJson(*explanation, {flags.layer, flags.head}).dump() << '\n';
  } else if (flags.html.empty()) {
    std::cout << ExplainText(*explanation, *place, Terminal::ForStdout());
  }
  return flags.html.empty() ? kOk : WriteHtml(context, flags, *explanation, *place);
}

}  // namespace

void RegisterExplain(CLI::App& app, Context& context) {
  auto flags = std::make_shared<ExplainFlags>();
  CLI::App* command =
      app.add_subcommand("explain", "Show what a language model does with a text, step by step");
  command->add_option("text", flags->text, "The text (at most 256 tokens); - reads standard input")
      ->required();
  AddModelFlags(*command, flags->model, true);
  command->add_option("--html", flags->html, "Write a page that shows every layer and head")
      ->type_name("FILE");
  command->add_flag("--chat", flags->chat, "Put the text into the model's chat template");
  command->add_option("--layer", flags->layer, "The layer whose attention is shown, from 0");
  command->add_option("--head", flags->head, "The head, from 0; with --layer alone: their mean");
  command->add_option("-n,--tokens", flags->options.num_tokens, "Tokens to write")
      ->check(CLI::Range(size_t{1}, size_t{256}))
      ->capture_default_str();
  command->add_option("--candidates", flags->options.num_candidates, "Shown for each token")
      ->check(CLI::Range(size_t{1}, size_t{100}))
      ->capture_default_str();
  AddSamplerFlags(*command, flags->sampling);
  command->callback([&context, flags] {
    context.run = [&context, flags] { return RunExplain(context, *flags); };
  });
}

}  // namespace vade::qa
