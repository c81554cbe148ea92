// One line of "vade debug template": a chat template and its input -> the rendered prompt.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/result.h"

namespace vade::qa {

/// {template, messages, tools, add_generation_prompt, bos_token, eos_token} -> {text}. Key order in
/// messages and tools is kept, since templates print it.
/// Errors: kCorruptData naming the field; those of ChatTemplate.
[[nodiscard]] Result<nlohmann::json> RenderTemplateLine(const std::string& line, size_t number);

}  // namespace vade::qa
