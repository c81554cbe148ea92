// vade debug tokenize|detokenize|embed|rank|logits|template: the engine's stages as JSON lines on
// stdin and stdout, so that anyone can hold them against a reference. Hidden from the help.
#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/gguf/file.h"
#include "engine/import/json_file.h"
#include "engine/tokenizer/tokenizer.h"
#include "qa/cli/context.h"
#include "qa/cli/debug_embed.h"
#include "qa/cli/debug_logits.h"
#include "qa/cli/debug_template.h"

namespace vade::qa {
namespace {

using import::JsonObject;
using nlohmann::json;
using tokenizer::TokenId;

/// One input line (and its number) to one output object; the usual one takes an object.
using LineFunction = std::function<Result<json>(const std::string&, size_t)>;
using ObjectFunction = std::function<Result<json>(const JsonObject&)>;

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

Result<std::vector<TokenId>> ReadIds(const JsonObject& line) {
  const json* ids = line.Find("ids");
  return ReadTokenIds(line, ids == nullptr ? json() : *ids);
}

Result<json> Tokenize(const tokenizer::Tokenizer& tokenizer, const JsonObject& line) {
  VADE_TRY(const std::string text, line.GetString("text", std::nullopt));
  VADE_TRY(const bool add_special, line.GetBool("add_special", false));
  VADE_TRY(const bool parse_special, line.GetBool("parse_special", false));
  return json{{"ids", tokenizer.Encode(text, add_special, parse_special)}};
}

Result<json> Detokenize(const tokenizer::Tokenizer& tokenizer, const JsonObject& line) {
  VADE_TRY(const std::vector<TokenId> ids, ReadIds(line));
  for (const TokenId id : ids) {
    if (static_cast<size_t>(id) < tokenizer.vocab_size()) continue;
    return Fail(ErrorCode::kCorruptData, line.name() + ": \"ids\": " + std::to_string(id) +
                                             " is outside the vocabulary of " +
                                             std::to_string(tokenizer.vocab_size()));
  }
  tokenizer::DecodeOptions options;
  VADE_TRY(options.remove_added, line.GetBool("remove_special", false));
  VADE_TRY(options.render_special, line.GetBool("unparse_special", true));
  const std::string text = tokenizer.Decode(ids, options);
  if (utf8::IsValid(text)) return json{{"text", text}};
  return json{{"text_hex", ToHex(text)}};  // a sequence may end inside a character
}

LineFunction OnObject(ObjectFunction function) {
  return [function = std::move(function)](const std::string& text, size_t number) -> Result<json> {
    const std::string name = "line " + std::to_string(number);
    VADE_TRY(json value, import::ParseJson(text, name));
    if (!value.is_object()) return Fail(ErrorCode::kCorruptData, name + ": not a JSON object");
    return function(JsonObject(std::move(value), name));
  };
}

// A bad line is answered by an error line and does not end the stream.
int RunLines(const Context& context, const LineFunction& function) {
  int code = kOk;
  size_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (context.cancel.cancelled()) return kInterrupted;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto answer = function(line, number);
    if (!answer) {
      if (answer.error().code == ErrorCode::kCancelled) return kInterrupted;
      code = kInputRejected;
      answer = json{{"error", answer.error().message}};
    }
    std::cout << answer->dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
    if (!std::cout) return kDiskError;
  }
  return code;
}

// Tokenizing needs no weights, so that vocabulary-only files work.
int RunWithTokenizer(const Context& context, const std::string& model,
                     Result<json> (*function)(const tokenizer::Tokenizer&, const JsonObject&)) {
  const auto file = gguf::File::Open(model);
  if (!file) return FailInput(file.error());
  const auto tokenizer = tokenizer::Tokenizer::Load(*file);
  if (!tokenizer) return FailInput(tokenizer.error());
  return RunLines(context,
                  OnObject([&](const JsonObject& line) { return function(**tokenizer, line); }));
}

using EmbedFunction = Result<json> (EmbedProbe::*)(const JsonObject&);

int RunEmbed(const Context& context, const std::string& model, const char* pooling,
             EmbedFunction function) {
  EmbedProbe probe(model, context.global.threads, context.cancel);
  if (const auto opened = probe.Open(pooling); !opened) return FailInput(opened.error());
  return RunLines(context,
                  OnObject([&](const JsonObject& line) { return (probe.*function)(line); }));
}

int RunLogits(const Context& context, const std::string& model) {
  LogitsProbe probe(model, context.global.threads, context.cancel);
  return RunLines(context, OnObject([&](const JsonObject& line) { return probe(line); }));
}

void AddStage(CLI::App& debug, Context& context, const char* name, const char* description,
              const std::function<int(const std::string&)>& run) {
  CLI::App* stage = debug.add_subcommand(name, description);
  auto model = std::make_shared<std::string>();
  stage->add_option("-m,--model", *model, "GGUF file")->required();
  stage->callback([&context, model, run] { context.run = [model, run] { return run(*model); }; });
}

}  // namespace

void RegisterDebug(CLI::App& app, Context& context) {
  CLI::App* debug = app.add_subcommand("debug", "Run one stage of the engine on JSON lines");
  debug->group("");  // hidden
  debug->require_subcommand(1);
  AddStage(
      *debug, context, "tokenize", "{text, add_special, parse_special} -> {ids}",
      [&context](const std::string& model) { return RunWithTokenizer(context, model, Tokenize); });
  AddStage(*debug, context, "detokenize", "{ids, remove_special, unparse_special} -> {text}",
           [&context](const std::string& model) {
             return RunWithTokenizer(context, model, Detokenize);
           });
  AddStage(*debug, context, "embed", "{text} or {ids}, {pooling} -> {embedding}",
           [&context](const std::string& model) {
             return RunEmbed(context, model, "", &EmbedProbe::Embed);
           });
  AddStage(*debug, context, "rank", "{query, documents} or {ids} -> {scores}",
           [&context](const std::string& model) {
             return RunEmbed(context, model, "rank", &EmbedProbe::Rank);
           });
  AddStage(*debug, context, "logits", "{ids, split, context, kv} -> {logits, greedy}",
           [&context](const std::string& model) { return RunLogits(context, model); });
  CLI::App* rendering = debug->add_subcommand(
      "template",
      "{template, messages, tools, add_generation_prompt, bos_token, eos_token} -> {text}");
  rendering->callback(
      [&context] { context.run = [&context] { return RunLines(context, RenderTemplateLine); }; });
}

}  // namespace vade::qa
