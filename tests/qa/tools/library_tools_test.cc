#include "qa/tools/library_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class LibraryToolsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::AddDocument(store_, embedder_, "pump.pdf", "Pump P200",
                         {{"Setup", "Bolt the pump to the floor.", "1"},
                          {"Limits", "The maximum pressure of the P200 is 8 bar.", "2"}});
    testing::AddDocument(store_, embedder_, "care.md", "Care",
                         {{"Oil", "Oil the bearing every month."}});
  }
  std::string Search(const json& arguments) {
    const auto result =
        SearchLibraryTool(&store_, &embedder_, search_, &shown_).run(arguments, nullptr);
    return result ? *result : "error: " + result.error().message;
  }
  std::string Read(const json& arguments) {
    const auto result = ReadPageTool(&store_, search_, &shown_).run(arguments, nullptr);
    return result ? *result : "error: " + result.error().message;
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  retriever::SearchOptions search_;
  ShownPassages shown_;
};

TEST_F(LibraryToolsTest, PassagesAreNumberedThroughTheConversation) {
  EXPECT_THAT(Search({{"query", "maximum pressure"}, {"k", 1}}),
              HasSubstr("[1] pump.pdf, p. 2, Limits (document 1)\nThe maximum pressure"));
  EXPECT_THAT(Search({{"query", "bearing oil"}, {"k", 1}}), HasSubstr("[2] care.md"));
  EXPECT_THAT(Search({{"query", "pressure"}, {"k", 1}}), HasSubstr("[1] pump.pdf"))
      << "a passage keeps its number";
  EXPECT_EQ(shown_.passages().size(), 2u);
}

TEST_F(LibraryToolsTest, PagesAreReadByNameAndNumber) {
  EXPECT_THAT(Read({{"document", "pump.pdf"}, {"page", "2"}}), HasSubstr("[1] pump.pdf, p. 2"));
  EXPECT_THAT(Read({{"document", "1"}, {"page", "1"}}), HasSubstr("Bolt the pump"));
  EXPECT_THAT(Read({{"document", "care.md"}}), HasSubstr("Oil the bearing"));
  EXPECT_THAT(Read({{"document", "1"}, {"page", "7"}}), HasSubstr("no page '7'"));
  EXPECT_THAT(Read({{"document", "99"}}), HasSubstr("error"));
  EXPECT_THAT(Read({{"document", "/etc/passwd"}}), HasSubstr("error: no document"));
  EXPECT_THAT(Read({{"document", "care.md"}, {"offset", 100000}}), HasSubstr("no text here"));
  EXPECT_EQ(shown_.passages().size(), 3u);
}

TEST_F(LibraryToolsTest, LongPagesComeInParts) {
  vectorstore::NewDocument document;
  document.record.path = "long.txt";
  document.text = std::string(7999, 'a') + "펌프" + std::string(3000, 'b');
  const auto id = store_.PutDocument(std::move(document));
  EXPECT_THAT(Read({{"document", std::to_string(*id)}}), HasSubstr("[goes on: offset 7999]"));
  EXPECT_THAT(Read({{"document", std::to_string(*id)}, {"offset", 7999}}), HasSubstr("펌프bbb"));
}

TEST_F(LibraryToolsTest, AModelCannotWidenTheCollections) {
  search_.filter.collections = {"other"};
  EXPECT_THAT(Search({{"query", "pressure"}, {"collection", "test"}}),
              HasSubstr("no collection 'test'"));
  EXPECT_THAT(Read({{"document", "1"}}), HasSubstr("no such document"));
  EXPECT_TRUE(shown_.passages().empty());
}

}  // namespace
}  // namespace vade::qa
