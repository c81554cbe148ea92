// Which of the names under tokenizer.ggml.pre splits text as a folder's tokenizer.json says.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/import/json_file.h"

namespace vade::import {

/// `root`: tokenizer.json. `architecture` decides between names of the same expressions.
/// Errors: kUnsupported showing steps that no name stands for.
[[nodiscard]] Result<std::string> PreTokenizerName(const JsonObject& root,
                                                   std::string_view architecture);

/// Whether a pre-tokenizer (or decoder), or one of its steps, is of the type.
[[nodiscard]] bool HasStep(const nlohmann::json& step, std::string_view type);

}  // namespace vade::import
