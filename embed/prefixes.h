// What a model wants written before questions and passages, where its name tells.
#pragma once

#include <string_view>

namespace vade::embed {

struct Prefixes {
  std::string_view query;
  std::string_view passage;
};

/// By the model's name (general.name, or the file's), whatever its case and separators: GGUF files
/// have no key for this. Empty for models that want none, and for those we do not know.
[[nodiscard]] Prefixes KnownPrefixes(std::string_view model_name);

}  // namespace vade::embed
