#include "qa/explain/explanation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "engine/runtime/sampler.h"
#include "engine/session.h"

namespace vade::qa {
namespace {

using engine::TokenId;

ExplainedToken Describe(const tokenizer::Tokenizer& tokenizer, TokenId id) {
  return {id, tokenizer.TokenText(id), tokenizer.IsControl(id)};
}

/// The sum that turns exp(logit - highest) into a probability.
struct Normaliser {
  explicit Normaliser(std::span<const float> logits) {
    highest = double{*std::ranges::max_element(logits)};
    for (const float logit : logits) sum += std::exp(double{logit} - highest);
  }
  [[nodiscard]] double operator()(float logit) const {
    return std::exp(double{logit} - highest) / sum;
  }
  double highest = 0;
  double sum = 0;
};

std::vector<TokenId> Best(std::span<const float> logits, size_t count) {
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  count = std::min(count, ids.size());
  std::partial_sort(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count), ids.end(),
                    [&](TokenId a, TokenId b) {
                      const float x = logits[static_cast<size_t>(a)];
                      const float y = logits[static_cast<size_t>(b)];
                      return x != y ? x > y : a < b;
                    });
  ids.resize(count);
  return ids;
}

/// Samples from logits [vocab_size] and says what there was to choose from.
Result<ExplainedStep> Choose(std::span<const float> logits, size_t num_candidates,
                             const tokenizer::Tokenizer& tokenizer, runtime::Sampler& sampler) {
  std::vector<float> scratch(logits.begin(), logits.end());
  VADE_TRY(const runtime::Sampled sampled, sampler.Sample(scratch));
  const auto choices = sampler.LastChoices();
  std::unordered_map<TokenId, double> kept;
  for (const auto& choice : choices) kept.emplace(choice.id, choice.probability);

  std::vector<TokenId> shown = Best(logits, num_candidates);
  auto place = std::ranges::find(shown, sampled.id);
  if (place == shown.end()) place = shown.insert(shown.end(), sampled.id);
  ExplainedStep step;
  step.chosen = static_cast<size_t>(place - shown.begin());
  step.num_kept = choices.size();
  const Normaliser probability(logits);
  for (const TokenId id : shown) {
    const float logit = logits[static_cast<size_t>(id)];
    ExplainedCandidate candidate{Describe(tokenizer, id), logit, probability(logit), {}};
    if (const auto found = kept.find(id); found != kept.end()) candidate.kept = found->second;
    step.candidates.push_back(std::move(candidate));
  }
  return step;
}

}  // namespace

Result<Explanation> Explain(engine::DecoderEngine& engine, std::span<const TokenId> prompt,
                            const ExplainOptions& options, const CancelToken* cancel) {
  Explanation out;
  runtime::SamplingOptions sampling = options.sampling;
  sampling.logprobs = false;
  VADE_TRY(auto sampler, runtime::Sampler::Create(sampling, engine.vocab_size()));
  VADE_TRY(out.trace, engine.Trace(prompt, cancel));
  out.model = engine.name();
  out.architecture = engine.architecture();
  out.sampling = std::move(sampling);
  out.seed = sampler.seed();
  out.vocab_size = engine.vocab_size();
  const tokenizer::Tokenizer& tokenizer = engine.tokenizer();
  for (const TokenId id : prompt) {
    out.tokens.push_back(Describe(tokenizer, id));
    sampler.Accept(id);
  }

  engine::Session session(engine);
  std::vector<TokenId> text(prompt.begin(), prompt.end());
  std::span<const float> logits = out.trace.logits;
  while (true) {
    VADE_TRY(ExplainedStep step, Choose(logits, options.num_candidates, tokenizer, sampler));
    const ExplainedToken chosen = step.candidates[step.chosen].token;
    out.steps.push_back(std::move(step));
    out.ended = tokenizer.IsEndOfGeneration(chosen.id);
    if (out.ended) return out;
    if (!chosen.control) out.generated += chosen.text;
    text.push_back(chosen.id);
    if (out.steps.size() >= options.num_tokens || text.size() >= engine.context_length()) {
      return out;
    }
    sampler.Accept(chosen.id);
    VADE_TRY(logits, session.Prefill(text, cancel));
  }
}

}  // namespace vade::qa
