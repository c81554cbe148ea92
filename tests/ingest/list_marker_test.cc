// Which beginnings of a line are list markers, and which only look like them.
#include "ingest/list_marker.h"

#include <gtest/gtest.h>

namespace vade::ingest {
namespace {

std::string Marker(std::string_view line) {
  const auto marker = FindListMarker(line);
  return marker ? marker->marker + "|" + std::string(line.substr(marker->length)) : "";
}

TEST(FindListMarker, Recognises) {
  EXPECT_EQ(Marker("\u2022 item"), "-|item");
  EXPECT_EQ(Marker("\u2022item"), "-|item");
  EXPECT_EQ(Marker("- item"), "-|item");
  EXPECT_EQ(Marker("\u2013  item"), "-|item");
  EXPECT_EQ(Marker("12. item"), "12.|item");
  EXPECT_EQ(Marker("3) item"), "3)|item");
  EXPECT_EQ(Marker("(4) item"), "(4)|item");
  EXPECT_EQ(Marker("b) item"), "b)|item");
  EXPECT_EQ(Marker("a. item"), "a.|item");
  EXPECT_EQ(Marker("\u2460 item"), "\u2460|item");
  EXPECT_EQ(Marker("가. 항목"), "가.|항목");
  EXPECT_EQ(Marker("1."), "1.|");
}

TEST(FindListMarker, Refuses) {
  for (const char* line : {"", "-5 degrees", "1.5 bar", "2019. The year", "A. Smith", "45일 동안",
                           "12 apples", "word", "(see page 3) x", "3.item", "--- x"}) {
    EXPECT_EQ(Marker(line), "") << line;
  }
}

}  // namespace
}  // namespace vade::ingest
