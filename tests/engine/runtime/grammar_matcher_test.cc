#include "engine/runtime/grammar_matcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/utf8.h"
#include "engine/runtime/json_schema.h"
#include "tests/engine/runtime/grammar_checks.h"

namespace vade::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<TokenId> Allowed(GrammarMatcher& matcher) {
  const auto mask = matcher.AllowedTokens();
  EXPECT_TRUE(mask.has_value());
  std::vector<TokenId> ids;
  for (TokenId id = 0; static_cast<size_t>(id) < (*mask)->size(); ++id) {
    if ((*mask)->Test(id)) ids.push_back(id);
  }
  return ids;
}

const std::vector<std::string> kTexts = {"",  "a",    "b",        "ab",           "abc",
                                         "c", "\xED", "\x95\x9C", "\xED\x95\x9C", "x"};

TEST(GrammarMatcher, MasksTokensAndTheEnd) {
  const TokenTrie trie(kTexts);
  GrammarMatcher matcher = MatcherOf("root ::= \"ab\" \"c\"?", trie, {0});
  EXPECT_THAT(Allowed(matcher), ElementsAre(1, 3, 4));
  ASSERT_TRUE(matcher.Accept(1).has_value());
  EXPECT_THAT(Allowed(matcher), ElementsAre(2));
  EXPECT_FALSE(matcher.may_end());
  EXPECT_FALSE(matcher.Accept(0).has_value());
  ASSERT_TRUE(matcher.Accept(2).has_value());
  EXPECT_TRUE(matcher.may_end());
  EXPECT_FALSE(matcher.must_end());
  EXPECT_THAT(Allowed(matcher), ElementsAre(0, 5));
  ASSERT_TRUE(matcher.Accept(5).has_value());
  EXPECT_TRUE(matcher.must_end());
  EXPECT_THAT(Allowed(matcher), ElementsAre(0));
  ASSERT_TRUE(matcher.Accept(0).has_value());
  EXPECT_TRUE(matcher.must_end());
  EXPECT_THAT(Allowed(matcher), IsEmpty());
  EXPECT_FALSE(matcher.Accept(0).has_value());
}

TEST(GrammarMatcher, ARefusedTokenChangesNothing) {
  const TokenTrie trie(kTexts);
  GrammarMatcher matcher = MatcherOf("root ::= \"abc\"", trie, {0});
  const auto refused = matcher.Accept(9);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("\"x\" is not allowed here"));
  EXPECT_FALSE(matcher.Accept(500).has_value());
  EXPECT_FALSE(matcher.Accept(-1).has_value());
  EXPECT_TRUE(matcher.Accept(4).has_value());
}

TEST(GrammarMatcher, TokensMayHoldHalfCharacters) {
  const TokenTrie trie(kTexts);
  GrammarMatcher matcher = MatcherOf("root ::= [\xEA\xB0\x80-\xED\x9E\xA3] \"a\"", trie, {0});
  EXPECT_THAT(Allowed(matcher), ElementsAre(6, 8));
  ASSERT_TRUE(matcher.Accept(6).has_value());
  EXPECT_FALSE(matcher.may_end());
  EXPECT_THAT(Allowed(matcher), ElementsAre(7));
  ASSERT_TRUE(matcher.Accept(7).has_value());
  EXPECT_THAT(Allowed(matcher), ElementsAre(1));
}

// A token is allowed exactly if its bytes go on: checked against reading each one.
TEST(GrammarMatcher, TheMaskAgreesWithReadingEachToken) {
  const auto texts = ByteVocabulary();
  const TokenTrie trie(texts);
  Random random(11);
  for (int round = 0; round < 20; ++round) {
    GrammarMatcher matcher = MatcherOf(JsonObjectGbnf(), trie);
    for (int step = 0; step < 25 && !matcher.must_end(); ++step) {
      const auto allowed = Allowed(matcher);
      for (size_t id = 0; id < texts.size(); ++id) {
        GrammarMatcher copy = matcher;
        const bool in_mask = std::binary_search(allowed.begin(), allowed.end(), TokenId(id));
        ASSERT_EQ(copy.Accept(static_cast<TokenId>(id)).has_value(), in_mask) << texts[id];
      }
      ASSERT_FALSE(allowed.empty());
      ASSERT_TRUE(matcher.Accept(allowed[random.Next() % allowed.size()]).has_value());
    }
  }
}

TEST(GrammarMatcher, GeneratedTextsAreValidUtf8) {
  const TokenTrie trie(ByteVocabulary());
  Random random(5);
  for (int round = 0; round < 50; ++round) {
    GrammarMatcher matcher = MatcherOf("root ::= .{3,30} \"!\"", trie);
    EXPECT_TRUE(utf8::IsValid(Generate(matcher, trie, -1, random, 1000)));
  }
}

TEST(GrammarMatcher, DroppingTheCacheKeepsThePlace) {
  const TokenTrie trie(ByteVocabulary());
  auto grammar = Grammar::Parse(JsonObjectGbnf());
  ASSERT_TRUE(grammar.has_value());
  MatcherLimits tiny;
  tiny.cache_bytes = 1;  // dropped at every call
  auto forgetful = GrammarMatcher::Create(*grammar, trie, {}, tiny);
  auto usual = GrammarMatcher::Create(*grammar, trie, {});
  ASSERT_TRUE(forgetful.has_value() && usual.has_value());
  for (const char c : std::string("{\"a\":[1,{\"b\":null},\"x\"],\"c\":{}}")) {
    EXPECT_EQ(Allowed(*forgetful), Allowed(*usual));
    ASSERT_TRUE(forgetful->Accept(static_cast<TokenId>(c)).has_value()) << c;
    ASSERT_TRUE(usual->Accept(static_cast<TokenId>(c)).has_value());
  }
  EXPECT_TRUE(forgetful->must_end());
}

TEST(GrammarMatcher, DepthIsLimitedWithoutAnError) {
  auto grammar = Grammar::Parse("root ::= \"(\" root \")\" | \"x\"");
  ASSERT_TRUE(grammar.has_value());
  MatcherLimits limits;
  limits.max_depth = 3;
  auto matcher = GrammarMatcher::Create(std::move(*grammar), NoTokens(), {}, limits);
  ASSERT_TRUE(matcher.has_value());
  ASSERT_TRUE(matcher->AcceptText("(((").has_value());
  EXPECT_FALSE(matcher->AcceptText("(").has_value());
  EXPECT_TRUE(matcher->AcceptText("x)))").has_value());
  EXPECT_TRUE(matcher->must_end());
}

TEST(GrammarMatcher, DeepNestingDoesNotOverflow) {
  const std::string open(5'000, '[');
  EXPECT_TRUE(AcceptsPrefix("root ::= \"[\" root \"]\" | \"[]\"", open));
  EXPECT_TRUE(Accepts("root ::= \"[\" root \"]\" | \"[]\"", open + std::string(5'000, ']')));
}

// The set of stacks doubles with every byte; the budget ends it.
TEST(GrammarMatcher, ExplosiveAmbiguityIsAnError) {
  std::string gbnf =
      "root ::= s\ns ::= \"a\" s x | \"a\" s y | \"a\" s z | \"b\"\n"
      "x ::= \"1\" | \"2\"\ny ::= \"1\"\nz ::= \"2\"";
  auto grammar = Grammar::Parse(gbnf);
  ASSERT_TRUE(grammar.has_value());
  MatcherLimits limits;
  limits.max_steps = 200'000;
  auto matcher = GrammarMatcher::Create(std::move(*grammar), NoTokens(), {}, limits);
  ASSERT_TRUE(matcher.has_value());
  const auto accepted = matcher->AcceptText(std::string(200, 'a'));
  ASSERT_FALSE(accepted.has_value());
  EXPECT_EQ(accepted.error().code, ErrorCode::kResource);
  EXPECT_TRUE(matcher->AcceptText("ab").has_value());
}

}  // namespace
}  // namespace vade::runtime
