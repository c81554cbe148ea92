#include "engine/runtime/prompt_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/runtime/random.h"

namespace vade::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

PromptLookup Make(size_t min_ngram, size_t max_ngram) {
  auto lookup = PromptLookup::Create({.max_ngram = max_ngram, .min_ngram = min_ngram});
  EXPECT_TRUE(lookup.has_value());
  return std::move(lookup).value();
}

TEST(PromptLookup, CopiesWhatFollowedTheLatestOccurrence) {
  PromptLookup lookup = Make(2, 3);
  lookup.Append(std::vector<int32_t>{1, 2, 3, 4, 5, 1, 2, 9, 8, 7, 1, 2});
  EXPECT_THAT(lookup.Propose(3), ElementsAre(9, 8, 7));
  EXPECT_THAT(lookup.Propose(1), ElementsAre(9));
  EXPECT_THAT(lookup.Propose(100), ElementsAre(9, 8, 7, 1, 2));
  lookup.Append(3);  // 1 2 3 occurred first of all: the longer match counts more
  EXPECT_THAT(lookup.Propose(2), ElementsAre(4, 5));
}

TEST(PromptLookup, NewTextHasNoDraft) {
  PromptLookup lookup = Make(2, 3);
  EXPECT_THAT(lookup.Propose(4), IsEmpty());
  lookup.Append(1);
  EXPECT_THAT(lookup.Propose(4), IsEmpty());
  lookup.Append(std::vector<int32_t>{2, 3, 4, 3});
  EXPECT_THAT(lookup.Propose(4), IsEmpty());
  PromptLookup single = Make(1, 1);
  single.Append(std::vector<int32_t>{2, 3, 4, 3});
  EXPECT_THAT(single.Propose(4), ElementsAre(4, 3));
}

TEST(PromptLookup, RepetitionGoesOn) {
  PromptLookup lookup = Make(2, 3);
  lookup.Append(std::vector<int32_t>{5, 5, 5, 5, 5});
  EXPECT_THAT(lookup.Propose(8), ElementsAre(5));
}

// Against a plain search from the end.
TEST(PromptLookup, AgreesWithSearching) {
  Random random(9);
  PromptLookup lookup = Make(1, 4);
  std::vector<int32_t> text;
  for (int step = 0; step < 2000; ++step) {
    text.push_back(static_cast<int32_t>(random.Next() % 6));
    lookup.Append(text.back());
    std::vector<int32_t> want;
    for (size_t n = std::min<size_t>(4, text.size()); n >= 1 && want.empty(); --n) {
      for (size_t end = text.size() - 1; end >= n; --end) {
        if (!std::equal(text.end() - static_cast<ptrdiff_t>(n), text.end(),
                        text.begin() + static_cast<ptrdiff_t>(end - n))) {
          continue;
        }
        const size_t last = std::min(end + 5, text.size());
        want.assign(text.begin() + static_cast<ptrdiff_t>(end),
                    text.begin() + static_cast<ptrdiff_t>(last));
        break;
      }
    }
    ASSERT_THAT(lookup.Propose(5), ElementsAreArray(want)) << "after " << text.size();
  }
}

TEST(PromptLookup, OptionsAreChecked) {
  EXPECT_FALSE(PromptLookup::Create({.max_ngram = 3, .min_ngram = 0}).has_value());
  EXPECT_FALSE(PromptLookup::Create({.max_ngram = 2, .min_ngram = 3}).has_value());
  EXPECT_FALSE(PromptLookup::Create({.max_ngram = 5, .min_ngram = 1}).has_value());
}

}  // namespace
}  // namespace vade::runtime
