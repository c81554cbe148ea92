// Whole searches over a fake store and embedder.
#include "retriever/retriever.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::retriever {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RetrieverTest : public ::testing::Test {
 protected:
  RetrieverTest() {
    embedder_.synonyms = {{"scale", "limescal"}, {"crust", "limescal"}};
    testing::AddDocument(store_, embedder_, "p200.pdf", "AquaLift P200",
                         {{"Care", "Remove limescale with citric acid.", "4"},
                          {"Errors", "E-204 | Low flow | Clean the inlet", "5"},
                          {"Data", "Maximum pressure | 8 bar", "6"}});
    testing::AddDocument(store_, embedder_, "p350.pdf", "AquaLift P350",
                         {{"Care", "Remove limescale with vinegar.", "4"},
                          {"Data", "Maximum pressure | 10 bar", "6"}});
    testing::AddDocument(store_, embedder_, "ko.md", "정수기",
                         {{"청소", "필터를 매월 청소하십시오."}, {"설치", "호스를 연결하십시오."}});
  }

  SearchResult Search(const std::string& question) {
    auto result = Retriever(&store_, &embedder_).Search(question, options_);
    EXPECT_TRUE(result.has_value()) << result.error().message;
    return result.value_or(SearchResult{});
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  SearchOptions options_;
};

TEST_F(RetrieverTest, AnEmptyQuestionIsRefused) {
  for (const char* question : {"", "  \t\n"}) {
    const auto result = Retriever(&store_, &embedder_).Search(question, options_);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(RetrieverTest, MeaningFindsWhatWordsDoNot) {
  options_.mode = Mode::kLexical;
  EXPECT_THAT(Search("white crust").passages, IsEmpty());
  options_.mode = Mode::kHybrid;
  const SearchResult result = Search("white crust");
  ASSERT_FALSE(result.passages.empty());
  EXPECT_EQ(result.passages[0].heading_path, "Care");
  EXPECT_FALSE(result.passages[0].lexical.has_value());
  EXPECT_EQ(result.passages[0].fused->rank, 1u);
}

TEST_F(RetrieverTest, TheNamedModelComesFirst) {
  EXPECT_EQ(Search("maximum pressure of the AquaLift P350").passages[0].path, "p350.pdf");
  EXPECT_EQ(Search("maximum pressure of the AquaLift P200").passages[0].path, "p200.pdf");
}

TEST_F(RetrieverTest, ATitlePageDoesNotWinByTheDevicesName) {
  testing::AddDocument(store_, embedder_, "m7.md", "Stitchwell M7",
                       {{"", "Stitchwell M7"}, {"Sewing", "Buttonholes need four rounds."}});
  const SearchResult result = Search("How do I sew buttonholes with the Stitchwell M7?");
  EXPECT_EQ(result.passages[0].heading_path, "Sewing");
  EXPECT_GT(result.passages[0].name_credit, 0);
}

TEST_F(RetrieverTest, AnIdentifierDecides) {
  const SearchResult result = Search("what about limescale and citric acid and vinegar at e204");
  EXPECT_EQ(result.passages[0].heading_path, "Errors");
  EXPECT_GT(result.passages[0].identifier_bonus, 0);
}

TEST_F(RetrieverTest, ALanguageTheEmbedderDoesNotKnowIsLeftToTheWords) {
  const SearchResult hybrid = Search("필터를 어떻게 청소하나요");
  EXPECT_EQ(embedder_.num_query_calls, 0u);
  EXPECT_EQ(hybrid.dense_weight, 0);
  options_.mode = Mode::kLexical;
  const SearchResult lexical = Search("필터를 어떻게 청소하나요");
  ASSERT_FALSE(lexical.passages.empty());
  ASSERT_EQ(hybrid.passages.size(), lexical.passages.size());
  for (size_t i = 0; i < lexical.passages.size(); ++i) {
    EXPECT_EQ(hybrid.passages[i].best_chunk, lexical.passages[i].best_chunk);
  }
}

TEST_F(RetrieverTest, FiltersReachBothArms) {
  options_.filter.path_globs = {"p350.pdf"};
  for (const Passage& passage : Search("limescale pressure E-204").passages) {
    EXPECT_EQ(passage.path, "p350.pdf");
  }
}

TEST_F(RetrieverTest, ALongQuestionIsShortenedWithAWarningNeverSilently) {
  embedder_.limit = 8;
  std::string question = "limescale";
  for (int i = 0; i < 500; ++i) question += " filler";
  question += " vinegar";
  const SearchResult result = Search(question);
  ASSERT_THAT(result.warnings, SizeIs(1));
  EXPECT_THAT(result.warnings[0], HasSubstr("more than 8 tokens"));
  ASSERT_FALSE(result.passages.empty());
  EXPECT_EQ(result.passages[0].path, "p350.pdf") << "the lexical arm reads the last word too";
}

TEST_F(RetrieverTest, HostileTextIsAQuestionLikeAnyOther) {
  for (const std::string& question :
       {std::string("\"NEAR(a b)*'--;"), std::string("\xff\xc0\x80 \xed\xa0\x80"),
        std::string("a\0b", 3), std::string(1 << 20, '(')}) {
    const auto result = Retriever(&store_, &embedder_).Search(question, options_);
    EXPECT_TRUE(result.has_value());
  }
}

TEST_F(RetrieverTest, DenseWithoutAnEmbedderSaysSo) {
  options_.mode = Mode::kDense;
  const auto result = Retriever(&store_, nullptr).Search("pressure", options_);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, HasSubstr("embedder"));
}

TEST_F(RetrieverTest, ErrorsOfTheStoreComeThrough) {
  store_.search_error = Error{ErrorCode::kCorruptData, "bad page"};
  const auto result = Retriever(&store_, &embedder_).Search("pressure", options_);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kCorruptData);
}

TEST_F(RetrieverTest, TheTraceNamesEveryStage) {
  const SearchResult result = Search("maximum pressure");
  std::string stages;
  for (const StageTiming& timing : result.timings) stages += timing.stage + " ";
  EXPECT_EQ(stages, "lexical dense names fusion passages ");
  EXPECT_GT(result.lexical_candidates, 0u);
  EXPECT_GT(result.dense_candidates, 0u);
  EXPECT_TRUE(result.passages[0].dense.has_value());
}

TEST_F(RetrieverTest, DocumentsAreRankedByTheirBestPassage) {
  options_.k = 2;
  const auto ranked = Retriever(&store_, &embedder_).RankDocuments("vinegar limescale", options_);
  ASSERT_TRUE(ranked.has_value());
  ASSERT_THAT(*ranked, SizeIs(2));
  EXPECT_EQ((*ranked)[0].document, 2);
  EXPECT_NE((*ranked)[0].document, (*ranked)[1].document);
  EXPECT_GE((*ranked)[0].score, (*ranked)[1].score);
}

TEST(ParseMode, KnowsItsNames) {
  for (const Mode mode : {Mode::kLexical, Mode::kDense, Mode::kHybrid}) {
    EXPECT_EQ(ParseMode(ModeName(mode)), mode);
  }
  EXPECT_FALSE(ParseMode("bm25").has_value());
}

}  // namespace
}  // namespace vade::retriever
