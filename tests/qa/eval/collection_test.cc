// BEIR folders and SQuAD JSON, whole and broken.
#include "qa/eval/collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vade::qa::eval {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class CollectionTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::temp_directory_path() / (std::string("vade_collection_").append(info->name()));
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const fs::path& path, std::string_view text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  void WriteSmall(const fs::path& folder = "") {
    Write(folder / "corpus.jsonl",
          "{\"_id\": \"d1\", \"title\": \"T\", \"text\": \"one\"}\n\n{\"_id\": 2, \"text\": "
          "\"two\"}\n");
    Write(folder / "queries.jsonl",
          "{\"_id\": \"q1\", \"text\": \"first?\", \"metadata\": {\"type\": \"table\", "
          "\"language\": \"ko\", \"answer_contains\": [\"a|b\"], \"split\": \"test\"}}\n"
          "{\"_id\": \"q2\", \"text\": \"not judged\"}\n"
          "{\"_id\": \"q3\", \"text\": \"none\", \"metadata\": {\"type\": \"unanswerable\"}}\n"
          "{\"_id\": \"q4\", \"text\": \"other\", \"metadata\": {\"split\": \"dev\"}}\n");
    Write(folder / "qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\t2\t1\n");
  }
  [[nodiscard]] std::string ErrorOf(const fs::path& path, std::string_view split = "test") const {
    const auto collection = LoadCollection(root_ / path, split);
    return collection ? "no error" : collection.error().message;
  }

  fs::path root_;
};

TEST_F(CollectionTest, LoadsABeirFolder) {
  WriteSmall();
  const auto collection = LoadCollection(root_, "test");
  ASSERT_TRUE(collection) << collection.error().message;
  EXPECT_EQ(collection->name, root_.filename().string());
  ASSERT_THAT(collection->corpus, SizeIs(2));
  EXPECT_EQ(collection->corpus[1].id, "2");       // a number is taken as its digits
  ASSERT_THAT(collection->questions, SizeIs(2));  // judged or unanswerable
  EXPECT_EQ(collection->questions[0].type, "table");
  EXPECT_EQ(collection->questions[0].language, "ko");
  EXPECT_THAT(collection->questions[0].answer_contains, ElementsAre("a|b"));
  EXPECT_FALSE(collection->questions[1].answerable);
  EXPECT_TRUE(collection->documents.empty());
}

TEST_F(CollectionTest, FindsTheDocumentsThatUnitsName) {
  Write("pump.md", "# Pump\n");
  Write("eval/corpus.jsonl", "{\"_id\": \"pump.md#Reset\", \"text\": \"x\"}\n");
  Write("eval/queries.jsonl", "{\"_id\": \"q\", \"text\": \"x\"}\n");
  Write("eval/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\tpump.md#Reset\t2\n");
  for (const char* path : {"", "eval", "eval/"}) {
    const auto collection = LoadCollection(root_ / path, "test");
    ASSERT_TRUE(collection) << collection.error().message;
    EXPECT_EQ(collection->documents, fs::absolute(root_).lexically_normal()) << path;
    EXPECT_EQ(collection->name, root_.filename().string());
  }
}

TEST_F(CollectionTest, SaysWhatIsMissing) {
  EXPECT_THAT(ErrorOf("nowhere"), HasSubstr("no such folder"));
  fs::create_directories(root_ / "empty");
  EXPECT_THAT(ErrorOf("empty"), HasSubstr("no corpus.jsonl here or in eval/"));
  WriteSmall("c");
  EXPECT_THAT(ErrorOf("c", "dev"), HasSubstr("choose with --split: test"));
  fs::remove(root_ / "c/queries.jsonl");
  EXPECT_THAT(ErrorOf("c"), HasSubstr("queries.jsonl"));
}

TEST_F(CollectionTest, WarnsAboutIdsThatNothingHas) {
  WriteSmall();
  Write("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tgone\t1\nqx\td1\t1\n");
  const auto collection = LoadCollection(root_, "test");
  ASSERT_TRUE(collection);
  EXPECT_THAT(collection->warnings,
              ElementsAre(HasSubstr("'qx' is judged but not in queries.jsonl"),
                          HasSubstr("1 judged documents are not in the corpus, such as 'gone'")));
  EXPECT_FALSE(collection->qrels.contains("qx"));
}

TEST(BeirCorpus, BrokenLinesAreNamed) {
  const auto error = [](std::string_view text) {
    const auto corpus = ParseBeirCorpus(text, "c.jsonl");
    return corpus ? std::string("no error") : corpus.error().message;
  };
  EXPECT_THAT(error(""), HasSubstr("c.jsonl: no documents"));
  EXPECT_THAT(error("{\"_id\": \"a\"}\n{oops}\n"), HasSubstr("c.jsonl:2: not a JSON object"));
  EXPECT_THAT(error("[1]"), HasSubstr("c.jsonl:1: not a JSON object"));
  EXPECT_THAT(error("{\"text\": \"x\"}"), HasSubstr("no \"_id\""));
  EXPECT_THAT(error("{\"_id\": 1.5}"), HasSubstr("no \"_id\""));
  EXPECT_THAT(error("{\"_id\": \"a\"}\n{\"_id\": \"a\"}"),
              HasSubstr("document 'a' is there twice"));
  EXPECT_THAT(error(std::string(100'000, '[')), HasSubstr("not a JSON object"));
}

TEST(BeirQueries, BrokenLinesAreNamed) {
  const auto error = [](std::string_view text) {
    const auto queries = ParseBeirQueries(text, "q.jsonl", "test");
    return queries ? std::string("no error") : queries.error().message;
  };
  EXPECT_THAT(error("{\"_id\": \"a\"}"), HasSubstr("q.jsonl:1: no \"text\""));
  EXPECT_THAT(error("{\"_id\": \"a\", \"text\": 5}"), HasSubstr("no \"text\""));
  EXPECT_THAT(error("{\"_id\": \"a\", \"text\": \"x\", \"split\": \"dev\"}"),
              HasSubstr("no questions of split 'test'"));
}

constexpr std::string_view kSquad = R"({"version": "v2.0", "data": [{"title": "Oil_crisis",
  "paragraphs": [{"context": "It began in October 1973.", "qas": [
    {"id": "a", "question": "When?", "is_impossible": false,
     "answers": [{"text": "October 1973"}, {"text": "1973"}, {"text": "1973"}]},
    {"id": "b", "question": "Why not?", "is_impossible": true, "answers": []}]}]}]})";

TEST(Squad, ParagraphsAreDocuments) {
  const auto collection = ParseSquad(kSquad, "s.json");
  ASSERT_TRUE(collection) << collection.error().message;
  ASSERT_THAT(collection->corpus, SizeIs(1));
  EXPECT_EQ(collection->corpus[0].id, "Oil_crisis#0");
  EXPECT_EQ(collection->corpus[0].title, "Oil crisis");
  ASSERT_THAT(collection->questions, SizeIs(2));
  EXPECT_TRUE(collection->questions[0].answerable);
  EXPECT_FALSE(collection->questions[1].answerable);
  EXPECT_THAT(collection->questions[0].answer_contains, ElementsAre("October 1973|1973"));
  EXPECT_EQ(collection->qrels.at("a")[0].doc, "Oil_crisis#0");
  EXPECT_FALSE(collection->qrels.contains("b"));
}

TEST(Squad, OtherShapesAreRefused) {
  for (const std::string_view text :
       {"", "[]", "{}", "{\"data\": 5}", "{\"data\": []}", "{\"data\": [5, {\"paragraphs\": 5}]}",
        "{\"data\": [{\"paragraphs\": [{\"qas\": [{\"id\": \"a\"}]}]}]}",
        "{\"data\": [{\"paragraphs\": [{\"qas\": [{\"id\": 5, \"question\": \"x\"}]}]}]}"}) {
    const auto collection = ParseSquad(text, "s.json");
    ASSERT_FALSE(collection) << text;
    EXPECT_EQ(collection.error().code, ErrorCode::kCorruptData);
  }
}

}  // namespace
}  // namespace vade::qa::eval
