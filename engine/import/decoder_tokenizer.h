// The tokenizer of a decoder folder as GGUF metadata: tokenizer.json, tokenizer.model, or
// vocab.json with merges.txt; the ids with a role; the chat template.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/gguf/writer.h"

namespace vade::import {

struct TokenizerOptions {
  std::string_view architecture;  // general.architecture
  uint64_t vocab_size = 0;        // rows of the embedding
  std::string pre;                // name of the pre-tokenizer; empty: recognised
};

/// Errors: kNotFound without any tokenizer file; kUnsupported naming the step or kind we do not
/// have; kCorruptData.
[[nodiscard]] Result<void> AddDecoderTokenizer(const std::filesystem::path& folder,
                                               const TokenizerOptions& options,
                                               gguf::Writer& writer);

}  // namespace vade::import
