// FakeEmbedder: a bag of hashed words, with synonyms a test may teach it. Knows no Hangul.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/hash.h"
#include "vectorstore/lexical_tokenizer.h"

namespace vade::testing {

class FakeEmbedder : public embed::Embedder {
 public:
  static constexpr size_t kDimension = 2048;

  size_t limit = 256;
  std::map<std::string, std::string> synonyms;  // stem -> stem it means the same as
  mutable size_t num_query_calls = 0;

  size_t dimension() const override { return kDimension; }
  size_t max_tokens() const override { return limit; }
  size_t special_tokens() const override { return 2; }
  const std::string& fingerprint() const override { return fingerprint_; }

  /// Words between white space.
  size_t CountTokens(std::string_view text) const override {
    size_t count = 0;
    bool in_word = false;
    for (const char c : text) {
      const bool space = c == ' ' || c == '\n' || c == '\t';
      count += !space && !in_word ? 1 : 0;
      in_word = !space;
    }
    return count;
  }

  double Coverage(std::string_view text) const override {
    size_t ascii = 0;
    size_t other = 0;
    for (const char c : text) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      ascii += letter ? 1 : 0;
      other += static_cast<unsigned char>(c) >= 0x80 ? 1 : 0;
    }
    return ascii + other == 0 ? 1 : static_cast<double>(ascii) / static_cast<double>(ascii + other);
  }

  Result<void> EmbedPassages(std::span<const std::string_view> texts, std::span<float> out,
                             const CancelToken* = nullptr) override {
    for (size_t i = 0; i < texts.size(); ++i) {
      if (CountTokens(texts[i]) + 2 > limit) {
        return Fail(ErrorCode::kInvalidArgument, "text longer than max_tokens");
      }
      const std::vector<float> vector = Vector(texts[i]);
      std::copy(vector.begin(), vector.end(),
                out.begin() + static_cast<std::ptrdiff_t>(i * kDimension));
    }
    return {};
  }

  Result<std::vector<float>> EmbedQuery(std::string_view text) override {
    ++num_query_calls;
    if (CountTokens(text) + 2 > limit) {
      return Fail(ErrorCode::kInvalidArgument, "question longer than max_tokens");
    }
    return Vector(text);
  }

 private:
  std::vector<float> Vector(std::string_view text) const {
    std::vector<float> vector(kDimension, 0.0F);
    for (const vectorstore::Token& token :
         vectorstore::Tokenize(text, vectorstore::TokenizeFor::kQuery)) {
      const auto synonym = synonyms.find(token.term);
      const std::string& word = synonym == synonyms.end() ? token.term : synonym->second;
      vector[Hash64(std::string_view(word)) % kDimension] += 1;
    }
    float norm = 0;
    for (const float value : vector) norm += value * value;
    norm = std::max(1e-6F, std::sqrt(norm));
    for (float& value : vector) value /= norm;
    return vector;
  }

  std::string fingerprint_ = "fake";
};

}  // namespace vade::testing
