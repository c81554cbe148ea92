// DocumentBuilder: the invariants of ingest/document.h for any order of calls and any text.
#include "ingest/document_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ingest/document_checks.h"

namespace vade::ingest {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;

Document Finish(DocumentBuilder& builder) {
  Result<Document> document = builder.Finish("stem");
  EXPECT_TRUE(document.has_value());
  CheckDocument(*document);
  return std::move(*document);
}

DocumentBuilder MakeBuilder() { return DocumentBuilder("text", uint64_t{1} << 20); }

TEST(DocumentBuilder, BlocksAreSeparatedByOneBlankLine) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddHeading(1, "Title");
  builder.AddParagraph("One\ntwo.");
  builder.AddListItem(0, "1.", "First");
  builder.AddListItem(1, "-", "Nested");
  builder.AddTable({{"A", "B"}, {"1", "", ""}, {"", ""}, {"2", "3"}}, 1);
  builder.AddCode("\n  x = 1;\n\n  y = 2;  \n\n");
  const Document document = Finish(builder);
  EXPECT_EQ(document.text,
            "Title\n\nOne two.\n\n1. First\n  - Nested\n\nA | B\n1\n2 | 3\n\n  x = 1;\n\n  y = 2;");
  EXPECT_EQ(document.blocks[3].header_rows, 1u);
  EXPECT_EQ(document.title, "stem");
}

TEST(DocumentBuilder, EmptyBlocksAreDropped) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddHeading(2, " \t ");
  builder.AddParagraph("\xE2\x80\x8B");
  builder.AddListItem(0, "-", "");
  builder.AddTable({{"", " "}, {}}, 1);
  builder.AddCode("\n \n");
  const Document document = Finish(builder);
  EXPECT_TRUE(document.blocks.empty());
  EXPECT_EQ(document.text, "");
}

TEST(DocumentBuilder, HeaderRowsThatWereEmptyAreNotCounted) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddTable({{"", ""}, {"A", "B"}, {"1", "2"}}, 2);
  EXPECT_EQ(Finish(builder).blocks[0].header_rows, 1u);
}

TEST(DocumentBuilder, EndListSeparatesTwoLists) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddListItem(0, "-", "a");
  builder.EndList();
  builder.AddListItem(0, "-", "b");
  EXPECT_EQ(Finish(builder).blocks.size(), 2u);
}

TEST(DocumentBuilder, InvisibleCharactersAreRemovedAndReported) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddParagraph("re\xE2\x80\x8Bset\xE2\x80\xAE now \xF3\xA0\x81\x81 pass\xC2\xADword");
  const Document document = Finish(builder);
  EXPECT_EQ(document.text, "reset now password");
  EXPECT_THAT(document.notes, Contains(Field(&Note::text, "3 invisible characters removed")));
}

TEST(DocumentBuilder, InvalidUtf8IsReplacedAndReported) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddParagraph("a\xFF b\xED\xA0\x80");
  const Document document = Finish(builder);
  EXPECT_THAT(document.text, HasSubstr("a\xEF\xBF\xBD b"));
  EXPECT_THAT(document.notes, Contains(Field(&Note::text, HasSubstr("invalid byte sequences"))));
}

TEST(DocumentBuilder, JamoAndAccentsAreComposed) {
  DocumentBuilder builder = MakeBuilder();
  builder.AddParagraph("\u1112\u1161\u11ab\u1100\u1173\u11af cafe\u0301");
  EXPECT_EQ(Finish(builder).text, "한글 café");
}

TEST(DocumentBuilder, PagesCoverTheTextAndParagraphsRunOver) {
  DocumentBuilder builder = MakeBuilder();
  builder.BeginPage("i");
  builder.AddParagraph("The pump needs pres-");
  builder.BeginPage("");
  builder.ContinueParagraph("sure to work.");
  builder.BeginPage("");
  builder.MarkPageWithoutText("no text layer");
  builder.BeginPage("4");
  builder.AddParagraph("End.");
  const Document document = Finish(builder);
  EXPECT_EQ(document.text, "The pump needs pressure to work.\n\nEnd.");
  ASSERT_EQ(document.pages.size(), 4u);
  EXPECT_EQ(document.pages[0].label, "i");
  EXPECT_EQ(document.pages[1].label, "2");
  EXPECT_EQ(document.text.substr(document.pages[1].begin, 4), "sure");
  EXPECT_FALSE(document.pages[2].has_text);
  EXPECT_EQ(document.pages[2].begin, document.pages[2].end);
  EXPECT_EQ(document.text.substr(document.pages[3].begin), "End.");
  EXPECT_THAT(document.notes, Contains(Field(&Note::page, 3u)));
}

TEST(DocumentBuilder, TextOverTheLimitIsRefused) {
  DocumentBuilder builder("text", 100);
  for (int i = 0; i < 20; ++i) {
    builder.AddParagraph("0123456789");
    builder.AddListItem(0, "-", "item");
    builder.AddTable({{"a", "b"}}, 0);
    builder.ContinueParagraph("more");
    builder.AddCode("code");
  }
  const Result<Document> document = builder.Finish("stem");
  ASSERT_FALSE(document.has_value());
  EXPECT_EQ(document.error().code, ErrorCode::kResource);
}

TEST(DocumentBuilder, InvariantsHoldForRandomCallsWithHostileText) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    HostileText hostile(seed);
    std::mt19937 random(seed);
    DocumentBuilder builder = MakeBuilder();
    const bool paged = seed % 2 == 0;
    for (int call = 0; call < 40; ++call) {
      const std::string text = hostile.Make(random() % 12);
      switch (random() % 9) {
        case 0:
          builder.AddHeading(static_cast<uint32_t>(random() % 9), text);
          break;
        case 1:
          builder.AddParagraph(text);
          break;
        case 2:
          builder.AddListItem(static_cast<uint32_t>(random() % 20), hostile.Make(1), text);
          break;
        case 3:
          builder.EndList();
          break;
        case 4:
          builder.AddTable({{text, hostile.Make(2)}, {}, {hostile.Make(3)}},
                           static_cast<uint32_t>(random() % 4));
          break;
        case 5:
          builder.AddCode(text);
          break;
        case 6:
          if (paged) builder.BeginPage(hostile.Make(1));
          break;
        case 7:
          builder.SetTitle(text);
          break;
        default:
          builder.ContinueParagraph(text);
          break;
      }
    }
    const Document document = Finish(builder);
    if (HasFatalFailure()) return;
    const ChunkOptions options{.max_tokens = 48, .target_tokens = 32};
    const TokenCounter count = [](std::string_view text) { return text.size() / 3 + 1; };
    CheckChunks(document, ChunkDocument(document, options, count), options, count);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace vade::ingest
