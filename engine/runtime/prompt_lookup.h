// Drafts for speculative decoding: what followed the last time the text ended like this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/tokenizer/tokenizer.h"

namespace vade::runtime {

/// Answers quote their context, so the tokens after the latest earlier occurrence of the last few
/// tokens are a good guess. Verifying the guess is the generation loop's. O(1) per token; about 60
/// bytes per token and n-gram length. Single-thread.
class PromptLookup {
 public:
  using TokenId = tokenizer::TokenId;
  static constexpr size_t kMaxNgram = 4;

  struct Options {
    size_t max_ngram = 3;  // tried first: a longer match is right more often
    size_t min_ngram = 2;  // 1 drafts nearly always, and is nearly always wrong
  };

  /// Errors: kInvalidArgument unless 1 <= min_ngram <= max_ngram <= kMaxNgram.
  [[nodiscard]] static Result<PromptLookup> Create(const Options& options);

  /// `id` is part of the text: a token of the prompt or an accepted one.
  void Append(TokenId id);
  void Append(std::span<const TokenId> ids) {
    for (const TokenId id : ids) Append(id);
  }

  /// Up to `max_tokens` ids that may follow; none if the end of the text is new. Valid until the
  /// next Append.
  [[nodiscard]] std::span<const TokenId> Propose(size_t max_tokens) const;

  [[nodiscard]] size_t size() const noexcept { return text_.size(); }

 private:
  using Ngram = std::array<TokenId, kMaxNgram>;  // shorter ones end in -1, which is no id
  struct HashNgram {
    size_t operator()(const Ngram& ngram) const noexcept;
  };
  explicit PromptLookup(const Options& options) : options_(options) {}
  [[nodiscard]] Ngram LastNgram(size_t length) const noexcept;

  Options options_;
  std::vector<TokenId> text_;
  std::unordered_map<Ngram, uint32_t, HashNgram> next_;  // where the text went on after an n-gram
};

}  // namespace vade::runtime
