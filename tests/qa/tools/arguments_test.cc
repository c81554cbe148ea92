#include "qa/tools/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::string_view kSchema = R"({"type":"object","properties":{
  "query":{"type":"string","minLength":1,"maxLength":5},
  "k":{"type":"integer","minimum":1,"maximum":20},
  "x":{"type":["number","null"]},
  "mode":{"type":"string","enum":["a","b"]},
  "names":{"type":"array","items":{"type":"string"},"maxItems":2}},
  "required":["query"],"additionalProperties":false})";

std::string Check(std::string_view arguments) {
  const auto result = ReadArguments(kSchema, arguments);
  return result ? "ok" : result.error().message;
}

TEST(Arguments, WhatFits) {
  EXPECT_EQ(Check(R"({"query":"pump"})"), "ok");
  EXPECT_EQ(Check(R"({"query":"펌프펌프펌","k":20,"x":null,"mode":"a","names":["p","q"]})"), "ok")
      << "characters are counted, not bytes";
  EXPECT_EQ(Check(R"({"query":"p","k":3.0,"x":1.5})"), "ok") << "3.0 is a whole number";
}

TEST(Arguments, ErrorsSayWhatToDo) {
  EXPECT_EQ(Check("{}"), "arguments: \"query\" is missing");
  EXPECT_EQ(Check(""), "arguments: \"query\" is missing");
  EXPECT_EQ(Check(R"({"query":1})"), "arguments.query: got 1, expected string");
  EXPECT_EQ(Check(R"({"query":"p","k":99})"), "arguments.k: got 99, expected at most 20");
  EXPECT_EQ(Check(R"({"query":"p","k":0})"), "arguments.k: got 0, expected at least 1");
  EXPECT_EQ(Check(R"({"query":"p","k":1.5})"), "arguments.k: got 1.5, expected integer");
  EXPECT_THAT(Check(R"({"query":"p","k":1e300})"), HasSubstr("expected integer"));
  EXPECT_THAT(Check(R"({"query":"p","x":"1"})"), HasSubstr("expected number or null"));
  EXPECT_THAT(Check(R"({"query":""})"), HasSubstr("at least 1 characters"));
  EXPECT_THAT(Check(R"({"query":"pumpen"})"), HasSubstr("(it has 6)"));
  EXPECT_THAT(Check(R"({"query":"p","mode":"c"})"), HasSubstr("expected one of \"a\" \"b\""));
  EXPECT_THAT(Check(R"({"query":"p","names":["a","b","c"]})"), HasSubstr("at most 2 items"));
  EXPECT_THAT(Check(R"({"query":"p","names":["a",2]})"), HasSubstr("arguments.names[1]: got 2"));
  EXPECT_THAT(Check(R"({"query":"p","q":1})"),
              HasSubstr("\"q\" is not known, there are k, mode, names, query, x"));
  EXPECT_THAT(Check("[]"), HasSubstr("got [], expected object"));
  EXPECT_THAT(Check("{\"query\":"), HasSubstr("not valid JSON"));
  EXPECT_THAT(Check("{\"query\":\"\xff\"}"), HasSubstr("not valid JSON"));
}

TEST(Arguments, AFunctionWithoutSchemaTakesNone) {
  EXPECT_TRUE(ReadArguments("", "{}"));
  EXPECT_TRUE(ReadArguments("", " "));
  EXPECT_THAT(ReadArguments("", R"({"a":1})").error().message, HasSubstr("no arguments"));
}

TEST(Arguments, DepthIsLimited) {
  EXPECT_TRUE(ParseJson(std::string(60, '[') + std::string(60, ']')));
  EXPECT_THAT(ParseJson(std::string(70, '[') + std::string(70, ']')).error().message,
              HasSubstr("64 deep"));
  EXPECT_FALSE(ParseJson(std::string(1'000'000, '[')));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(ParseJson(objects));
}

}  // namespace
}  // namespace vade::qa
