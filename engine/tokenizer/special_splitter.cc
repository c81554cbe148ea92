// A trie of control tokens and the walk over the text.
#include "engine/tokenizer/special_splitter.h"

#include <algorithm>
#include <utility>

namespace vade::tokenizer {
namespace {

constexpr bool IsSpace(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

void SpecialSplitter::Set::Insert(std::string_view text, TokenId id) {
  trie.Insert(text, id);
  starts[static_cast<uint8_t>(text.front())] = true;
  empty = false;
}

SpecialSplitter::SpecialSplitter(const Vocabulary& vocabulary, std::vector<TokenId> strips_left,
                                 std::vector<TokenId> strips_right)
    : strips_left_(std::move(strips_left)), strips_right_(std::move(strips_right)) {
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenType type = vocabulary.type(id);
    const bool user_defined = type == TokenType::kUserDefined;
    const bool special = user_defined || type == TokenType::kControl || type == TokenType::kUnknown;
    if (!special || vocabulary.text(id).empty()) continue;
    all_.Insert(vocabulary.text(id), id);
    if (user_defined) user_defined_.Insert(vocabulary.text(id), id);
  }
}

std::vector<Fragment> SpecialSplitter::Split(std::string_view text, bool parse_special) const {
  const Set& set = parse_special ? all_ : user_defined_;
  std::vector<Fragment> out;
  if (set.empty) {
    if (!text.empty()) out.push_back({text});
    return out;
  }
  size_t begin = 0;  // of the ordinary text not yet emitted
  for (size_t at = 0; at < text.size();) {
    if (!set.starts[static_cast<uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    const Trie::Match match = set.trie.LongestPrefix(text.substr(at));
    if (match.length == 0) {
      ++at;
      continue;
    }
    size_t end = at;  // of the ordinary text before the token
    if (std::binary_search(strips_left_.begin(), strips_left_.end(), match.value)) {
      while (end > begin && IsSpace(text[end - 1])) --end;
    }
    if (end > begin) out.push_back({text.substr(begin, end - begin)});
    out.push_back({text.substr(at, match.length), match.value});
    at += match.length;
    if (std::binary_search(strips_right_.begin(), strips_right_.end(), match.value)) {
      while (at < text.size() && IsSpace(text[at])) ++at;
    }
    begin = at;
  }
  if (begin < text.size()) out.push_back({text.substr(begin)});
  return out;
}

}  // namespace vade::tokenizer
