// faults.md 59 and 60.
#include "qa/server/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ParseError(const std::string& text) {
  const auto parsed = ParseJson(text);
  return parsed ? "" : parsed.error().message;
}

TEST(ParseJson, IsStrict) {
  EXPECT_EQ(ParseJson(R"({"a":[1,{"b":null}],"c":"é"})")->dump(),
            R"({"a":[1,{"b":null}],"c":"é"})");
  for (const char* bad :
       {"", "{", "{\"a\":}", "[1,]", "nul", "{\"a\":NaN}", "{\"a\":1e400}", "{\"a\":-1e400}",
        "\"\\ud800\"", "\"\xff\"", "{} {}", "{\"a\":01}", "'a'", "// c\n{}"}) {
    EXPECT_NE(ParseError(bad), "") << bad;
  }
  EXPECT_THAT(ParseError(R"({"a":1,"a":2})"), HasSubstr("duplicate key 'a'"));
  EXPECT_THAT(ParseError(R"({"x":{"a":1,"b":2,"a":3}})"), HasSubstr("duplicate key 'a'"));
}

TEST(ParseJson, DepthIsBounded) {
  EXPECT_TRUE(ParseJson(std::string(64, '[') + std::string(64, ']')));
  EXPECT_THAT(ParseError(std::string(65, '[') + std::string(65, ']')), HasSubstr("64 levels"));
  EXPECT_THAT(ParseError(std::string(100'000, '[')), HasSubstr("64 levels"));
}

class FieldsTest : public ::testing::Test {
 protected:
  Fields Read(const std::string& text) {
    body_ = nlohmann::json::parse(text);
    return Fields(body_);
  }
  nlohmann::json body_;
};

TEST_F(FieldsTest, ReadsWhatIsThereAndDefaultsOtherwise) {
  Fields fields =
      Read(R"({"s":"x","i":5,"f":5.0,"n":0.5,"b":true,"z":null,"l":["a","b"],"o":{"p":{"q":1}}})");
  EXPECT_EQ(fields.String("s"), "x");
  EXPECT_EQ(fields.String("z", "none"), "none");
  EXPECT_EQ(fields.Integer("i", 0, 10, 1), 5);
  EXPECT_EQ(fields.Integer("f", 0, 10, 1), 5);
  EXPECT_EQ(fields.Integer("absent", 0, 10, 1), 1);
  EXPECT_EQ(fields.Number("n", 0, 1, 0), 0.5);
  EXPECT_TRUE(fields.Bool("b", false));
  EXPECT_THAT(fields.Strings("l", 5), ElementsAre("a", "b"));
  EXPECT_THAT(fields.Strings("s", 5), ElementsAre("x"));
  EXPECT_EQ(fields.In("o").In("p").Integer("q", 0, 9, 0), 1);
  EXPECT_EQ(fields.In("absent").String("x", "y"), "y");
  EXPECT_TRUE(fields.Status());
}

TEST_F(FieldsTest, NamesTheFieldAndTheRange) {
  const auto error = [&](const std::string& text, const auto& read) {
    Fields fields = Read(text);
    read(fields);
    const auto status = fields.Status();
    return status ? std::string() : status.error().message;
  };
  const auto integer = [](Fields& f) { (void)f.Integer("n", 0, 100); };
  EXPECT_EQ(error(R"({"n":-1})", integer), "n: got -1, expected an integer from 0 to 100");
  for (const char* bad : {R"({"n":101})", R"({"n":9223372036854775808})", R"({"n":1e300})",
                          R"({"n":1.5})", R"({"n":"5"})", R"({"n":[]})", R"({"n":true})"}) {
    EXPECT_THAT(error(bad, integer), HasSubstr("n: got")) << bad;
  }
  EXPECT_THAT(error(R"({"t":-0.1})", [](Fields& f) { (void)f.Number("t", 0, 2); }),
              HasSubstr("t: got -0.1, expected a number"));
  EXPECT_THAT(error(R"({"s":5})", [](Fields& f) { (void)f.String("s"); }),
              HasSubstr("s: got number"));
  EXPECT_THAT(error(R"({})", [](Fields& f) { (void)f.RequiredString("s"); }),
              HasSubstr("s: missing"));
  EXPECT_THAT(error(R"({"l":[1]})", [](Fields& f) { (void)f.Strings("l", 5); }), HasSubstr("l: "));
  EXPECT_THAT(error(R"({"l":["a","b","c"]})", [](Fields& f) { (void)f.Strings("l", 2); }),
              HasSubstr("at most 2"));
  EXPECT_THAT(error(R"({"w":"x"})",
                    [](Fields& f) {
                      (void)f.Word("w", {"a", "b"}, "a");
                    }),
              HasSubstr("expected one of a, b"));
  EXPECT_THAT(error(R"({"o":{"p":5}})",
                    [](Fields& f) {
                      Fields inner = f.In("o");
                      (void)inner.String("p");
                      f.Absorb(inner);
                    }),
              HasSubstr("o.p: got number"));
  EXPECT_THAT(Fields(nlohmann::json::array()).Status().error().message,
              HasSubstr("expected an object"));
}

}  // namespace
}  // namespace vade::qa::server
