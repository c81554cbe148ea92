// Reading order, tables, running text: on spans made by hand, without any PDF.
#include "ingest/pdf_layout.h"

#include <gtest/gtest.h>

#include <random>

#include "ingest/pdf_running.h"
#include "ingest/pdf_table.h"
#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

PdfSpan Span(double x, double y, const std::string& text, double width = 0, bool bold = false) {
  PdfSpan span;
  span.text = text;
  span.size = 10;
  span.bold = bold;
  span.box = {x, y, x + (width > 0 ? width : 5.0 * static_cast<double>(text.size())), y + 9};
  return span;
}

std::vector<std::string> Texts(const std::vector<PdfLine>& lines) {
  std::vector<std::string> texts;
  for (const PdfLine& line : lines) texts.push_back(line.Text());
  return texts;
}

TEST(JoinWords, GapsDecide) {
  std::vector<PdfSpan> words = {Span(0, 0, "lim", 15), Span(15.2, 0, "its", 15),
                                Span(33, 0, "and", 15), Span(80, 0, "cell", 20),
                                Span(0, 14, "next", 20)};
  const auto spans = JoinWords(words);
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_EQ(spans[0].text, "limits and");
  EXPECT_EQ(spans[1].text, "cell");
  EXPECT_EQ(spans[2].text, "next");
}

std::vector<PdfSpan> TwoColumns(double right_shift) {
  std::vector<PdfSpan> spans = {Span(50, 40, "A title over both columns", 460)};
  for (int i = 0; i < 12; ++i) {
    const double y = 80 + 14 * i;
    spans.push_back(Span(50, y, "left column, line " + std::to_string(i), i == 5 ? 90 : 220));
    spans.push_back(
        Span(300, y + right_shift, "right column, line " + std::to_string(i), i == 8 ? 70 : 210));
  }
  spans.push_back(Span(50, 300, "A footer over both columns", 460));
  return spans;
}

TEST(OrderLines, FollowsProseColumns) {
  for (const double shift : {0.0, 6.0}) {
    auto spans = TwoColumns(shift);
    std::shuffle(spans.begin(), spans.end(), std::mt19937(5));
    const auto texts = Texts(OrderLines(spans));
    ASSERT_EQ(texts.size(), 26u);
    EXPECT_EQ(texts.front(), "A title over both columns");
    EXPECT_EQ(texts[1], "left column, line 0");
    EXPECT_EQ(texts[12], "left column, line 11");
    EXPECT_EQ(texts[13], "right column, line 0");
    EXPECT_EQ(texts.back(), "A footer over both columns");
  }
}

TEST(OrderLines, FollowsThreeColumns) {
  std::vector<PdfSpan> spans;
  for (int i = 0; i < 10; ++i) {
    for (int column = 0; column < 3; ++column) {
      spans.push_back(Span(40 + 180 * column, 50 + 13 * i,
                           "column " + std::to_string(column) + " line", i == 6 ? 80 : 160));
    }
  }
  const auto texts = Texts(OrderLines(spans));
  ASSERT_EQ(texts.size(), 30u);
  EXPECT_EQ(texts[9], "column 0 line");
  EXPECT_EQ(texts[10], "column 1 line");
  EXPECT_EQ(texts[20], "column 2 line");
}

// Two wide text columns whose rows start together are a table, not prose.
std::vector<PdfSpan> WideTable() {
  std::vector<PdfSpan> spans = {Span(50, 50, "Fault", 30, true), Span(300, 50, "Remedy", 40, true)};
  double y = 70;
  for (int row = 0; row < 5; ++row) {
    spans.push_back(Span(50, y, "the fault takes two lines", 220));
    spans.push_back(Span(50, y + 12, "of text here", 60));
    spans.push_back(Span(300, y, "and its remedy takes even", 215));
    spans.push_back(Span(300, y + 12, "three lines of the paper,", 210));
    spans.push_back(Span(300, y + 24, "more or less", 60));
    y += 44;
  }
  return spans;
}

TEST(OrderLines, KeepsTableRowsTogether) {
  const auto lines = OrderLines(WideTable());
  const auto table = FindTable(lines);
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->rows.size(), 6u);
  EXPECT_EQ(table->header_rows, 1u);
  EXPECT_EQ(table->rows[1][0], "the fault takes two lines\nof text here");
  EXPECT_EQ(table->rows[1][1],
            "and its remedy takes even\nthree lines of the paper,\nmore or less");
}

TEST(FindTable, StopsAtProse) {
  std::vector<PdfSpan> spans;
  for (int i = 0; i < 4; ++i) {
    spans.push_back(Span(50, 50 + 14 * i, "name" + std::to_string(i)));
    spans.push_back(Span(200, 50 + 14 * i, std::to_string(100 + i)));
  }
  spans.push_back(Span(50, 120, "A sentence that runs over all of the columns of the table.", 400));
  const auto table = FindTable(OrderLines(spans));
  ASSERT_TRUE(table.has_value());
  EXPECT_EQ(table->rows.size(), 4u);
  EXPECT_EQ(table->num_lines, 4u);
  EXPECT_FALSE(FindTable(OrderLines({Span(50, 50, "one line")})).has_value());
  EXPECT_FALSE(FindTable({}).has_value());
}

TEST(RemoveRunningText, DropsHeadersFootersAndNumbers) {
  std::vector<PdfPage> pages(6);
  for (size_t i = 0; i < pages.size(); ++i) {
    PdfPage& page = pages[i];
    page.width = 595;
    page.height = 842;
    page.label = std::to_string(i + 1);
    const std::string chapter = "Chapter " + std::string(1, static_cast<char>('A' + i));
    page.spans = {
        Span(50, 30, "Operating Manual"),    Span(400, 30, chapter),
        Span(50, 300, "Body of the page"),   Span(50, 100, "2"),
        Span(50, 700, "Body at the bottom"), Span(280, 800, "Page " + page.label + " of 6")};
  }
  EXPECT_EQ(RemoveRunningText(pages), 18u);
  for (const PdfPage& page : pages) {
    ASSERT_EQ(page.spans.size(), 3u);
    EXPECT_EQ(page.spans[0].text, "Body of the page");
  }
}

TEST(RemoveRunningText, LeavesASinglePageAlone) {
  std::vector<PdfPage> pages(1);
  pages[0].height = 842;
  pages[0].label = "1";
  pages[0].spans = {Span(50, 30, "Title"), Span(50, 810, "2026")};
  EXPECT_EQ(RemoveRunningText(pages), 0u);
}

TEST(OrderLines, ChaosIsOrderedInReasonableTime) {
  std::mt19937 random(9);
  std::vector<PdfSpan> spans;
  for (int i = 0; i < 20'000; ++i) {
    const auto below = [&](unsigned limit) { return static_cast<double>(random() % limit); };
    spans.push_back(Span(below(600), below(800), "x", 1 + below(300)));
  }
  size_t count = 0;
  EXPECT_LT(FastestOfThree([&] {
              count = 0;
              for (const PdfLine& line : OrderLines(spans)) count += line.spans.size();
            }),
            10.0);
  EXPECT_EQ(count, spans.size());
  EXPECT_TRUE(OrderLines({}).empty());
}

}  // namespace
}  // namespace vade::ingest
