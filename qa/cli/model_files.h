// Models on this machine: where pulled ones are kept, and how a name finds one.
#pragma once

#include <filesystem>
#include <string>

#include "qa/cli/context.h"

namespace vade::qa {

/// The file that -m NAME means: a path as it is, else NAME or NAME.gguf in the models folder (of a
/// split model NAME-00001-of-N.gguf), else the name itself, for an error that shows it.
[[nodiscard]] std::filesystem::path FindModel(const Context& context, const std::string& name);

/// vade model list.
int RunModelList(const Context& context);

/// Adds `vade model pull` to `model`.
void RegisterModelPull(CLI::App& model, Context& context);

/// Adds `vade model show` to `model`.
void RegisterModelShow(CLI::App& model, Context& context);

}  // namespace vade::qa
