// The page keeps to itself: what strangers wrote stays text, and nothing is loaded.
#include "qa/explain/html_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/qa/explain/explained.h"
#include "tests/support/base64.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;
using vade::testing::MakeExplanation;

json DataOf(const std::string& html) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const size_t at = html.find(begin) + begin.size();
  return json::parse(html.substr(at, html.find("</script>", at) - at));
}

TEST(ExplainHtml, TextsCannotBecomeMarkup) {
  auto e = MakeExplanation({"<script>alert(1)</script>", "</script><img src=x onerror=y>", "\"&'"});
  e.model = "<i>model</i>";
  const std::string html = ExplainHtml(e, {0, 0}).html;
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("<i>model")));
  EXPECT_THAT(html, Not(HasSubstr("</b></mark>")));
  EXPECT_THAT(html, HasSubstr("&lt;/b&gt;"));
  EXPECT_EQ(DataOf(html)["tokens"][1], "</script><img␣src=x␣onerror=y>");
}

TEST(ExplainHtml, LoadsNothing) {
  const std::string html = ExplainHtml(MakeExplanation({"a", "b"}), {0, 0}).html;
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* way : {"http:", "https:", "//cdn", " src=", "href=", "url(", "@import"}) {
    EXPECT_THAT(html, Not(HasSubstr(way)));
  }
  EXPECT_THAT(html, Not(HasSubstr(" style=\"")));
}

TEST(ExplainHtml, BrokenUtf8IsShownAndNotWritten) {
  const std::string html = ExplainHtml(MakeExplanation({"\xff\xfe", "\x1b[31m"}), {0, 0}).html;
  EXPECT_THAT(html, HasSubstr("\\xff\\xfe"));
  EXPECT_THAT(html, Not(HasSubstr("\xff")));
  EXPECT_THAT(html, Not(HasSubstr("\x1b")));
}

TEST(ExplainHtml, HoldsEveryMapWithRootsOfWeights) {
  const json data = DataOf(ExplainHtml(MakeExplanation({"a", "b"}), {1, 2}).html);
  EXPECT_EQ(data["layer"], 1);
  EXPECT_EQ(data["head"], 2);
  EXPECT_EQ(data["layersWithHeads"], (json::array({0, 1})));
  const auto heads = vade::testing::DecodeBase64(data["heads"].get<std::string>());
  ASSERT_EQ(heads.size(), 2u * 3 * 3);
  const auto byte = [&](size_t i) { return static_cast<int>(static_cast<uint8_t>(heads[i])); };
  EXPECT_EQ(byte(0), 255);                // layer 0, head 0: the first token sees itself
  EXPECT_EQ(byte(1), 0);                  // the second looks at itself only
  EXPECT_EQ(byte((3 + 1) * 3 + 1), 180);  // layer 1, head 1: 255 * sqrt(0.5)
  EXPECT_EQ(vade::testing::DecodeBase64(data["means"].get<std::string>()).size(), 2u * 3);
}

TEST(ExplainHtml, WhatIsTooMuchIsLeftOutAndCounted) {
  const auto e = MakeExplanation(std::vector<std::string>(250, "x"), 8, 16);
  const HtmlPage page = ExplainHtml(e, {3, 1});
  EXPECT_EQ(page.left_out_heads, 7u * 16);
  EXPECT_EQ(DataOf(page.html)["layersWithHeads"], json::array({3}));
  EXPECT_LT(page.html.size(), 6u << 20);
  EXPECT_EQ(ExplainHtml(MakeExplanation({"a"}), {0, 0}).left_out_heads, 0u);
}

}  // namespace
}  // namespace vade::qa
