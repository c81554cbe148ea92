// The parent must survive any bytes an extractor sends.
#include "ingest/wire.h"

#include <gtest/gtest.h>

#include <random>

namespace vade::ingest {
namespace {

Document Sample() {
  Document document;
  document.type = "pdf";
  document.title = "제목";
  document.language = "ko";
  document.text = "One\n\n둘째 | cell";
  document.blocks = {{BlockKind::kHeading, 1, 0, 0, 3}, {BlockKind::kTable, 0, 1, 5, 18}};
  document.pages = {{1, "i", 0, 5, true}, {2, "1", 5, 18, false}};
  document.notes = {{2, "unreadable page"}};
  return document;
}

TEST(Wire, DocumentRoundTrip) {
  const auto parsed = ParseOutcome(SerializeOutcome(Sample()));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->text, Sample().text);
  EXPECT_EQ(parsed->blocks[1].header_rows, 1u);
  EXPECT_EQ(parsed->pages[0].label, "i");
  EXPECT_FALSE(parsed->pages[1].has_text);
  EXPECT_EQ(parsed->notes[0].text, "unreadable page");
}

TEST(Wire, ErrorRoundTripIsEscaped) {
  const auto parsed =
      ParseOutcome(SerializeOutcome(Fail(ErrorCode::kCorruptData, "bad \x1B[31m\xFF name")));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, ErrorCode::kCorruptData);
  EXPECT_EQ(parsed.error().message.find('\x1B'), std::string::npos);
}

TEST(Wire, EveryTruncationIsRefused) {
  const std::string whole = SerializeOutcome(Sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto parsed = ParseOutcome(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(parsed.has_value()) << size;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInternal);
  }
  EXPECT_FALSE(ParseOutcome(whole + "x").has_value());
}

TEST(Wire, FlippedBytesNeverBreakTheInvariants) {
  const std::string whole = SerializeOutcome(Sample());
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = whole;
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const auto parsed = ParseOutcome(damaged);
    if (parsed) {
      EXPECT_TRUE(ValidateDocument(*parsed).has_value());
    }
  }
}

TEST(Wire, HugeCountsAllocateNothing) {
  std::string bytes = SerializeOutcome(Sample());
  const size_t count_at = 4 + 1 + (8 + 3) + (8 + 6) + (8 + 2) + (8 + Sample().text.size());
  for (size_t i = 0; i < 8; ++i) bytes[count_at + i] = '\xFF';
  EXPECT_FALSE(ParseOutcome(bytes).has_value());
}

TEST(ValidateDocument, ChecksEveryPromise) {
  const auto broken = [](auto change) {
    Document document = Sample();
    change(document);
    return !ValidateDocument(document).has_value();
  };
  EXPECT_TRUE(ValidateDocument(Sample()).has_value());
  EXPECT_TRUE(broken([](Document& d) { d.text[0] = '\xFF'; }));
  EXPECT_TRUE(broken([](Document& d) { d.title.clear(); }));
  EXPECT_TRUE(broken([](Document& d) { d.blocks[0].level = 7; }));
  EXPECT_TRUE(broken([](Document& d) { d.blocks[0].kind = static_cast<BlockKind>(9); }));
  EXPECT_TRUE(broken([](Document& d) { d.blocks[1].end = 20; }));
  EXPECT_TRUE(broken([](Document& d) { d.blocks[1].begin = 6; }));
  EXPECT_TRUE(broken([](Document& d) {
    d.blocks[1].end = 7;
    d.pages[1].end = 6;
  }));
  EXPECT_TRUE(broken([](Document& d) { d.pages[1].begin = 4; }));
  EXPECT_TRUE(broken([](Document& d) { d.pages.pop_back(); }));
  EXPECT_TRUE(broken([](Document& d) { d.text[3] = 'x'; }));
  EXPECT_TRUE(broken([](Document& d) { d.notes[0].text = "\xC0"; }));
}

}  // namespace
}  // namespace vade::ingest
