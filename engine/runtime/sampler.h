// Chooses the next token from the logits of a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/runtime/random.h"
#include "engine/runtime/sampling_options.h"
#include "engine/runtime/token_mask.h"

namespace vade::runtime {

struct TokenLogprob {
  TokenId id = 0;
  float logprob = 0;  // natural logarithm of the model's own probability
};

struct Sampled {
  TokenId id = 0;
  /// With options.logprobs: the model's distribution before bias, penalties, grammar, temperature.
  std::optional<float> logprob;
  std::vector<TokenLogprob> top;  // options.top_logprobs best, best first
};

/// One sequence's sampler. Single-thread. Equal options, seed, logits and accepted tokens give
/// equal tokens on every machine.
class Sampler {
 public:
  /// Errors: kInvalidArgument as in Validate.
  [[nodiscard]] static Result<Sampler> Create(SamplingOptions options, size_t vocab_size);

  /// Chooses among logits [vocab_size]; they are copied only if bias, penalties or a mask change
  /// them. Ties go to the lowest id. `allowed`, when given, is the grammar's mask. Does not Accept.
  /// Errors: kCorruptData if a logit is not finite (with its position), kInvalidArgument if the
  /// size is not vocab_size, kUnsupported if mask and bias leave no token.
  [[nodiscard]] Result<Sampled> Sample(std::span<const float> logits,
                                       const TokenMask* allowed = nullptr);

  struct Choice {
    TokenId id = 0;
    double probability = 0;
  };
  /// What the last Sample drew from, best first, its probabilities summing to one: after every
  /// option has had its say. REQUIRES options().logprobs off.
  [[nodiscard]] std::vector<Choice> LastChoices() const;

  /// Tells the penalties that `id` is part of the text: every generated token, and those of the
  /// prompt if they shall count. Ids outside the vocabulary are ignored.
  void Accept(TokenId id);

  [[nodiscard]] uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] const SamplingOptions& options() const noexcept { return options_; }

 private:
  struct Candidate {
    double weight;  // exp(logit - the best logit), not normalised
    float logit;
    TokenId id;
  };

  Sampler(SamplingOptions options, size_t vocab_size, uint64_t seed);

  [[nodiscard]] bool ChangesLogits() const noexcept;
  void ApplyBiasAndPenalties(std::span<float> logits) const;
  /// candidates_ = the k best of the logits above -infinity, best first.
  void SelectTop(std::span<const float> logits, size_t k);
  /// candidates_ = all above -infinity, in the order of ids.
  void SelectAll(std::span<const float> logits);
  /// weight = exp((logit - the best of the candidates) / temperature).
  void Weigh(double temperature);
  /// typical_p, top_p, min_p on the weights.
  void Truncate();
  void KeepTypical();
  void KeepTopP();
  template <typename Before>
  void KeepWeight(double target, const Before& before);
  [[nodiscard]] double TotalWeight() const noexcept;
  [[nodiscard]] TokenId Draw();
  void ReportLogprobs(std::span<const float> raw, Sampled& sampled);

  SamplingOptions options_;
  size_t vocab_size_;
  uint64_t seed_;
  Random random_;
  std::deque<TokenId> recent_;                   // the penalties' window, oldest first
  std::unordered_map<TokenId, int32_t> counts_;  // of each token in the window
  std::vector<Candidate> candidates_;
  std::vector<float> changed_;  // [vocab_size] after bias, penalties and mask
  float best_logit_ = 0;        // of the candidates when they were weighed
};

}  // namespace vade::runtime
