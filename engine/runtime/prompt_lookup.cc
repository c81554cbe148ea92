// An n-gram is entered when the token after it is known, so a look-up never finds the end itself.
#include "engine/runtime/prompt_lookup.h"

#include <algorithm>
#include <limits>
#include <string>

#include "engine/base/hash.h"

namespace vade::runtime {

size_t PromptLookup::HashNgram::operator()(const Ngram& ngram) const noexcept {
  return static_cast<size_t>(Hash64(std::as_bytes(std::span(ngram))));
}

Result<PromptLookup> PromptLookup::Create(const Options& options) {
  if (options.min_ngram < 1 || options.min_ngram > options.max_ngram ||
      options.max_ngram > kMaxNgram) {
    return Fail(ErrorCode::kInvalidArgument,
                "prompt lookup: got n-grams of " + std::to_string(options.min_ngram) + " to " +
                    std::to_string(options.max_ngram) +
                    " tokens, want 1 <= min <= max <= " + std::to_string(kMaxNgram));
  }
  return PromptLookup(options);
}

PromptLookup::Ngram PromptLookup::LastNgram(size_t length) const noexcept {
  Ngram ngram;
  ngram.fill(-1);
  std::copy_n(text_.end() - static_cast<ptrdiff_t>(length), length, ngram.begin());
  return ngram;
}

void PromptLookup::Append(TokenId id) {
  if (text_.size() < std::numeric_limits<uint32_t>::max()) {
    for (size_t n = options_.min_ngram; n <= std::min(options_.max_ngram, text_.size()); ++n) {
      next_[LastNgram(n)] = static_cast<uint32_t>(text_.size());
    }
  }
  text_.push_back(id);
}

std::span<const PromptLookup::TokenId> PromptLookup::Propose(size_t max_tokens) const {
  for (size_t n = std::min(options_.max_ngram, text_.size()); n >= options_.min_ngram; --n) {
    const auto found = next_.find(LastNgram(n));
    if (found == next_.end()) continue;
    const size_t at = found->second;
    return std::span(text_).subspan(at, std::min(max_tokens, text_.size() - at));
  }
  return {};
}

}  // namespace vade::runtime
