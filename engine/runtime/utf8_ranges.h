// Sets of code points as UTF-8 byte patterns, for automata that read bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vade::runtime {

/// Code points low..high, both included.
struct CodePointRange {
  char32_t low;
  char32_t high;
};

/// 1-4 byte ranges; a string of that many bytes, each in its range, is in the set.
struct ByteSequence {
  struct Range {
    uint8_t low;
    uint8_t high;
  };
  std::array<Range, 4> bytes;
  size_t length;
};

/// Sorted, disjoint, without surrogates (which UTF-8 cannot write) and without what is above
/// U+10FFFF.
[[nodiscard]] std::vector<CodePointRange> Normalised(std::vector<CodePointRange> ranges);

/// Everything that is not in `ranges`, normalised.
[[nodiscard]] std::vector<CodePointRange> Complement(std::vector<CodePointRange> ranges);

/// What is in both, normalised.
[[nodiscard]] std::vector<CodePointRange> Intersection(std::vector<CodePointRange> a,
                                                       std::vector<CodePointRange> b);

/// Exactly the UTF-8 encodings of `ranges`, which must be normalised.
[[nodiscard]] std::vector<ByteSequence> ToByteSequences(const std::vector<CodePointRange>& ranges);

}  // namespace vade::runtime
