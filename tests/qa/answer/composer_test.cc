// The form of an answer follows its best piece.
#include "qa/answer/composer.h"

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

class Composing : public ::testing::Test {
 protected:
  /// Composes from the one section of a one-section document, without an embedder.
  std::vector<std::string> Lines(const std::string& asked, const std::string& heading,
                                 const std::string& text, size_t max_sentences = 3) {
    testing::FakeStore store;
    testing::FakeEmbedder embedder;
    const auto id = testing::AddDocument(store, embedder, "a.md", "A", {{heading, text}});
    retriever::Passage passage;
    passage.document = id;
    passage.title = "A";
    passage.heading_path = heading;
    passage.end = text.size();
    passage.score = 1;
    const std::vector<retriever::Passage> passages{passage};
    retriever::DocumentCache documents(&store);
    const Question question = ReadQuestion(asked);
    const auto weights = WeighTerms(store, question);
    const auto sections = ReadSections(passages, documents);
    std::vector<Piece> pieces = CollectPieces(question, *sections, passages);
    EXPECT_TRUE(ScorePieces(question, *weights, *sections, {}, pieces).has_value());
    groups_ = Compose(question, *sections, pieces, max_sentences);
    std::vector<std::string> lines;
    for (const PieceGroup& group : groups_) {
      for (const Piece& piece : group.pieces) lines.push_back(piece.text);
    }
    return lines;
  }

  std::vector<PieceGroup> groups_;
};

TEST_F(Composing, AProcedureIsGivenWholeInOrderWithItsLeadIn) {
  EXPECT_THAT(
      Lines("How do I reset the pump?", "Reset",
            "The pump can be reset.\n\nTo reset the pump:\n\n1. Switch it off.\n2. Wait one "
            "minute.\n3. Switch it on.\n\nIt beeps."),
      ElementsAre("To reset the pump:", "1. Switch it off.", "2. Wait one minute.",
                  "3. Switch it on."));
  EXPECT_THAT(groups_, SizeIs(1)) << "one citation";
}

TEST_F(Composing, NumberingThatGoesOnAfterANoteIsFollowed) {
  EXPECT_THAT(
      Lines("How do I reset the pump?", "Reset the pump",
            "1. Switch it off.\n2. Wait.\n\nNote: it may drip.\n\n3. Switch it on.\n\n1. "
            "Another list."),
      ElementsAre("1. Switch it off.", "2. Wait.", "Note: it may drip.", "3. Switch it on."));
}

TEST_F(Composing, ATwoColumnRowIsNameAndValue) {
  EXPECT_THAT(Lines("What is the maximum pressure?", "Data",
                    "Item | Value\nMaximum pressure | 8 bar\nMaximum temperature | 35 C"),
              ElementsAre("Maximum pressure: 8 bar"));
}

TEST_F(Composing, AWideRowCarriesItsHeader) {
  EXPECT_THAT(Lines("What does E-204 mean?", "Errors",
                    "Code | Meaning | Remedy\nE-203 | Hot | Wait\nE-204 | Dry | Add water"),
              ElementsAre("Code: E-204; Meaning: Dry; Remedy: Add water"));
}

TEST_F(Composing, ANamedModelPicksItsColumn) {
  EXPECT_THAT(Lines("What is the flow of the P350?", "Data",
                    "Property | P200 | P350\nFlow | 20 l/min | 35 l/min\nMass | 9 kg | 12 kg"),
              ElementsAre("Property: Flow; P350: 35 l/min"));
}

TEST_F(Composing, ATableWithoutAHeaderLosesNoRow) {
  EXPECT_THAT(Lines("What is the weight?", "Data", "Weight | 9 kg\nLength | 40 cm"),
              ElementsAre("Weight: 9 kg"));
}

TEST_F(Composing, SentencesAreFewAndInReadingOrder) {
  const std::vector<std::string> lines =
      Lines("Which acid removes limescale?", "Care",
            "Wear gloves. Citric acid removes limescale. Vinegar smells. Strong acid removes "
            "limescale as well. The lid is blue.",
            2);
  EXPECT_THAT(lines, ElementsAre("Citric acid removes limescale.",
                                 "Strong acid removes limescale as well."));
}

TEST_F(Composing, ASentenceThatLeansBackBringsTheOneBefore) {
  const std::vector<std::string> lines =
      Lines("How long does descaling last?", "Care",
            "Start the program with the left key. It descales for 20 minutes. The lid is blue.", 1);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0], "Start the program with the left key.");
}

TEST_F(Composing, NothingGivesNothing) { EXPECT_THAT(Lines("What?", "", ""), IsEmpty()); }

}  // namespace
}  // namespace vade::qa
