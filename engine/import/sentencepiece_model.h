// tokenizer.model: a SentencePiece model, a protocol buffer of pieces and settings. Nothing in it
// is trusted. Format: https://github.com/google/sentencepiece, src/sentencepiece_model.proto
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/names.h"

namespace vade::import {

struct SentencePieceModel {
  struct Piece {
    std::string text;
    float score = 0;
    gguf::TokenType type = gguf::TokenType::kNormal;
  };
  std::vector<Piece> pieces;  // by id
  bool unigram = false;       // else merges by score
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  std::string charsmap;  // the normaliser's table; may be empty
  int32_t unk_id = 0;    // -1: none
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  int32_t pad_id = -1;

  /// Errors: kCorruptData naming the byte; kUnsupported for models of words or characters.
  [[nodiscard]] static Result<SentencePieceModel> Parse(std::span<const std::byte> bytes,
                                                        const std::string& name);
};

}  // namespace vade::import
