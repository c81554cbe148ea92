// Sentence and clause ends.
#include "ingest/sentences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vade::ingest {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Split(std::string_view text, size_t (*end_of)(std::string_view, size_t)) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = end_of(text, at);
    EXPECT_GT(end, at);
    out.emplace_back(text.substr(at, end - at));
    at = text.find_first_not_of(" \n", end);
    if (at == std::string_view::npos) break;
  }
  return out;
}

TEST(Sentences, English) {
  EXPECT_THAT(Split("Turn it off. Wait 3.5 s! \"Ready?\" Then go on... Done.", SentenceEnd),
              ElementsAre("Turn it off.", "Wait 3.5 s!", "\"Ready?\"", "Then go on...", "Done."));
}

TEST(Sentences, AbbreviationsDoNotEndThem) {
  EXPECT_THAT(Split("See Fig. 3, e.g. No. 12 by J. Smith. Next.", SentenceEnd),
              ElementsAre("See Fig. 3, e.g. No. 12 by J. Smith.", "Next."));
  EXPECT_THAT(Split("1. Press start. 2 times.", SentenceEnd),
              ElementsAre("1. Press start.", "2 times."));
  EXPECT_THAT(Split("Made in 2019. Sold out.", SentenceEnd),
              ElementsAre("Made in 2019.", "Sold out."));
}

TEST(Sentences, KoreanAndCjk) {
  EXPECT_THAT(Split("전원을 끕니다. 괜찮나요? 네, 그래요.", SentenceEnd),
              ElementsAre("전원을 끕니다.", "괜찮나요?", "네, 그래요."));
  EXPECT_THAT(Split("電源を切る。「はい。」次へ！", SentenceEnd),
              ElementsAre("電源を切る。", "「はい。」", "次へ！"));
}

TEST(Sentences, Clauses) {
  EXPECT_THAT(Split("open it, look (twice) inside; close 1,000 times", ClauseEnd),
              ElementsAre("open it,", "look (twice)", "inside;", "close 1,000 times"));
}

}  // namespace
}  // namespace vade::ingest
