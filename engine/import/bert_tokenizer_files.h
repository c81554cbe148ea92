// The tokenizer of a Hugging Face BERT folder (tokenizer.json, or vocab.txt with
// tokenizer_config.json) as GGUF metadata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/writer.h"

namespace vade::import {

struct BertTokenizerFiles {
  std::vector<std::string> tokens;  // as in the folder: "##ing" continues a word
  std::vector<bool> special;        // [tokens] [CLS] and its like
  bool lowercase = true;
  bool strip_accents = true;
};

/// Errors: kUnsupported for a tokenizer that is not BERT's WordPiece; kCorruptData.
[[nodiscard]] Result<BertTokenizerFiles> ReadBertTokenizer(const std::filesystem::path& folder);

/// Writes the tokenizer.* keys, with the vocabulary filled up to vocab_size unused tokens. Words
/// begin with U+2581 and continuations lose their "##", as llama.cpp expects.
/// Errors: kCorruptData if there are more tokens than vocab_size, or [UNK], [CLS], [SEP] are
/// absent.
[[nodiscard]] Result<void> AddBertTokenizer(const BertTokenizerFiles& files, uint32_t vocab_size,
                                            uint32_t token_type_count, gguf::Writer& writer);

}  // namespace vade::import
