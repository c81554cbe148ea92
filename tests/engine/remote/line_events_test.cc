// Streams in pieces of any size, and those that are none.
#include "engine/remote/line_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::remote {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Outcome {
  std::vector<std::string> values;
  std::string error;
  bool done = false;
};

Outcome Read(bool is_sse, const std::string& text, size_t piece_bytes, size_t stop_after = 99) {
  Outcome out;
  LineEvents events(is_sse, 64, [&](const json& value) -> Result<bool> {
    out.values.push_back(value.dump());
    return out.values.size() < stop_after;
  });
  Result<bool> more = true;
  for (size_t at = 0; at < text.size() && more && *more; at += piece_bytes) {
    more = events.Append(std::string_view(text).substr(at, piece_bytes));
  }
  if (more && *more) more = events.Finish();
  if (!more) out.error = more.error().message;
  out.done = events.done();
  return out;
}

TEST(LineEvents, PiecesDoNotMatter) {
  const std::string lines = "{\"a\":1}\r\n\n{\"b\":\"\xED\x95\x9C\"}\n[3]";
  const std::string sse =
      ": ping\n\ndata: {\"a\":1}\n\nevent: x\r\ndata: {\"b\":\r\ndata:\"\xED\x95\x9C\"}\r\n\r\n"
      "data:[3]\n\ndata: [DONE]\n\n";
  for (size_t piece = 1; piece < 80; ++piece) {
    EXPECT_THAT(Read(false, lines, piece).values,
                ElementsAre("{\"a\":1}", "{\"b\":\"\xED\x95\x9C\"}", "[3]"));
    const Outcome events = Read(true, sse, piece);
    EXPECT_THAT(events.values, ElementsAre("{\"a\":1}", "{\"b\":\"\xED\x95\x9C\"}", "[3]"));
    EXPECT_TRUE(events.done);
  }
}

TEST(LineEvents, TheSinkEndsIt) { EXPECT_EQ(Read(false, "1\n2\n3\n", 2, 2).values.size(), 2u); }

TEST(LineEvents, ALineIsBounded) {
  EXPECT_THAT(Read(false, std::string(65, '1'), 7).error, HasSubstr("more than 64 bytes"));
  std::string many;
  for (int i = 0; i < 40; ++i) many += "data: 11\n";
  EXPECT_THAT(Read(true, many, 7).error, HasSubstr("more than 64 bytes"));
}

TEST(LineEvents, WhatIsNoJsonIsShownEscaped) {
  EXPECT_THAT(Read(false, "<html>\x1b[31m\n", 99).error, HasSubstr("\"<html>\\x1b[31m\""));
  EXPECT_THAT(Read(true, "data: {\"a\":\n\n", 99).error, HasSubstr("no JSON"));
}

TEST(ParseJson, DepthIsBounded) {
  EXPECT_TRUE(ParseJson(std::string(65, '[') + std::string(65, ']')).is_discarded());
  EXPECT_FALSE(ParseJson(std::string(60, '[') + std::string(60, ']')).is_discarded());
  EXPECT_TRUE(ParseJson(std::string(100'000, '[')).is_discarded());
  EXPECT_TRUE(ParseJson("").is_discarded());
}

}  // namespace
}  // namespace vade::remote
