// Jaccard similarity of word 3-shingles, with equal sets of numbers.
#include "retriever/near_duplicates.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "engine/base/hash.h"
#include "vectorstore/lexical_tokenizer.h"

namespace vade::retriever {
namespace {

constexpr size_t kShingleWords = 3;
// Two OCR or conversion variants of one section share well over 0.9 of their shingles; sections of
// two models that differ in one sentence of ten fall below.
constexpr double kMinJaccard = 0.85;

void SortDistinct(std::vector<uint64_t>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

bool HasDigit(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

TextPrint PrintOf(std::string_view text) {
  TextPrint print;
  std::vector<uint64_t> words;
  for (const vectorstore::Token& token :
       vectorstore::Tokenize(text, vectorstore::TokenizeFor::kIndex)) {
    if (token.colocated) continue;
    words.push_back(Hash64(std::string_view(token.term)));
    if (HasDigit(token.term)) print.numbers.push_back(words.back());
  }
  const size_t width = std::min(kShingleWords, words.size());
  for (size_t i = 0; width > 0 && i + width <= words.size(); ++i) {
    print.shingles.push_back(
        Hash64(std::as_bytes(std::span<const uint64_t>(words).subspan(i, width))));
  }
  SortDistinct(print.shingles);
  SortDistinct(print.numbers);
  return print;
}

bool NearDuplicate(const TextPrint& a, const TextPrint& b) {
  if (a.numbers != b.numbers || a.shingles.empty() || b.shingles.empty()) return false;
  std::vector<uint64_t> common;
  std::set_intersection(a.shingles.begin(), a.shingles.end(), b.shingles.begin(), b.shingles.end(),
                        std::back_inserter(common));
  const size_t united = a.shingles.size() + b.shingles.size() - common.size();
  return static_cast<double>(common.size()) >= kMinJaccard * static_cast<double>(united);
}

}  // namespace vade::retriever
