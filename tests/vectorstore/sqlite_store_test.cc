// Documents in, the same documents out.
#include "vectorstore/sqlite_store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

TEST_F(StoreTest, AnEmptyStoreIsSoundAndCounted) {
  const auto store = OpenNew();
  ExpectSound(*store);
  const auto counts = store->GetCounts();
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->documents, 0u);
  EXPECT_GT(counts->file_bytes, 0u);
}

TEST_F(StoreTest, OnlyTheUserCanReadIt) {
  path_ = folder_ / "deep" / "er" / "library.db";
  const auto store = OpenNew();
  struct stat info {};
  for (const auto& [path, mode] : {std::pair{path_, 0600u},
                                   {path_.string() + "-wal", 0600u},
                                   {path_.string() + ".lock", 0600u},
                                   {folder_ / "deep", 0700u},
                                   {folder_ / "deep" / "er", 0700u}}) {
    ASSERT_EQ(stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ(info.st_mode & 0777u, mode) << path;
  }
}

TEST_F(StoreTest, ADocumentComesBackAsItWas) {
  const auto store = OpenNew();
  NewDocument document = MakeDocument(collection_, "a\xFF\n.md", {"first part", "second part"}, 9);
  document.pages.push_back({7, "iv", 3, 9, false});
  document.chunks[1].context = "| head |";
  document.chunks[1].first_page = 1;
  const auto id = store->PutDocument(document);
  ASSERT_TRUE(id) << id.error().message;

  const auto record = store->GetDocument(*id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->path, "a\xFF\n.md");
  EXPECT_EQ(record->content_hash, document.record.content_hash);
  EXPECT_EQ(record->mtime_ns, -5);
  EXPECT_EQ(record->chunk_count, 2u);
  EXPECT_EQ(record->page_count, 2u);
  EXPECT_EQ(record->text_bytes, document.text.size());
  EXPECT_GT(record->indexed_at, 0);
  EXPECT_EQ(store->GetText(*id).value(), document.text);
  const auto pages = store->GetPages(*id).value();
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_EQ(pages[1].label, "iv");
  EXPECT_FALSE(pages[1].has_text);
  EXPECT_EQ(store->GetNotes(*id).value().at(0).text, "a note");
  const auto chunks = store->GetChunks(*id).value();
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[1].context, "| head |");
  EXPECT_EQ(chunks[1].begin, document.chunks[1].begin);
  EXPECT_EQ(store->GetChunk(chunks[1].id).value().first_page, 1u);
  const auto vector = store->GetVector(chunks[1].id).value();
  for (size_t i = 0; i < kDimension; ++i) {
    EXPECT_NEAR(vector[i], document.vectors[kDimension + i], 1e-3f);
  }
  ExpectSound(*store);
}

TEST_F(StoreTest, MissingThingsAreNotFound) {
  const auto store = OpenNew();
  EXPECT_EQ(store->GetDocument(1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->GetText(1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->GetChunk(1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->GetVector(1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->DeleteDocument(1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->RenameDocument(1, "x", 0).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store->TouchDocument(1, 0).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, CollectionsAreFoundByRootAndNamedApart) {
  const auto store = OpenNew();
  EXPECT_EQ(store->AddCollection("/manuals", "other")->id, collection_);
  EXPECT_EQ(store->AddCollection("/b/manuals", "manuals")->name, "manuals-2");
  EXPECT_EQ(store->AddCollection("/c/manuals", "manuals")->name, "manuals-3");
  EXPECT_EQ(store->ListCollections()->size(), 3u);
}

TEST_F(StoreTest, ListsByFilter) {
  const auto store = OpenNew();
  Put(*store, "pump/a.md", {"one"});
  Put(*store, "pump/b.pdf", {"two"});
  const DocumentId fan = Put(*store, "fan.md", {"three"});
  EXPECT_EQ(store->ListDocuments({})->size(), 3u);
  EXPECT_EQ(store->ListDocuments({.path_globs = {"*.md"}})->size(), 2u);
  EXPECT_EQ(store->ListDocuments({.path_globs = {"a.md", "fan.md"}})->size(), 2u);
  EXPECT_EQ(store->ListDocuments({.path_globs = {"pump"}})->size(), 2u);
  EXPECT_EQ(store->ListDocuments({.documents = {fan}})->at(0).path, "fan.md");
  EXPECT_EQ(store->ListDocuments({.collections = {"manuals"}})->size(), 3u);
  EXPECT_EQ(store->ListDocuments({.collections = {"none"}})->size(), 0u);
}

TEST_F(StoreTest, ASecondOpenSeesWhatTheFirstWrote) {
  DocumentId id = 0;
  {
    const auto store = OpenNew();
    id = Put(*store, "a.md", {"kept words"});
  }
  const auto store = Reopen(true);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->GetDocument(id)->path, "a.md");
  EXPECT_EQ((*store)->PutDocument({}).error().code, ErrorCode::kInvalidArgument);
  ExpectSound(**store);
}

}  // namespace
}  // namespace vade::vectorstore
