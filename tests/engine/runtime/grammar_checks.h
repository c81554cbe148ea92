// Whether a grammar accepts a text, for tests: byte by byte, without a vocabulary.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/grammar.h"
#include "engine/runtime/grammar_matcher.h"
#include "engine/runtime/random.h"
#include "engine/runtime/token_trie.h"

namespace vade::runtime {

inline const TokenTrie& NoTokens() {
  static const TokenTrie trie{std::vector<std::string>{}};
  return trie;
}

/// REQUIRES a valid grammar.
inline GrammarMatcher MatcherOf(std::string_view gbnf, const TokenTrie& trie = NoTokens(),
                                std::vector<TokenId> end_ids = {}) {
  auto grammar = Grammar::Parse(gbnf);
  if (!grammar) ADD_FAILURE() << grammar.error().message << "\n" << gbnf.substr(0, 4000);
  auto matcher = GrammarMatcher::Create(grammar.value(), trie, end_ids);
  if (!matcher) ADD_FAILURE() << matcher.error().message;
  return std::move(matcher).value();
}

inline bool Accepts(std::string_view gbnf, std::string_view text) {
  GrammarMatcher matcher = MatcherOf(gbnf);
  return matcher.AcceptText(text).has_value() && matcher.may_end();
}

/// The text is the beginning of an accepted one (or could be: the grammar goes on from it).
inline bool AcceptsPrefix(std::string_view gbnf, std::string_view text) {
  return MatcherOf(gbnf).AcceptText(text).has_value();
}

/// Every byte as a token of its own, then some longer ones that JSON and words are made of.
inline std::vector<std::string> ByteVocabulary() {
  std::vector<std::string> texts;
  for (int byte = 0; byte < 256; ++byte) texts.push_back(std::string(1, static_cast<char>(byte)));
  for (const char* text : {"{\"", "\":", "\",", "},", "null", "true", "  ", " \"", "\xED\x95",
                           "\x9C", "\xED\x95\x9C", "12", "0.5", "]}", "\\u", "ab", "\xF0\x9F"}) {
    texts.push_back(text);
  }
  return texts;
}

/// A text drawn by picking allowed tokens at random until the grammar lets it end; after
/// `soft_limit` tokens the shortest way out is preferred by ending as soon as possible.
inline std::string Generate(GrammarMatcher& matcher, const TokenTrie& trie, TokenId end_id,
                            Random& random, size_t soft_limit = 60) {
  constexpr size_t kHardLimit = 4000;
  const std::string closers = "\"}]0nulltrue:,";
  std::string text;
  for (size_t n = 0; n < kHardLimit && !matcher.must_end(); ++n) {
    const auto allowed = matcher.AllowedTokens();
    if (!allowed) {
      ADD_FAILURE() << allowed.error().message;
      return text;
    }
    std::vector<TokenId> ids;
    for (TokenId id = 0; static_cast<size_t>(id) < trie.vocab_size(); ++id) {
      if ((*allowed)->Test(id)) ids.push_back(id);
    }
    if (ids.empty()) {
      ADD_FAILURE() << "no token is allowed after: " << text;
      return text;
    }
    TokenId id = ids[random.Next() % ids.size()];
    if (n > soft_limit) {
      if (matcher.may_end()) return text;
      for (const char closer : closers) {
        const auto closing = static_cast<TokenId>(static_cast<unsigned char>(closer));
        if (!(*allowed)->Test(closing)) continue;
        id = closing;
        break;
      }
    }
    if (id == end_id) return text;
    const auto accepted = matcher.Accept(id);
    if (!accepted) {
      ADD_FAILURE() << accepted.error().message;
      return text;
    }
    text += trie.TextOf(id);
  }
  EXPECT_TRUE(matcher.may_end()) << "unfinished: " << text;
  return text;
}

}  // namespace vade::runtime
