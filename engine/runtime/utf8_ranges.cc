// A range of code points is cut until each part is a product of byte ranges: first where the length
// of the encoding changes, then where a continuation byte would not run over its whole 80..BF.
#include "engine/runtime/utf8_ranges.h"

#include <algorithm>
#include <string>

#include "engine/base/utf8.h"

namespace vade::runtime {
namespace {

constexpr char32_t kMax = 0x10FFFF;
constexpr char32_t kSurrogateLow = 0xD800;
constexpr char32_t kSurrogateHigh = 0xDFFF;

// Last code points of 1, 2, 3 and 4 bytes.
constexpr char32_t kLastOfLength[] = {0x7F, 0x7FF, 0xFFFF, kMax};

void AddProduct(char32_t low, char32_t high, std::vector<ByteSequence>& out) {
  std::string low_bytes;
  std::string high_bytes;
  utf8::Append(low, low_bytes);
  utf8::Append(high, high_bytes);
  ByteSequence sequence{};
  sequence.length = low_bytes.size();
  for (size_t i = 0; i < sequence.length; ++i) {
    sequence.bytes[i] = {static_cast<uint8_t>(low_bytes[i]), static_cast<uint8_t>(high_bytes[i])};
  }
  out.push_back(sequence);
}

void Split(char32_t low, char32_t high, std::vector<ByteSequence>& out) {
  for (const char32_t last : kLastOfLength) {
    if (low > last || high <= last) continue;
    Split(low, last, out);
    Split(last + 1, high, out);
    return;
  }
  if (high > 0x7F) {
    for (unsigned bits = 6; bits <= 18; bits += 6) {
      const char32_t tail = (char32_t{1} << bits) - 1;  // what the last bits / 6 bytes hold
      if ((low & ~tail) == (high & ~tail)) break;
      if ((low & tail) != 0) {
        Split(low, low | tail, out);
        Split((low | tail) + 1, high, out);
        return;
      }
      if ((high & tail) != tail) {
        Split(low, (high & ~tail) - 1, out);
        Split(high & ~tail, high, out);
        return;
      }
    }
  }
  AddProduct(low, high, out);
}

}  // namespace

std::vector<CodePointRange> Normalised(std::vector<CodePointRange> ranges) {
  std::vector<CodePointRange> split;
  for (CodePointRange range : ranges) {
    range.high = std::min(range.high, kMax);
    if (range.low < kSurrogateLow && range.low <= range.high) {
      split.push_back({range.low, std::min<char32_t>(range.high, kSurrogateLow - 1)});
    }
    range.low = std::max<char32_t>(range.low, kSurrogateHigh + 1);
    if (range.low <= range.high) split.push_back(range);
  }
  std::sort(split.begin(), split.end(),
            [](const CodePointRange& a, const CodePointRange& b) { return a.low < b.low; });
  std::vector<CodePointRange> merged;
  for (const CodePointRange& range : split) {
    if (!merged.empty() && range.low <= merged.back().high + 1) {
      merged.back().high = std::max(merged.back().high, range.high);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

std::vector<CodePointRange> Complement(std::vector<CodePointRange> ranges) {
  std::vector<CodePointRange> out;
  char32_t next = 0;
  for (const CodePointRange& range : Normalised(std::move(ranges))) {
    if (range.low > next) out.push_back({next, range.low - 1});
    next = range.high + 1;
  }
  if (next <= kMax) out.push_back({next, kMax});
  return Normalised(std::move(out));
}

std::vector<CodePointRange> Intersection(std::vector<CodePointRange> a,
                                         std::vector<CodePointRange> b) {
  auto outside = Complement(std::move(a));
  for (const CodePointRange& range : Complement(std::move(b))) outside.push_back(range);
  return Complement(std::move(outside));
}

std::vector<ByteSequence> ToByteSequences(const std::vector<CodePointRange>& ranges) {
  std::vector<ByteSequence> out;
  for (const CodePointRange& range : ranges) Split(range.low, range.high, out);
  return out;
}

}  // namespace vade::runtime
