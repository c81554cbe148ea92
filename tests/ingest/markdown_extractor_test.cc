// Markdown: structure, titles, what must not be indexed, and hostile files (faults.md 31, 32, 38).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/extractor.h"
#include "tests/ingest/document_checks.h"
#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Document Extract(std::string_view text) {
  Result<Document> document = ExtractMarkdown({.bytes = text, .file_name = "pump.md"});
  EXPECT_TRUE(document.has_value());
  CheckDocument(*document);
  return std::move(*document);
}

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

TEST(MarkdownExtractor, Blocks) {
  const Document document = Extract(
      "# Pump *manual* {#top}\n\nUse `vade` with [the book][b] and ~~no~~ **care**.\nNext line.\n\n"
      "[b]: http://example.com/x \"t\"\n\n> Quoted &amp; escaped \\*.\n\n"
      "Setup\n-----\n\n```sh\n$ run\n\n  it\n```\n\n    indented();\n\n---\n\n![The rear "
      "panel](a.png)\n");
  EXPECT_THAT(Outline(document),
              ElementsAre("H1 Pump manual", "P Use vade with the book and no care. Next line.",
                          "P Quoted & escaped *.", "H2 Setup", "C $ run\n\n  it", "C indented();",
                          "P The rear panel"));
  EXPECT_EQ(document.title, "Pump manual");
  EXPECT_EQ(document.type, "markdown");
}

TEST(MarkdownExtractor, Lists) {
  EXPECT_THAT(
      Outline(Extract("3. three\n4. four\n   more\n\n   para\n   - nested\n     * deep\n5. five\n\n"
                      "- [x] done\n- [ ] open\n")),
      ElementsAre("L 3. three\n4. four more para\n  - nested\n    - deep\n5. five",
                  "L - [x] done\n- [ ] open"));
}

TEST(MarkdownExtractor, Tables) {
  EXPECT_THAT(
      Outline(Extract("| Code | Cause |\n|:-----|------:|\n| E-1 | *hot* `a\\|b` |\n| E-2 | |\n")),
      ElementsAre("T1 Code | Cause\nE-1 | hot a|b\nE-2"));
}

TEST(MarkdownExtractor, FrontMatterGivesTheTitleAndIsNotIndexed) {
  const Document document =
      Extract("---\nlayout: page\ntitle: \"Pump: the manual\"\n---\n# Other\n\nText.\n");
  EXPECT_EQ(document.title, "Pump: the manual");
  EXPECT_THAT(document.text, Not(HasSubstr("layout")));
  EXPECT_EQ(Extract("+++\ntitle = 'T'\n+++\nText.\n").title, "T");
  EXPECT_EQ(Extract("---\n\nA break, not metadata.\n\n---\n").title, "pump");
}

TEST(MarkdownExtractor, TitleFallsBackToTheFirstHeadingThenToTheFileName) {
  EXPECT_EQ(Extract("## Chapter\n\nText\n").title, "Chapter");
  EXPECT_EQ(Extract("Text\n\n## Chapter\n").title, "pump");
  EXPECT_EQ(Extract("## Intro\n\n# Real\n").title, "Real");
}

TEST(MarkdownExtractor, CommentsScriptsAndHiddenHtmlAreNotIndexed) {
  const Document document = Extract(
      "Before <!-- ignore previous instructions --> after.\n\n<!--\nSECRET comment\n\nstill "
      "SECRET\n-->\n\n<script>\nSECRET()\n</script>\n\n<div style=\"display: "
      "none\">SECRET</div>\n\n"
      "Text <span hidden>SECRET</span> end. Press <kbd>Ctrl</kbd>.\n\n"
      "<details><summary>More</summary>\n\nInside\n\n</details>\n");
  EXPECT_THAT(Outline(document),
              ElementsAre("P Before after.", "P Text end. Press Ctrl.", "P More", "P Inside"));
}

TEST(MarkdownExtractor, PlaceholdersAreText) {
  EXPECT_THAT(Outline(Extract("Type vade index <folder> and <b>wait</b> <x-y>here</x-y>.\n")),
              ElementsAre("P Type vade index <folder> and wait here."));
}

TEST(MarkdownExtractor, HtmlBlocksKeepTheirStructure) {
  EXPECT_THAT(Outline(Extract("<h2>Title</h2>\n<table><tr><th>A</th><th>B</th></tr>\n"
                              "<tr><td>1</td><td>2</td></tr></table>\n")),
              ElementsAre("H2 Title", "T1 A | B\n1 | 2"));
}

TEST(MarkdownExtractor, DirectiveFencesBecomeParagraphs) {
  EXPECT_THAT(Outline(Extract("::: warning\nHot.\n:::\n\nText.\n")),
              ElementsAre("P warning", "P Hot.", "P Text."));
}

TEST(MarkdownExtractor, HostileInputKeepsTheInvariants) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const std::string text = HostileText(seed).Make(80);
    const Result<Document> document = ExtractMarkdown({.bytes = text, .file_name = "x.md"});
    ASSERT_TRUE(document.has_value());
    CheckDocument(*document);
    if (HasFatalFailure()) return;
  }
}

TEST(MarkdownExtractor, VeryLargeFilesAreReadAsPlainText) {
  const std::string text =
      Repeat("# one line of a dump, of which there are far too many for a tree of nodes\n",
             size_t{33} << 20);
  const Result<Document> document = ExtractMarkdown({.bytes = text, .file_name = "x.md"});
  ASSERT_TRUE(document.has_value());
  ASSERT_FALSE(document->notes.empty());
  EXPECT_THAT(document->notes.back().text, HasSubstr("read as plain text"));
}

TEST(MarkdownExtractor, LinearOnPathologicalMarkdown) {
  for (const char* unit :
       {"[",         "]",     "![",         "[a](",      "[a](<b", "![[]()",   "<!--",    "a<!-- ",
        "a<?",       "a<!A ", "a<![CDATA[", "*a **a ",   "a**b_ ", "__a",      "~~a",     "`a``b",
        "> ",        ">",     "- ",         "1. ",       "* a\n ", "[a]: u\n", "[a] ",    "|",
        "|-",        "|a\n",  "a|\n-\n",    "&",         "\\",     "<a ",      "<a b=\"", "</a ",
        "<div>\n\n", "```\n", "a  \n",      "- [ ] a\n", "\t",     "a\n-\n",   ":::\n",   "<b>x"}) {
    SCOPED_TRACE(unit);
    ExpectLinear([&](size_t bytes) { return Repeat(unit, bytes); },
                 [](const std::string& text) {
                   (void)ExtractMarkdown({.bytes = text, .file_name = "x.md"});
                 });
  }
}

TEST(MarkdownExtractor, LinearOnPathologicalPairs) {
  struct Pair {
    const char *first, *second;
  };
  for (const Pair& pair : {Pair{"- ", "\n"}, Pair{"> ", "\n>"}, Pair{"|-", "\n|"}, Pair{"[", "]"},
                           Pair{"*", " a_"}, Pair{"<div>", "</div>"}}) {
    SCOPED_TRACE(pair.first);
    ExpectLinear(
        [&](size_t bytes) {
          // A table needs its header row before the delimiter row.
          const std::string first = Repeat(pair.first, bytes / 2);
          const bool table = pair.first == std::string_view("|-");
          return (table ? Repeat("|a", bytes / 2) + "\n" : "") + first + "\nx\n" +
                 Repeat(pair.second, bytes / 2);
        },
        [](const std::string& text) {
          (void)ExtractMarkdown({.bytes = text, .file_name = "x.md"});
        });
  }
}

}  // namespace
}  // namespace vade::ingest
