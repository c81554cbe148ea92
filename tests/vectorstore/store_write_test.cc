// Replacing, renaming and deleting; what must not get in.
#include <gmock/gmock.h>

#include <limits>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

TEST_F(StoreTest, TheSamePathReplaces) {
  const auto store = OpenNew();
  Put(*store, "a.md", {"old alpha", "old beta"});
  const DocumentId id = Put(*store, "a.md", {"new gamma"}, 50);
  EXPECT_EQ(store->ListDocuments({})->size(), 1u);
  EXPECT_EQ(store->GetChunks(id)->size(), 1u);
  EXPECT_TRUE(store->LexicalSearch("alpha", 10)->empty());
  EXPECT_EQ(store->LexicalSearch("gamma", 10)->size(), 1u);
  EXPECT_EQ(store->GetCounts()->vectors, 1u);
  ExpectSound(*store);
}

TEST_F(StoreTest, DeletionLeavesNothingBehind) {
  const auto store = OpenNew();
  const DocumentId gone = Put(*store, "gone.md", {"the zyxomma dragonfly", "qwertyuiop"});
  Put(*store, "kept.md", {"another text"}, 70);
  ASSERT_TRUE(store->DeleteDocument(gone));
  ASSERT_TRUE(store->Optimize());
  EXPECT_TRUE(store->LexicalSearch("zyxomma", 10)->empty());
  EXPECT_EQ(store->DenseSearch(RandomUnit(2), 10)->size(), 1u);
  EXPECT_EQ(store->GetText(gone).error().code, ErrorCode::kNotFound);
  ExpectSound(*store);
  // secure_delete and the merged index: not even the bytes of a rare term are in the file.
  EXPECT_EQ(Slurp(path_).find("zyxomma"), std::string::npos);
  EXPECT_EQ(Slurp(path_.string() + "-wal").find("zyxomma"), std::string::npos);
}

TEST_F(StoreTest, TheLastDocumentTakesItsCollectionWithIt) {
  const auto store = OpenNew();
  ASSERT_TRUE(store->AddCollection("/empty", "empty"));
  const DocumentId id = Put(*store, "a.md", {"text"});
  ASSERT_TRUE(store->DeleteDocument(id));
  const auto left = store->ListCollections();
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ(left->at(0).name, "empty");
}

TEST_F(StoreTest, RenamingKeepsChunksAndReplacesTheTarget) {
  const auto store = OpenNew();
  const DocumentId id = Put(*store, "a.md", {"moving words"});
  Put(*store, "b.md", {"in the way"}, 30);
  const ChunkId chunk = store->GetChunks(id)->at(0).id;
  ASSERT_TRUE(store->RenameDocument(id, "b.md", 77));
  EXPECT_EQ(store->ListDocuments({})->size(), 1u);
  EXPECT_EQ(store->GetDocument(id)->path, "b.md");
  EXPECT_EQ(store->GetDocument(id)->mtime_ns, 77);
  EXPECT_EQ(store->LexicalSearch("moving", 5)->at(0).chunk, chunk);
  EXPECT_EQ(store->LexicalSearch("moving", 5, {.path_globs = {"b.md"}})->size(), 1u);
  EXPECT_TRUE(store->LexicalSearch("moving", 5, {.path_globs = {"a.md"}})->empty());
  ASSERT_TRUE(store->TouchDocument(id, 78));
  EXPECT_EQ(store->GetDocument(id)->mtime_ns, 78);
  ExpectSound(*store);
}

TEST_F(StoreTest, ASkippedDocumentIsARecordOnly) {
  const auto store = OpenNew();
  NewDocument document = MakeDocument(collection_, "bad.pdf", {"text"});
  document.record.status = DocumentStatus::kSkipped;
  document.record.reason = "password";
  const auto id = store->PutDocument(document);
  ASSERT_TRUE(id) << id.error().message;
  EXPECT_EQ(store->GetDocument(*id)->reason, "password");
  EXPECT_EQ(store->GetCounts()->skipped, 1u);
  EXPECT_EQ(store->GetCounts()->chunks, 0u);
  ExpectSound(*store);
}

TEST_F(StoreTest, BadVectorsAreRejectedAndNothingIsWritten) {
  const auto store = OpenNew();
  const auto put = [&](auto spoil) {
    NewDocument document = MakeDocument(collection_, "a.md", {"one", "two"});
    spoil(document.vectors);
    return store->PutDocument(document);
  };
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity(), 3.0f, 1e30f}) {
    const auto id = put([&](auto& vectors) { vectors[kDimension + 3] = bad; });
    ASSERT_FALSE(id) << bad;
    EXPECT_EQ(id.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(id.error().message, testing::HasSubstr("a.md: vector of chunk 1"));
  }
  EXPECT_FALSE(put([](auto& v) { std::fill(v.begin(), v.end(), 0.0f); }));
  EXPECT_FALSE(put([](auto& v) { v.pop_back(); }));
  EXPECT_FALSE(put([](auto& v) { v.clear(); }));
  EXPECT_EQ(store->GetCounts()->documents, 0u);
  ExpectSound(*store);
}

TEST_F(StoreTest, ChunksOutsideTheTextAreRejected) {
  const auto store = OpenNew();
  NewDocument document = MakeDocument(collection_, "a.md", {"one"});
  document.chunks[0].end = document.text.size() + 1;
  EXPECT_EQ(store->PutDocument(document).error().code, ErrorCode::kInvalidArgument);
  document = MakeDocument(collection_, "a.md", {"one"});
  document.pages[0].end = document.text.size() + 1;
  EXPECT_EQ(store->PutDocument(document).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(StoreTest, AnotherFingerprintIsRefusedOnceThereAreChunks) {
  const auto store = OpenNew();
  ASSERT_TRUE(store->SetFingerprints({"embedder-b", "chunker-a", kDimension}));
  Put(*store, "a.md", {"text"});
  EXPECT_TRUE(store->SetFingerprints({"embedder-b", "chunker-a", kDimension}));
  for (const Fingerprints& other : {Fingerprints{"embedder-c", "chunker-a", kDimension},
                                    Fingerprints{"embedder-b", "chunker-b", kDimension},
                                    Fingerprints{"embedder-b", "chunker-a", kDimension + 1}}) {
    const auto set = store->SetFingerprints(other);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(set.error().message, testing::HasSubstr("built with embedder-b"));
  }
  EXPECT_EQ(store->GetFingerprints().value()->embedder, "embedder-b");
}

TEST_F(StoreTest, ADocumentOfManyChunksSpansVectorBlocks) {
  const auto store = OpenNew();
  std::vector<std::string> chunks(2500);
  for (size_t i = 0; i < chunks.size(); ++i) chunks[i] = "word" + std::to_string(i);
  const DocumentId id = Put(*store, "big.md", chunks, 1000);
  const auto records = store->GetChunks(id);
  ASSERT_EQ(records->size(), chunks.size());
  for (const size_t i : {size_t{0}, size_t{1023}, size_t{1024}, size_t{2499}}) {
    const auto hits = store->DenseSearch(RandomUnit(1001 + i), 1);
    ASSERT_TRUE(hits) << hits.error().message;
    EXPECT_EQ(hits->at(0).chunk, records->at(i).id);
    EXPECT_NEAR(hits->at(0).score, 1.0f, 1e-3f);
    EXPECT_EQ(store->LexicalSearch(chunks[i], 3)->at(0).chunk, records->at(i).id);
  }
  ExpectSound(*store);
}

}  // namespace
}  // namespace vade::vectorstore
