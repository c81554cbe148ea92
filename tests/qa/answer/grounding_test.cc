// What a model writes, checked against the documents sentence by sentence.
#include "qa/answer/grounding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::qa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GrounderTest : public ::testing::Test {
 protected:
  GrounderTest() : documents_(&store_) {
    testing::AddDocument(store_, embedder_, "p200.pdf", "AquaLift P200",
                         {{"Reset",
                           "Hold the green button for 10 seconds. The display shows E-204. Do not "
                           "open the cover while the pump runs.",
                           "4"},
                          {"Data", "Item | Value\nMaximum pressure | 8 bar\nWeight | 9 kg", "5"}});
    testing::AddDocument(store_, embedder_, "ko.md", "정수기",
                         {{"필터 청소", "필터는 매월 한 번 흐르는 물에 청소하십시오."}});
    search_ = retriever::Retriever(&store_, &embedder_)
                  .Search("pump button pressure 필터", {.k = 10})
                  .value();
    sections_ = ReadSections(search_.passages, documents_).value();
    for (size_t i = 0; i < search_.passages.size(); ++i) shown_.push_back(i);
  }

  /// The number a model would use for the passage that holds `text`.
  std::string Mark(std::string_view text) const {
    for (size_t i = 0; i < search_.passages.size(); ++i) {
      if (search_.passages[i].text.find(text) != std::string::npos) {
        return "[" + std::to_string(i + 1) + "]";
      }
    }
    ADD_FAILURE() << "no passage holds " << text;
    return "";
  }

  std::vector<GroundedSentence> Ground(const std::string& text, size_t step = SIZE_MAX) {
    Grounder grounder(store_, search_.passages, sections_, shown_);
    std::vector<GroundedSentence> sentences;
    const auto take = [&](auto more) {
      ASSERT_TRUE(more) << more.error().message;
      sentences.insert(sentences.end(), more->begin(), more->end());
    };
    for (size_t at = 0; at < text.size(); at += std::min(step, text.size() - at)) {
      take(grounder.Append(std::string_view(text).substr(at, step)));
    }
    take(grounder.Finish());
    citations_ = grounder.citations();
    return sentences;
  }

  Support SupportOf(const std::string& sentence) {
    const auto sentences = Ground(sentence);
    EXPECT_THAT(sentences, SizeIs(1)) << sentence;
    return sentences.empty() ? Support::kNone : sentences[0].support;
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  retriever::DocumentCache documents_;
  retriever::SearchResult search_;
  std::vector<Section> sections_;
  std::vector<size_t> shown_;
  std::vector<Citation> citations_;
};

TEST_F(GrounderTest, AQuotedSentenceIsCitedWhereItStands) {
  const auto sentences = Ground("Hold the green button for 10 seconds. " + Mark("green"));
  ASSERT_THAT(sentences, SizeIs(1));
  EXPECT_EQ(sentences[0].text, "Hold the green button for 10 seconds.");
  EXPECT_EQ(sentences[0].support, Support::kQuoted);
  EXPECT_THAT(sentences[0].citations, ElementsAre(1));
  EXPECT_FALSE(sentences[0].moved);
  ASSERT_THAT(citations_, SizeIs(1));
  EXPECT_EQ(citations_[0].path, "p200.pdf");
  EXPECT_EQ(citations_[0].page, "4");
  EXPECT_EQ(citations_[0].quote, "Hold the green button for 10 seconds.");
}

TEST_F(GrounderTest, OtherWordsWithTheSameFactsAreSupported) {
  EXPECT_EQ(SupportOf("You hold the green button for 10 seconds " + Mark("green") + "."),
            Support::kSupported);
  EXPECT_EQ(SupportOf("The maximum pressure of the AquaLift P200 is 8 bar. " + Mark("8 bar")),
            Support::kSupported);
  EXPECT_EQ(SupportOf("필터는 매월 물에 청소하십시오. " + Mark("필터")), Support::kSupported);
}

TEST_F(GrounderTest, AnotherNumberCodeOrNegationIsNot) {
  EXPECT_EQ(SupportOf("Hold the green button for 20 seconds. " + Mark("green")), Support::kNone);
  EXPECT_EQ(SupportOf("The maximum pressure is 10 bar. " + Mark("8 bar")), Support::kNone);
  EXPECT_EQ(SupportOf("The display shows E-205. " + Mark("E-204")), Support::kNone);
  EXPECT_EQ(SupportOf("Open the cover while the pump runs. " + Mark("cover")), Support::kNone);
  EXPECT_EQ(SupportOf("Do not hold the green button for 10 seconds. " + Mark("green")),
            Support::kNone);
  EXPECT_EQ(SupportOf("The warranty covers accidental damage. " + Mark("green")), Support::kNone);
}

TEST_F(GrounderTest, AWrongOrMissingCitationIsPutRight) {
  const auto wrong = Ground("The weight is 9 kg. " + Mark("필터"));
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_NE(wrong[0].support, Support::kNone);
  EXPECT_TRUE(wrong[0].moved);
  EXPECT_EQ(citations_.at(0).page, "5");
  const auto missing = Ground("The weight is 9 kg.");
  EXPECT_NE(missing.at(0).support, Support::kNone);
  EXPECT_FALSE(missing.at(0).moved);
  EXPECT_NE(Ground("The weight is 9 kg. [999999999999999999999]").at(0).support, Support::kNone);
}

TEST_F(GrounderTest, SentencesAndMarksComeOutTheSameInPiecesOfAnySize) {
  const std::string text = "Do this:\n1. Hold the green button for 10 seconds. " + Mark("green") +
                           "\n2. The display shows E-204." + Mark("green") +
                           " The weight is 9 kg " + Mark("9 kg") + ".\n";
  const auto whole = Ground(text);
  ASSERT_THAT(whole, SizeIs(4));
  EXPECT_EQ(whole[1].before, "\n1. ");
  EXPECT_EQ(whole[2].text, "The display shows E-204.");
  EXPECT_EQ(whole[3].text, "The weight is 9 kg.");
  for (const size_t step : {1u, 2u, 3u, 7u}) {
    const auto pieces = Ground(text, step);
    ASSERT_EQ(pieces.size(), whole.size()) << step;
    for (size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(pieces[i].text, whole[i].text) << step;
      EXPECT_EQ(pieces[i].before, whole[i].before) << step;
      EXPECT_EQ(pieces[i].citations, whole[i].citations) << step;
    }
  }
}

TEST_F(GrounderTest, TextWithoutAnEndIsTakenInBoundedTime) {
  const auto sentences = Ground(std::string(1 << 20, 'a'), 4096);
  EXPECT_GT(sentences.size(), 100u);
  for (const auto& sentence : sentences) EXPECT_EQ(sentence.support, Support::kNone);
  EXPECT_THAT(Ground(" \n\n [1] \n"), IsEmpty());
  EXPECT_THAT(citations_, IsEmpty());
}

TEST_F(GrounderTest, AQuoteThatIsGoneFromTheStoreIsNotCited) {
  const auto records = store_.ListDocuments({}).value();
  for (const auto& record : records) ASSERT_TRUE(store_.DeleteDocument(record.id));
  EXPECT_EQ(SupportOf("Hold the green button for 10 seconds. [1]"), Support::kNone);
}

}  // namespace
}  // namespace vade::qa
