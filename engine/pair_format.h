// A question and a document as the one sequence a reranker was trained on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/name_guard.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::engine {

/// Const-safe from any thread.
class PairFormat {
 public:
  /// From the file's keys: a prompt with {query} and {document} (tokenizer.chat_template.rerank),
  /// or special tokens around and between the two: [CLS] query [SEP] document [SEP], <s> query
  /// </s></s> document </s>. REQUIRES the tokenizer outlives it.
  /// Errors: kCorruptData for keys of another type.
  [[nodiscard]] static Result<PairFormat> Read(const gguf::File& file,
                                               const tokenizer::Tokenizer& tokenizer);

  /// Names of control tokens inside the texts are text.
  [[nodiscard]] std::vector<tokenizer::TokenId> Encode(std::string_view query,
                                                       std::string_view document) const;

 private:
  explicit PairFormat(const tokenizer::Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}

  const tokenizer::Tokenizer* tokenizer_;
  std::string prompt_;              // empty: special tokens
  std::optional<NameGuard> guard_;  // with a prompt
  std::vector<tokenizer::TokenId> start_, between_, end_;
};

}  // namespace vade::engine
