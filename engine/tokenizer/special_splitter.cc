// A trie of control tokens and the walk over the text.
#include "engine/tokenizer/special_splitter.h"

namespace vade::tokenizer {

void SpecialSplitter::Set::Insert(std::string_view text, TokenId id) {
  trie.Insert(text, id);
  starts[static_cast<uint8_t>(text.front())] = true;
  empty = false;
}

SpecialSplitter::SpecialSplitter(const Vocabulary& vocabulary) {
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
    if (at > begin) out.push_back({text.substr(begin, at - begin)});
    out.push_back({text.substr(at, match.length), match.value});
    at += match.length;
    begin = at;
  }
  if (begin < text.size()) out.push_back({text.substr(begin)});
  return out;
}

}  // namespace vade::tokenizer
