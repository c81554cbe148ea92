// Searches: what is found, in which order, under which filter, whatever the query holds.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <thread>

#include "tests/vectorstore/store_fixture.h"
#include "vectorstore/lexical_tokenizer.h"
#include "vectorstore/posting_cache.h"

namespace vade::vectorstore {
namespace {

TEST_F(StoreTest, RarerAndMoreFrequentTermsRankHigher) {
  const auto store = OpenNew();
  Put(*store, "a", {"pump pump pump motor"}, 10);
  Put(*store, "b", {"pump motor valve wheel"}, 20);
  Put(*store, "c", {"motor valve wheel gear"}, 30);
  const auto hits = store->LexicalSearch("the pumps", 10);
  ASSERT_EQ(hits->size(), 2u);
  EXPECT_EQ(store->GetDocument(hits->at(0).document)->path, "a");
  EXPECT_GT(hits->at(0).score, hits->at(1).score);
}

TEST_F(StoreTest, FindsTitleHeadingAndContext) {
  const auto store = OpenNew();
  NewDocument document = MakeDocument(collection_, "x.md", {"first", "second"});
  document.record.title = "Gyroscope handbook";
  document.chunks[1].heading_path = "Setup > Calibration";
  document.chunks[1].context = "| Part | Torque |";
  const DocumentId id = store->PutDocument(document).value();
  const auto chunks = store->GetChunks(id).value();
  EXPECT_EQ(store->LexicalSearch("gyroscope", 5)->at(0).chunk, chunks[0].id);
  EXPECT_EQ(store->LexicalSearch("calibrate", 5)->at(0).chunk, chunks[1].id);
  EXPECT_EQ(store->LexicalSearch("torque", 5)->at(0).chunk, chunks[1].id);
}

TEST_F(StoreTest, KoreanNounsFindTheirParticleForms) {
  const auto store = OpenNew();
  Put(*store, "ko", {"서버를 다시 시작하려면 전원 버튼을 누르십시오."}, 1);
  Put(*store, "other", {"필터를 교체하십시오."}, 9);
  for (const char* query : {"서버", "서버가 안 켜져요", "전원버튼"}) {
    const auto hits = store->LexicalSearch(query, 5);
    ASSERT_FALSE(hits->empty()) << query;
    EXPECT_EQ(hits->at(0).document, 1) << query;
  }
}

TEST_F(StoreTest, HostileQueriesAreQueries) {
  const auto store = OpenNew();
  Put(*store, "a", {"NEAR the quoted \" words OR not AND fts rank"}, 1);
  for (const std::string& query :
       {std::string("\""), std::string("\"\"\"quoted"), std::string("NEAR(a b)"), std::string("*"),
        std::string("a*"), std::string("^a"), std::string("a AND"), std::string("-a"),
        std::string("heading:a"), std::string("{heading body}: a"),
        std::string("'; DROP TABLE fts"), std::string("\0near\0", 6), std::string("\xFF\xFE\x80"),
        std::string(1 << 20, '"'), std::string(1 << 20, 'a'), std::string(1 << 20, ' '),
        std::string()}) {
    const auto hits = store->LexicalSearch(query, 10);
    EXPECT_TRUE(hits) << hits.error().message;
  }
  std::string long_query;
  for (int i = 0; long_query.size() < (1u << 20); ++i) long_query += "w" + std::to_string(i) + " ";
  EXPECT_TRUE(store->LexicalSearch(long_query, 10));
  EXPECT_EQ(store->LexicalSearch("near \"quoted", 10)->size(), 1u);
}

TEST_F(StoreTest, AStoreWithoutChunksFindsNothing) {  // it used to abort
  const auto store = OpenNew();
  const auto dense = store->DenseSearch(RandomUnit(1), 5);
  ASSERT_TRUE(dense) << dense.error().message;
  EXPECT_TRUE(dense->empty());
  EXPECT_TRUE(store->LexicalSearch("pump", 5)->empty());
}

TEST_F(StoreTest, StopWordsCountOnlyWhenNothingElseIsThere) {
  const auto store = OpenNew();
  Put(*store, "a", {"how to do it"}, 1);
  Put(*store, "b", {"valve"}, 9);
  const auto hits = store->LexicalSearch("how to do the valve", 10);
  ASSERT_EQ(hits->size(), 1u);
  EXPECT_EQ(hits->at(0).document, 2);
  EXPECT_EQ(store->LexicalSearch("how to do it", 10)->size(), 1u);
}

TEST_F(StoreTest, FiltersAreAppliedBeforeTheBestAreChosen) {
  const auto store = OpenNew();
  for (int i = 0; i < 40; ++i) {
    Put(*store, "many/" + std::to_string(i), {"pump pump pump"}, 100);
  }
  const DocumentId far = Put(*store, "few/x.md", {"a long text that mentions a pump once only"}, 7);
  const auto other = store->AddCollection("/other", "other");
  NewDocument document = MakeDocument(other->id, "y", {"one more pump in another place"}, 8);
  const DocumentId there = store->PutDocument(document).value();
  for (const auto& [filter, id] : {std::pair{Filter{.path_globs = {"few/*"}}, far},
                                   {Filter{.documents = {far}}, far},
                                   {Filter{.collections = {"other"}}, there}}) {
    const auto lexical = store->LexicalSearch("pump", 1, filter);
    ASSERT_EQ(lexical->size(), 1u);
    EXPECT_EQ(lexical->at(0).document, id);
    const auto dense = store->DenseSearch(RandomUnit(101), 1, filter);
    ASSERT_EQ(dense->size(), 1u);
    EXPECT_EQ(dense->at(0).document, id);
  }
  EXPECT_TRUE(store->DenseSearch(RandomUnit(101), 5, {.path_globs = {"none"}})->empty());
  EXPECT_TRUE(store->LexicalSearch("pump", 5, {.collections = {"none"}})->empty());
}

TEST_F(StoreTest, DenseIsTheExactOrder) {
  const auto store = OpenNew();
  constexpr size_t kChunks = 3000;
  const std::vector<std::string> words(kChunks, "word");
  const DocumentId id = Put(*store, "a", words, 0);
  const ChunkId first = store->GetChunks(id)->at(0).id;
  for (uint64_t q = 0; q < 20; ++q) {
    const std::vector<float> query = RandomUnit(900000 + q);
    std::vector<std::pair<float, ChunkId>> exact;
    for (size_t i = 0; i < kChunks; ++i) {
      const auto vector = RandomUnit(i + 1);
      float dot = 0;
      for (size_t d = 0; d < kDimension; ++d) dot += query[d] * vector[d];
      exact.emplace_back(dot, first + static_cast<ChunkId>(i));
    }
    std::sort(exact.rbegin(), exact.rend());
    const auto hits = store->DenseSearch(query, 10).value();
    ASSERT_EQ(hits.size(), 10u);
    for (size_t i = 0; i < 10; ++i) {
      EXPECT_NEAR(hits[i].score, exact[i].first, 5e-4f);
      const bool near_tie = std::abs(hits[i].score - exact[i].first) < 5e-4f;
      EXPECT_TRUE(hits[i].chunk == exact[i].second || near_tie);
    }
  }
}

TEST_F(StoreTest, DenseQueriesThatMakeNoSense) {
  const auto store = OpenNew();
  Put(*store, "a", {"x"}, 1);
  std::vector<float> query = RandomUnit(1);
  query[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(store->DenseSearch(query, 5).error().code, ErrorCode::kInvalidArgument);
  query.pop_back();
  EXPECT_EQ(store->DenseSearch(query, 5).error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(store->DenseSearch(RandomUnit(1), 0)->empty());
  EXPECT_EQ(store->DenseSearch(RandomUnit(1), 1u << 30)->size(), 1u);
}

TEST_F(StoreTest, TheIndexFollowsEveryChange) {
  const auto store = OpenNew();
  std::vector<DocumentId> ids;
  // Enough deletions that the holes are closed by a reload on the way.
  for (int i = 0; i < 60; ++i) {
    ids.push_back(Put(*store, "d" + std::to_string(i),
                      std::vector<std::string>(50, "common n" + std::to_string(i)),
                      static_cast<uint64_t>(i) * 100));
    if (i % 2 == 1) {
      ASSERT_TRUE(store->DeleteDocument(ids[static_cast<size_t>(i) - 1]));
    }
    const auto hits = store->LexicalSearch("common", 5000);
    ASSERT_TRUE(hits) << hits.error().message;
    const size_t live = static_cast<size_t>((i + 2) / 2) * 50;
    ASSERT_EQ(hits->size(), live) << i;
    const auto dense = store->DenseSearch(RandomUnit(static_cast<uint64_t>(i) * 100 + 1), 5000);
    ASSERT_TRUE(dense) << dense.error().message;
    ASSERT_EQ(dense->size(), live);
    EXPECT_EQ(dense->at(0).document, ids.back());
  }
}

TEST_F(StoreTest, SearchesAndWritesMayRunAtOnce) {
  const auto store = OpenNew();
  Put(*store, "seed", {"common seed"}, 1);
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::vector<std::thread> searchers;
  for (int t = 0; t < 3; ++t) {
    searchers.emplace_back([&] {
      while (!stop) {
        const auto lexical = store->LexicalSearch("common", 1000);
        const auto dense = store->DenseSearch(RandomUnit(2), 1000);
        if (!lexical || lexical->empty() || !dense || dense->empty()) ++failures;
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    Put(*store, "d" + std::to_string(i % 7), {"common one", "common two"}, 1000);
  }
  stop = true;
  for (std::thread& searcher : searchers) searcher.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(store->LexicalSearch("common", 100)->size(), 15u);
}

}  // namespace
}  // namespace vade::vectorstore
