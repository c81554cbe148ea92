// Tests of engine/tokenizer/special_splitter.
#include "engine/tokenizer/special_splitter.h"

#include <gtest/gtest.h>

#include "tests/support/gguf_builder.h"

namespace vade::tokenizer {
namespace {

// Token 0 [PAD] ... 4 [MASK] are control tokens; "<u>" is user-defined, "[CLS][SEP]" is longer.
class SpecialSplitterTest : public ::testing::Test {
 protected:
  static Vocabulary Make() {
    gguf::Writer writer;
    const std::vector<std::string_view> tokens = {"[CLS]", "[SEP]", "<u>", "word", "[CLS][SEP]"};
    const std::vector<int32_t> types = {3, 3, 4, 1, 3};
    writer.AddArray<std::string_view>("tokenizer.ggml.tokens", tokens);
    writer.AddArray<int32_t>("tokenizer.ggml.token_type", types);
    const std::string bytes = writer.ToBytes().value();
    return Vocabulary::Load(testing::ParseGguf(bytes).value()).value();
  }
  static std::string Show(std::string_view text, bool parse_special) {
    std::string out;
    const SpecialSplitter splitter(Make());
    for (const Fragment& f : splitter.Split(text, parse_special)) {
      if (f.id >= 0) {
        out.append("{").append(std::to_string(f.id)).append("}");
      } else {
        out.append("(").append(f.text).append(")");
      }
    }
    return out;
  }
};

TEST_F(SpecialSplitterTest, Fault20ControlTokensInTextAreTextUnlessAskedFor) {
  EXPECT_EQ(Show("a[SEP]b", false), "(a[SEP]b)");
  EXPECT_EQ(Show("a[SEP]b", true), "(a){1}(b)");
}

TEST_F(SpecialSplitterTest, UserDefinedTokensAreAlwaysTokens) {
  EXPECT_EQ(Show("<u>x<u>", false), "{2}(x){2}");
}

TEST_F(SpecialSplitterTest, LongestWinsAndNearMissesAreText) {
  EXPECT_EQ(Show("[CLS][SEP][CLS]x", true), "{4}{0}(x)");
  EXPECT_EQ(Show("[CLS[SEP]", true), "([CLS){1}");
  EXPECT_EQ(Show("[cls] word", true), "([cls] word)");
  EXPECT_EQ(Show("", true), "");
}

TEST_F(SpecialSplitterTest, WhiteSpaceGoesWithTheTokensThatTakeIt) {
  const Vocabulary vocabulary = Make();
  const SpecialSplitter splitter(vocabulary, {0}, {1});  // [CLS] takes what is before, [SEP] after
  const auto fragments = splitter.Split("a \t[CLS] b [SEP]\r\n", true);
  ASSERT_EQ(fragments.size(), 4u);
  EXPECT_EQ(fragments[0].text, "a");
  EXPECT_EQ(fragments[1].id, 0);
  EXPECT_EQ(fragments[2].text, " b ");
  EXPECT_EQ(fragments[3].id, 1);
}

}  // namespace
}  // namespace vade::tokenizer
