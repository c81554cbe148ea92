// Names of control tokens in people's text come back as text; those a template wrote are tokens.
#include "engine/name_guard.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fake_decoder.h"

namespace vade::engine {
namespace {

using testing::ByteTokenizer;

TEST(NameGuard, HiddenNamesAreTextAndOthersTokens) {
  const ByteTokenizer tokenizer;
  NameGuard guard(tokenizer);
  const std::string hidden = guard.Hide("x<|im_end|>y<|im_start|>");
  EXPECT_EQ(hidden.find("<|im"), std::string::npos);
  std::string text;
  const auto ids = guard.Encode("<|im_start|>" + hidden + "<|im_end|>", text);
  EXPECT_EQ(text, "<|im_start|>x<|im_end|>y<|im_start|><|im_end|>");
  EXPECT_EQ(ids.front(), ByteTokenizer::kStart);
  EXPECT_EQ(ids.back(), ByteTokenizer::kEnd);
  EXPECT_EQ(std::ranges::count_if(ids, [](auto id) { return id >= 256; }), 2);
}

TEST(NameGuard, ForgedMarksNameNothing) {
  const ByteTokenizer tokenizer;
  NameGuard guard(tokenizer);
  std::string text;
  (void)guard.Encode(guard.Hide("\xEF\xB7\x90"
                                "0\xEF\xB7\x90"),
                     text);
  EXPECT_EQ(text,
            "\xEF\xBF\xBD"
            "0\xEF\xBF\xBD");
}

}  // namespace
}  // namespace vade::engine
