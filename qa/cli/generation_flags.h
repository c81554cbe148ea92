// What every command that runs a language model shares: which model, and how it chooses its words.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/decoder_engine.h"
#include "engine/language_model.h"
#include "qa/cli/context.h"

namespace vade::qa {

struct ModelFlags {
  std::string path;
  size_t context_length = 0;
  std::string kv = "f16";
  size_t spare_tokens = 0;  // no flag: what the command needs beside its main sequence
};

/// -m, --context, --kv. `required`: a usage error without -m.
void AddModelFlags(CLI::App& command, ModelFlags& flags, bool required);

/// The model that writes. Nothing on failure; then *exit_code says what to return and the reason is
/// printed.
[[nodiscard]] std::unique_ptr<engine::LanguageModel> OpenLanguageModel(const Context& context,
                                                                       const ModelFlags& flags,
                                                                       int* exit_code);
/// The engine of a local model, for looking inside. Otherwise as OpenLanguageModel.
[[nodiscard]] std::unique_ptr<engine::DecoderEngine> LoadLanguageModel(const Context& context,
                                                                       const ModelFlags& flags,
                                                                       int* exit_code);

struct SamplingFlags {
  runtime::SamplingOptions sampling;
  size_t max_tokens = 0;
  std::vector<std::string> stop;
  size_t draft_tokens = engine::GenerateOptions{}.draft_tokens;
  int64_t seed = -1;
  std::vector<std::string> logit_bias;  // "ID=BIAS"
  std::string grammar_file;
  std::string schema_file;
  bool json_object = false;
};

/// What decides among the logits: temperature, cuts, penalties, bias, seed.
void AddSamplerFlags(CLI::App& command, SamplingFlags& flags);

/// Those and what shapes the text: lengths, stops, grammars, guessing.
/// `max_tokens`: the names of that flag, which is -n only where nothing else is.
void AddSamplingFlags(CLI::App& command, SamplingFlags& flags, const char* max_tokens);

/// Errors: kInvalidArgument naming the flag.
[[nodiscard]] Result<runtime::SamplingOptions> ToSamplingOptions(const SamplingFlags& flags);
/// A request without messages. Errors: those, and of reading and parsing a grammar or schema.
[[nodiscard]] Result<engine::ModelRequest> ToModelRequest(const SamplingFlags& flags);

}  // namespace vade::qa
