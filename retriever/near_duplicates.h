// Near-duplicate text: word shingles and the numbers that tell two models of a device apart.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vade::retriever {

/// What is compared of a passage. Cheap to build, linear in the text.
struct TextPrint {
  std::vector<uint64_t> shingles;  // hashes of 3 consecutive words, sorted, distinct
  std::vector<uint64_t> numbers;   // hashes of the words that contain a digit, sorted, distinct
};

[[nodiscard]] TextPrint PrintOf(std::string_view text);

/// True when the words are nearly the same AND the numbers are the same: "8 bar" and "10 bar" make
/// two passages of one wording different answers.
[[nodiscard]] bool NearDuplicate(const TextPrint& a, const TextPrint& b);

}  // namespace vade::retriever
