// Reranking: its place in a search, and what a bad reranker does.
#include "retriever/rerank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::retriever {
namespace {

using ::testing::HasSubstr;

// Likes the passages with a word; says what it was given.
class WordReranker : public Reranker {
 public:
  std::string_view name() const override { return "word"; }
  Result<std::vector<float>> Score(std::string_view, std::span<const std::string_view> passages,
                                   const CancelToken*) override {
    read.assign(passages.begin(), passages.end());
    if (answer) return *answer;
    std::vector<float> scores;
    for (const std::string_view passage : passages) {
      scores.push_back(passage.find(word) == std::string_view::npos ? -3.0f : 4.0f);
    }
    return scores;
  }

  std::string word;
  std::vector<std::string> read;
  std::optional<Result<std::vector<float>>> answer;
};

class RerankTest : public ::testing::Test {
 protected:
  RerankTest() {
    testing::AddDocument(store_, embedder_, "p200.pdf", "AquaLift P200",
                         {{"Care", "Remove limescale with citric acid.", "4"},
                          {"Errors", "E-204 | Low flow | Clean the inlet", "5"},
                          {"Data", "Maximum pressure | 8 bar", "6"}});
    testing::AddDocument(store_, embedder_, "p350.pdf", "AquaLift P350",
                         {{"Care", "Remove limescale with vinegar.", "4"}});
    options_.merge_neighbours = false;
  }
  Result<SearchResult> Search() {
    return Retriever(&store_, &embedder_, &reranker_).Search("remove limescale", options_);
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  WordReranker reranker_;
  SearchOptions options_;
};

TEST_F(RerankTest, TheRerankersOrderCounts) {
  for (const char* word : {"vinegar", "citric"}) {
    reranker_.word = word;
    const auto result = Search();
    ASSERT_TRUE(result) << result.error().message;
    const Passage& first = result->passages.at(0);
    EXPECT_THAT(first.text, HasSubstr(word));
    EXPECT_EQ(first.score, 4.0);
    EXPECT_EQ(first.reranked->rank, 1u);
    EXPECT_TRUE(first.fused.has_value()) << "the trace keeps what was before";
    for (size_t i = 1; i < result->passages.size(); ++i) {
      EXPECT_LE(result->passages[i].score, result->passages[i - 1].score);
    }
  }
  EXPECT_THAT(reranker_.read.at(0), HasSubstr("Care\n")) << "headings are read too";
}

TEST_F(RerankTest, OnlyTheFirstAreReadAndStayInFront) {
  options_.rerank = 2;
  reranker_.word = "nothing of this";
  const auto result = Search();
  ASSERT_TRUE(result);
  EXPECT_EQ(reranker_.read.size(), 2u);
  size_t read = 0;
  for (const Passage& passage : result->passages) {
    if (passage.reranked) {
      ++read;
      EXPECT_LE(passage.reranked->rank, 2u);
    } else {
      EXPECT_EQ(read, 2u) << "those that were not read come behind";
      EXPECT_LE(passage.score, -3.0);
    }
  }
}

TEST_F(RerankTest, EqualScoresKeepTheOrder) {
  reranker_.word = "limescale";
  const auto with = Search();
  const auto without = Retriever(&store_, &embedder_).Search("remove limescale", options_);
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->passages[0].best_chunk, without->passages[0].best_chunk);
  EXPECT_FALSE(without->passages[0].reranked);
}

TEST_F(RerankTest, BadScoresAreAnError) {
  reranker_.answer = std::vector<float>{1};
  EXPECT_EQ(Search().error().code, ErrorCode::kInternal);
  reranker_.answer = std::vector<float>(4, std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(Search().error().code, ErrorCode::kInternal);
  reranker_.answer = Fail(ErrorCode::kUnavailable, "gone");
  EXPECT_EQ(Search().error().message, "gone");
}

}  // namespace
}  // namespace vade::retriever
