// Plain text: what structure is found, what is not invented, and hostile files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/extractor.h"
#include "tests/ingest/document_checks.h"
#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

using ::testing::ElementsAre;

Document Extract(std::string_view text) {
  Result<Document> document = ExtractText({.bytes = text, .file_name = "manual.txt"});
  EXPECT_TRUE(document.has_value());
  CheckDocument(*document);
  return std::move(*document);
}

// "H2 Title", "P text", "L item\nitem", "T1 a | b", "C code".
std::vector<std::string> Outline(const Document& document) {
  std::vector<std::string> out;
  for (const Block& block : document.blocks) {
    std::string line(1, "HPLTC"[static_cast<size_t>(block.kind)]);
    if (block.kind == BlockKind::kHeading) line += std::to_string(block.level);
    if (block.kind == BlockKind::kTable) line += std::to_string(block.header_rows);
    out.push_back(line + " " + std::string(TextOf(document, block)));
  }
  return out;
}

TEST(TextExtractor, FoldsHardWrappedLines) {
  EXPECT_THAT(Outline(Extract("The pump moves water from the lower tank to the pres-\n"
                              "sure vessel and stops by itself when it is full.\n\n"
                              "Another paragraph.\n")),
              ElementsAre("P The pump moves water from the lower tank to the pressure vessel and "
                          "stops by itself when it is full.",
                          "P Another paragraph."));
}

TEST(TextExtractor, KeepsLinesThatWereNotWrapped) {
  EXPECT_THAT(Outline(Extract("Model: X-200\nVoltage: 230 V\nWeight: 4 kg\n")),
              ElementsAre("P Model: X-200", "P Voltage: 230 V", "P Weight: 4 kg"));
}

TEST(TextExtractor, Headings) {
  EXPECT_THAT(
      Outline(Extract("Pump manual\n===========\n\n1. Safety\n\nText one.\n\n"
                      "1.2 Electrical safety\nAlways unplug the pump before opening it.\n\n"
                      "OVERVIEW\n\nText two.\n\nParts\n-----\nText three.\n\n"
                      "WARNING\n\nHot.\n")),
      ElementsAre("H1 Pump manual", "H1 1. Safety", "P Text one.", "H2 1.2 Electrical safety",
                  "P Always unplug the pump before opening it.", "H2 OVERVIEW", "P Text two.",
                  "H2 Parts", "P Text three.", "P WARNING", "P Hot."));
}

TEST(TextExtractor, KoreanHeadings) {
  EXPECT_THAT(
      Outline(Extract("제1장 설치\n\n준비합니다.\n\n제 2 절 전원\n\n켭니다.\n\n"
                      "1. 개요\n\n설명입니다.\n\n가. 준비물\n\n드라이버가 필요합니다.\n")),
      ElementsAre("H1 제1장 설치", "P 준비합니다.", "H2 제 2 절 전원", "P 켭니다.", "H1 1. 개요",
                  "P 설명입니다.", "H3 가. 준비물", "P 드라이버가 필요합니다."));
}

TEST(TextExtractor, Lists) {
  EXPECT_THAT(
      Outline(Extract("To reset the pump:\n1. Switch it off and wait until\n   it is quiet.\n"
                      "2. Press the button.\n   - once to test\n   - twice to reset\n"
                      "3. Switch it on.\n\nDone.\n")),
      ElementsAre("P To reset the pump:",
                  "L 1. Switch it off and wait until it is quiet.\n2. Press the button.\n"
                  "  - once to test\n  - twice to reset\n3. Switch it on.",
                  "P Done."));
}

TEST(TextExtractor, ListItemsWithBlankLinesStayOneList) {
  EXPECT_THAT(Outline(Extract("1. Open it.\n\n2. Close it.\n\n3. Test it.\n")),
              ElementsAre("L 1. Open it.\n2. Close it.\n3. Test it."));
}

TEST(TextExtractor, Tables) {
  EXPECT_THAT(Outline(Extract("+------+-------+\n| Code | Cause |\n+------+-------+\n"
                              "| E-1  | hot   |\n| E-2  | cold  |\n+------+-------+\n")),
              ElementsAre("T1 Code | Cause\nE-1 | hot\nE-2 | cold"));
  EXPECT_THAT(
      Outline(Extract("Part no.   Description\n--------   -----------\n"
                      "OB-0107    Fuse, slow,\n           3.15 A\nOB-0311    Fan\n")),
      ElementsAre("T1 Part no. | Description\nOB-0107 | Fuse, slow, 3.15 A\nOB-0311 | Fan"));
  EXPECT_THAT(Outline(Extract("이름         번호\n내솥         RC-1001\n고무 패킹    RC-1012\n")),
              ElementsAre("T1 이름 | 번호\n내솥 | RC-1001\n고무 패킹 | RC-1012"));
  EXPECT_THAT(Outline(Extract("a\tb\n1\t2\n")), ElementsAre("T0 a | b\n1 | 2"));
}

TEST(TextExtractor, CodeKeepsItsLines) {
  EXPECT_THAT(Outline(Extract("Type this:\n\n    $ vade index ~/manuals\n    $ vade ask \"x\"\n\n"
                              "```\n  if (x) {\n\n  }\n```\n")),
              ElementsAre("P Type this:", "C $ vade index ~/manuals\n$ vade ask \"x\"",
                          "C   if (x) {\n\n  }"));
}

TEST(TextExtractor, FormFeedsArePagesAndRunningLinesGo) {
  std::string text;
  for (int page = 1; page <= 4; ++page) {
    if (page > 1) text += '\f';
    text += "Pump manual\n\nThis is the text of a page, number " +
            std::string(1, "abcd"[page - 1]) + ".\n\n- " + std::to_string(page + 6) + " -\n";
  }
  const Document document = Extract(text);
  ASSERT_EQ(document.pages.size(), 4u);
  EXPECT_EQ(document.pages[0].label, "7");
  EXPECT_EQ(document.pages[3].label, "10");
  EXPECT_EQ(document.text.find("Pump manual"), std::string::npos);
  EXPECT_THAT(Outline(document), ElementsAre("P This is the text of a page, number a.",
                                             "P This is the text of a page, number b.",
                                             "P This is the text of a page, number c.",
                                             "P This is the text of a page, number d."));
}

TEST(TextExtractor, ParagraphRunsOverAPage) {
  const Document document = Extract("The pump needs clean\n\fwater at all times.\n");
  EXPECT_THAT(Outline(document), ElementsAre("P The pump needs clean water at all times."));
  ASSERT_EQ(document.pages.size(), 2u);
  EXPECT_EQ(document.text.substr(document.pages[1].begin, 5), "water");
}

TEST(TextExtractor, CharsetIsReported) {
  // "서버를 다시 시작합니다" in CP949.
  const Document document = Extract(
      "\xBC\xAD\xB9\xF6\xB8\xA6 \xB4\xD9\xBD\xC3 \xBD\xC3\xC0\xDB\xC7\xD5\xB4\xCF\xB4\xD9. "
      "\xBC\xAD\xB9\xF6\xB8\xA6 \xB4\xD9\xBD\xC3 \xBD\xC3\xC0\xDB\xC7\xD5\xB4\xCF\xB4\xD9.\n");
  EXPECT_EQ(document.text, "서버를 다시 시작합니다. 서버를 다시 시작합니다.");
  EXPECT_EQ(document.language, "ko");
  ASSERT_EQ(document.notes.size(), 1u);
}

TEST(TextExtractor, EmptyAndBlankFilesHaveNoBlocks) {
  for (const char* text : {"", "\n", " \n\t\n", "\f", "\f\f\n\f"}) {
    EXPECT_TRUE(Extract(text).blocks.empty());
  }
}

TEST(TextExtractor, HostileInputKeepsTheInvariants) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const std::string text = HostileText(seed).Make(80);
    const Result<Document> document = ExtractText({.bytes = text, .file_name = "x.txt"});
    ASSERT_TRUE(document.has_value());
    CheckDocument(*document);
    if (HasFatalFailure()) return;
  }
}

TEST(TextExtractor, TextOverTheLimitIsRefused) {
  const std::string text = Repeat("word ", 5000);
  const auto document = ExtractText({.bytes = text, .file_name = "x.txt", .max_text_bytes = 1000});
  ASSERT_FALSE(document.has_value());
  EXPECT_EQ(document.error().code, ErrorCode::kResource);
}

TEST(TextExtractor, LinearOnHostileText) {
  for (const char* unit :
       {"word ",   "x\n",     "\n",     "- a\n",  "1. a\n\n", "   - a\n", "a | b\n",
        "|a|b|\n", "|\n",     "a\tb\n", "A  B\n", "===\n",    "```\n",    "\f",
        "x\f",     "    {\n", "\t",     " \n ",   "제1장\n",  "A: b\n",   "-"}) {
    SCOPED_TRACE(unit);
    ExpectLinear(
        [&](size_t bytes) { return Repeat(unit, bytes); },
        [](const std::string& text) { (void)ExtractText({.bytes = text, .file_name = "x.txt"}); });
  }
}

}  // namespace
}  // namespace vade::ingest
