// Chunks become passages: neighbours merged, duplicates named, pages labelled, documents capped.
#include "retriever/passages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::retriever {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Passages : public ::testing::Test {
 protected:
  std::vector<Passage> Build(const std::vector<vectorstore::ChunkId>& ranked) {
    std::vector<vectorstore::Hit> hits;
    for (const vectorstore::ChunkId id : ranked) {
      hits.push_back(
          {id, store_.GetChunk(id)->document, 10.0F - static_cast<float>(hits.size()), 0});
    }
    std::vector<Candidate> candidates = Unite(hits, {});
    FuseScores(candidates, 0);
    DocumentCache documents(&store_);
    auto passages = BuildPassages(store_, candidates, options_, documents);
    EXPECT_TRUE(passages.has_value());
    return passages.value_or(std::vector<Passage>{});
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  SearchOptions options_;
};

TEST_F(Passages, NeighboursOfOneSectionBecomeOne) {
  testing::AddDocument(store_, embedder_, "a.pdf", "A",
                       {{"Setup", "Unpack the box.", "iii"},
                        {"Setup", "Connect the hose.", "iv"},
                        {"Care", "Rinse monthly.", "v"}});
  const std::vector<Passage> passages = Build({2, 1, 3});
  ASSERT_EQ(passages.size(), 2u);
  EXPECT_THAT(passages[0].chunks, ElementsAre(1, 2));
  EXPECT_EQ(passages[0].best_chunk, 2);
  EXPECT_EQ(passages[0].text, "Unpack the box.\n\nConnect the hose.");
  EXPECT_EQ(passages[0].first_page, "iii");
  EXPECT_EQ(passages[0].last_page, "iv");
  EXPECT_EQ(passages[0].first_page_number, 1u);
  EXPECT_EQ(passages[1].heading_path, "Care");
}

TEST_F(Passages, OtherSectionsAndGapsStayApart) {
  testing::AddDocument(store_, embedder_, "a.md", "A",
                       {{"Setup", "One apple."}, {"Use", "Two pears."}, {"Setup", "Three figs."}});
  EXPECT_EQ(Build({1, 2, 3}).size(), 3u);
  options_.merge_neighbours = false;
  EXPECT_EQ(Build({1, 2, 3}).size(), 3u);
}

TEST_F(Passages, NearDuplicatesAreNamedAtTheOneKept) {
  const std::string text = "Never open the lid while the drum is turning. Wait until it stops.";
  testing::AddDocument(store_, embedder_, "a.md", "A", {{"Safety", text}});
  testing::AddDocument(store_, embedder_, "b.md", "B", {{"Safety > Drum", text}});
  testing::AddDocument(store_, embedder_, "c.md", "C", {{"", text}});
  const std::vector<Passage> passages = Build({2, 1, 3});
  ASSERT_EQ(passages.size(), 1u);
  EXPECT_EQ(passages[0].path, "b.md");
  EXPECT_THAT(passages[0].duplicates, ElementsAre("a.md#Safety", "c.md"));
  options_.collapse_duplicates = false;
  EXPECT_EQ(Build({2, 1, 3}).size(), 3u);
}

TEST_F(Passages, ACapKeepsOneDocumentFromFillingTheResult) {
  testing::AddDocument(store_, embedder_, "a.md", "A",
                       {{"1", "Red."}, {"2", "Green."}, {"3", "Blue."}, {"4", "Black."}});
  testing::AddDocument(store_, embedder_, "b.md", "B", {{"1", "White."}});
  options_.k = 2;
  options_.max_per_document = 1;
  const std::vector<Passage> passages = Build({1, 2, 3, 4, 5});
  ASSERT_EQ(passages.size(), 2u);
  EXPECT_EQ(passages[0].path, "a.md");
  EXPECT_EQ(passages[1].path, "b.md");
}

TEST_F(Passages, WithoutPagesNothingIsInvented) {
  testing::AddDocument(store_, embedder_, "a.md", "A", {{"Setup", "Unpack."}});
  const std::vector<Passage> passages = Build({1});
  ASSERT_EQ(passages.size(), 1u);
  EXPECT_THAT(passages[0].first_page, IsEmpty());
  EXPECT_EQ(passages[0].first_page_number, 0u);
}

TEST_F(Passages, OffsetsOutsideTheTextAreCorruptNotUndefined) {
  vectorstore::NewDocument document;
  document.text = "short";
  vectorstore::ChunkRecord chunk;
  chunk.begin = 2;
  chunk.end = 500;
  document.chunks.push_back(chunk);
  document.vectors.assign(testing::FakeEmbedder::kDimension, 0.0F);
  ASSERT_TRUE(store_.PutDocument(std::move(document)).has_value());
  DocumentCache documents(&store_);
  const auto passages = BuildPassages(store_, Unite({{1, 1, 1.0F, 1.0F}}, {}), options_, documents);
  ASSERT_FALSE(passages.has_value());
  EXPECT_EQ(passages.error().code, ErrorCode::kCorruptData);
}

}  // namespace
}  // namespace vade::retriever
