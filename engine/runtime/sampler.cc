// The sampling chain. Cost at 128k tokens and top_k 40: one pass that checks for NaN, one that
// finds the 40 best by skipping blocks whose maximum does not beat the worst of them; nothing is
// sorted beyond the candidates.
#include "engine/runtime/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "engine/runtime/portable_math.h"

namespace vade::runtime {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr size_t kBlock = 64;         // logits looked at together when searching for the best
constexpr size_t kFirstPrefix = 256;  // candidates sorted at first when a mass is cut off

bool IsFinite(float value) noexcept {
  return (std::bit_cast<uint32_t>(value) & 0x7F800000u) != 0x7F800000u;
}

// The index of the first NaN or infinity, or size().
size_t FindNonFinite(std::span<const float> values) noexcept {
  uint32_t bad = 0;  // no early exit: the loop becomes vector code
  for (const float value : values) bad |= IsFinite(value) ? 0u : 1u;
  if (bad == 0) return values.size();
  return static_cast<size_t>(std::find_if_not(values.begin(), values.end(), IsFinite) -
                             values.begin());
}

float MaxOf(const float* values, size_t count) noexcept {
  // Four independent maxima let the compiler use vector instructions without reordering rules.
  float best[4] = {kNever, kNever, kNever, kNever};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (size_t lane = 0; lane < 4; ++lane) {
      best[lane] = values[i + lane] > best[lane] ? values[i + lane] : best[lane];
    }
  }
  for (; i < count; ++i) best[0] = std::max(best[0], values[i]);
  return std::max(std::max(best[0], best[1]), std::max(best[2], best[3]));
}

// Sum of exp(value - best), added in order; blocks free the exponentials from that order.
double SumOfExp(std::span<const float> values, double best) noexcept {
  double sum = 0;
  double block[kBlock];
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    const size_t count = std::min(kBlock, values.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      block[i] = PortableExp(static_cast<double>(values[begin + i]) - best);
    }
    for (size_t i = 0; i < count; ++i) sum += block[i];
  }
  return sum;
}

void ApplyMask(const TokenMask& allowed, std::span<float> logits) noexcept {
  const auto words = allowed.words();
  for (size_t w = 0; w < words.size(); ++w) {
    uint64_t banned = ~words[w];
    const size_t base = w * 64;
    if (base + 64 > logits.size()) banned &= (uint64_t{1} << (logits.size() - base)) - 1;
    if (banned == ~uint64_t{0}) {
      std::fill_n(logits.begin() + static_cast<ptrdiff_t>(base), 64, kNever);
      continue;
    }
    for (; banned != 0; banned &= banned - 1) {
      logits[base + static_cast<size_t>(std::countr_zero(banned))] = kNever;
    }
  }
}

// Best first; equal logits by id, so that the order is total and the same everywhere.
constexpr auto kBetter = [](const auto& a, const auto& b) noexcept {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
};

uint64_t SeedFromSystem() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

Result<Sampler> Sampler::Create(SamplingOptions options, size_t vocab_size) {
  VADE_CHECK_OK(Validate(options, vocab_size));
  const uint64_t seed = options.seed ? *options.seed : SeedFromSystem();
  return Sampler(std::move(options), vocab_size, seed);
}

Sampler::Sampler(SamplingOptions options, size_t vocab_size, uint64_t seed)
    : options_(std::move(options)), vocab_size_(vocab_size), seed_(seed), random_(seed) {}

void Sampler::Accept(TokenId id) {
  if (options_.repeat_last_n == 0 || id < 0 || static_cast<size_t>(id) >= vocab_size_) return;
  ++counts_[id];
  if (options_.repeat_last_n < 0) return;
  recent_.push_back(id);
  if (recent_.size() <= static_cast<size_t>(options_.repeat_last_n)) return;
  const auto oldest = counts_.find(recent_.front());
  if (--oldest->second == 0) counts_.erase(oldest);
  recent_.pop_front();
}

Result<Sampled> Sampler::Sample(std::span<const float> raw, const TokenMask* allowed) {
  std::span<const float> logits = raw;
  if (logits.size() != vocab_size_ || (allowed != nullptr && allowed->size() != vocab_size_)) {
    return Fail(ErrorCode::kInvalidArgument, "sampling: got " + std::to_string(logits.size()) +
                                                 " logits, want " + std::to_string(vocab_size_) +
                                                 " and a grammar mask of the same size");
  }
  if (const size_t at = FindNonFinite(logits); at != logits.size()) {
    return Fail(ErrorCode::kCorruptData,
                "non-finite logits: the model gave " + std::to_string(logits[at]) + " for token " +
                    std::to_string(at) + "; its weights or scales are damaged");
  }
  if (allowed != nullptr || ChangesLogits()) {
    changed_.assign(raw.begin(), raw.end());
    ApplyBiasAndPenalties(changed_);
    if (allowed != nullptr) ApplyMask(*allowed, changed_);
    logits = changed_;
  }

  const auto top_k = static_cast<size_t>(options_.top_k);
  const bool greedy = options_.temperature == 0;
  if (greedy || (top_k > 0 && top_k < vocab_size_)) {
    SelectTop(logits, greedy ? 1 : top_k);
  } else {
    SelectAll(logits);
  }
  if (candidates_.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "sampling: grammar and logit_bias together leave no token to choose");
  }
  Sampled sampled;
  sampled.id = greedy ? candidates_.front().id : Draw();
  if (options_.logprobs) ReportLogprobs(raw, sampled);
  return sampled;
}

bool Sampler::ChangesLogits() const noexcept {
  const bool penalises = options_.repeat_penalty != 1 || options_.frequency_penalty != 0 ||
                         options_.presence_penalty != 0;
  return !options_.logit_bias.empty() || (penalises && !counts_.empty());
}

void Sampler::ApplyBiasAndPenalties(std::span<float> logits) const {
  for (const LogitBias& bias : options_.logit_bias) {
    logits[static_cast<size_t>(bias.id)] += bias.bias;
  }
  // Each token is changed on its own, so the order of the map does not matter.
  for (const auto& [id, count] : counts_) {
    float& logit = logits[static_cast<size_t>(id)];
    // Dividing a negative logit would make the token likelier, hence the two cases.
    logit = logit > 0 ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
    logit -= static_cast<float>(count) * options_.frequency_penalty + options_.presence_penalty;
  }
}

void Sampler::SelectTop(std::span<const float> logits, size_t k) {
  // A heap of the k best so far, the worst on top; a block is opened only if it holds a better one.
  candidates_.clear();
  float worst = kNever;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, logits.size());
    if (!(MaxOf(&logits[begin], end - begin) > worst)) continue;
    for (size_t i = begin; i < end; ++i) {
      if (!(logits[i] > worst)) continue;
      if (candidates_.size() == k) {
        std::pop_heap(candidates_.begin(), candidates_.end(), kBetter);
        candidates_.pop_back();
      }
      candidates_.push_back({0, logits[i], static_cast<TokenId>(i)});
      std::push_heap(candidates_.begin(), candidates_.end(), kBetter);
      if (candidates_.size() == k) worst = candidates_.front().logit;
    }
  }
  std::sort_heap(candidates_.begin(), candidates_.end(), kBetter);
}

void Sampler::SelectAll(std::span<const float> logits) {
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > kNever) candidates_.push_back({0, logits[i], static_cast<TokenId>(i)});
  }
}

double Sampler::TotalWeight() const noexcept {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  return total;
}

// Sorts by `before` only as far as needed and keeps the shortest prefix whose weights reach
// `target`; at least one candidate stays.
template <typename Before>
void Sampler::KeepWeight(double target, const Before& before) {
  double sum = 0;
  size_t sorted = 0;
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (i == sorted) {
      sorted = std::min(candidates_.size(), std::max(kFirstPrefix, 4 * sorted));
      const auto from = candidates_.begin() + static_cast<ptrdiff_t>(i);
      const auto to = candidates_.begin() + static_cast<ptrdiff_t>(sorted);
      if (to != candidates_.end()) std::nth_element(from, to, candidates_.end(), before);
      std::sort(from, to, before);
    }
    sum += candidates_[i].weight;
    if (sum < target) continue;
    candidates_.resize(i + 1);
    return;
  }
}

void Sampler::KeepTopP() {
  const double total = TotalWeight();
  const double target = static_cast<double>(options_.top_p) * total;
  if (candidates_.size() > kFirstPrefix) {
    // All candidates below this weight together weigh less than what top_p leaves out, so they are
    // dropped before anything is sorted. Halved, so that rounding cannot matter.
    const double negligible = (total - target) / (2 * static_cast<double>(candidates_.size()));
    std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < negligible; });
  }
  KeepWeight(target, kBetter);
}

void Sampler::KeepTypical() {
  // A token's surprise is -log p; typical are those near its mean, the entropy. With weights w of
  // sum z and l = log w, the entropy is log z - sum(w l) / z: log z drops out of the difference.
  double weighted = 0;
  const auto best = static_cast<double>(best_logit_);
  for (const Candidate& candidate : candidates_) {
    weighted += candidate.weight * (static_cast<double>(candidate.logit) - best);
  }
  const double total = TotalWeight();
  const double typical_logit = best + weighted / total;
  const auto off = [&](const Candidate& c) {
    return std::fabs(static_cast<double>(c.logit) - typical_logit);
  };
  KeepWeight(static_cast<double>(options_.typical_p) * total,
             [&](const Candidate& a, const Candidate& b) {
               return off(a) != off(b) ? off(a) < off(b) : kBetter(a, b);
             });
}

void Sampler::Truncate() {
  if (options_.typical_p < 1) KeepTypical();
  if (options_.top_p < 1) KeepTopP();
  if (options_.min_p <= 0) return;
  double most = 0;
  for (const Candidate& candidate : candidates_) most = std::max(most, candidate.weight);
  const double least = most * static_cast<double>(options_.min_p);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < least; });
}

TokenId Sampler::Draw() {
  if (options_.typical_p < 1 || options_.top_p < 1 || options_.min_p > 0) {
    Weigh(1);
    Truncate();
  }
  Weigh(static_cast<double>(options_.temperature));
  const double target = random_.NextUnit() * TotalWeight();
  double sum = 0;
  for (const Candidate& candidate : candidates_) {
    sum += candidate.weight;
    if (sum > target) return candidate.id;
  }
  return candidates_.back().id;  // target < total: only rounding could lead here
}

void Sampler::Weigh(double temperature) {
  best_logit_ = candidates_.front().logit;
  for (const Candidate& c : candidates_) best_logit_ = std::max(best_logit_, c.logit);
  const auto best = static_cast<double>(best_logit_);
  for (Candidate& c : candidates_) {
    c.weight = PortableExp((static_cast<double>(c.logit) - best) / temperature);
  }
}

std::vector<Sampler::Choice> Sampler::LastChoices() const {
  std::vector<Choice> choices;
  const double total = options_.temperature == 0 ? 0 : TotalWeight();  // greedy weighs nothing
  for (const Candidate& c : candidates_)
    choices.push_back({c.id, total > 0 ? c.weight / total : 1});
  std::ranges::sort(choices, [](const Choice& a, const Choice& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
  });
  return choices;
}

void Sampler::ReportLogprobs(std::span<const float> raw, Sampled& sampled) {
  const auto best = static_cast<double>(MaxOf(raw.data(), raw.size()));
  const double log_total = best + PortableLog(SumOfExp(raw, best));
  const auto logprob = [&](float logit) {
    return static_cast<float>(static_cast<double>(logit) - log_total);
  };
  sampled.logprob = logprob(raw[static_cast<size_t>(sampled.id)]);
  if (options_.top_logprobs == 0) return;
  SelectTop(raw, static_cast<size_t>(options_.top_logprobs));
  for (const Candidate& c : candidates_) sampled.top.push_back({c.id, logprob(c.logit)});
}

}  // namespace vade::runtime
