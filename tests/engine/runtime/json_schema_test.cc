#include "engine/runtime/json_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/engine/runtime/grammar_checks.h"
#include "tests/engine/runtime/schema_validator.h"

namespace vade::runtime {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::string Gbnf(std::string_view schema) {
  const auto gbnf = JsonSchemaGbnf(schema);
  EXPECT_TRUE(gbnf.has_value()) << schema << ": " << gbnf.error().message;
  return gbnf.value_or("root ::= \"\"");
}

void ExpectSet(std::string_view schema, const std::vector<std::string>& accepted,
               const std::vector<std::string>& rejected) {
  const std::string gbnf = Gbnf(schema);
  for (const auto& text : accepted) {
    EXPECT_TRUE(Accepts(gbnf, text)) << schema << "\naccepts " << text << "\n" << gbnf;
  }
  for (const auto& text : rejected) {
    EXPECT_FALSE(Accepts(gbnf, text)) << schema << "\nrejects " << text << "\n" << gbnf;
  }
}

TEST(JsonSchema, Types) {
  ExpectSet(R"({"type":"null"})", {"null"}, {"", "nul", "0", " null"});
  ExpectSet(R"({"type":"boolean"})", {"true", "false"}, {"True", "null"});
  ExpectSet(R"({"type":"integer"})", {"0", "-12", "999"}, {"01", "1.5", "1e3", "-", "+1"});
  ExpectSet(R"({"type":"number"})", {"0", "-1.25", "1e10", "2.5E-3"}, {"1.", ".5", "1e999", "NaN"});
  ExpectSet(R"({"type":["string","null"]})", {"null", "\"x\""}, {"1", "x"});
  ExpectSet(R"({"type":"string"})", {R"("")", R"("a\"b\\\n\u00e9 한")", R"("\ud83d\ude00")"},
            {"\"a\nb\"", R"("\x")", R"("\ud83d")", R"("\ude00\ud83d")", "\""});
  ExpectSet("true", {"null", "[1,{\"a\":2}]"}, {"", "{a:1}"});
  ExpectSet("{}", {"{}", "[]", "3"}, {"[,]"});
}

TEST(JsonSchema, BlanksAreBounded) {
  const std::string gbnf = Gbnf(R"({"type":"array"})");
  EXPECT_TRUE(Accepts(gbnf, "[\n  1,\n  2\n]"));
  EXPECT_FALSE(AcceptsPrefix(gbnf, "[\n" + std::string(21, ' ')));
  EXPECT_FALSE(AcceptsPrefix(gbnf, "[\n\n"));
  EXPECT_FALSE(Accepts(gbnf, "[] "));
}

TEST(JsonSchema, EnumAndConst) {
  ExpectSet(R"({"enum":["a",1,null,{"x":[true]}]})", {R"("a")", "1", "null", R"({"x":[true]})"},
            {"a", "2", "true"});
  ExpectSet(R"({"const":"a\"b"})", {R"("a\"b")"}, {R"("a")"});
  ExpectSet(R"({"type":"string","enum":["a",1]})", {R"("a")"}, {"1"});
}

TEST(JsonSchema, ObjectsKeepTheOrderAndTheCommas) {
  const char* schema = R"({"type":"object","properties":{"b":{"type":"integer"},
      "a":{"type":"boolean"},"c":{"type":"null"}},"required":["a"]})";
  ExpectSet(schema,
            {R"({"b":1,"a":true})", R"({"a":true})", R"({"a":false,"c":null})",
             R"({ "b": 1, "a": true, "c": null })"},
            {"{}", R"({"b":1})", R"({"a":true,"b":1})", R"({"a":true,})", R"({,"a":true})",
             R"({"a":true"c":null})", R"({"a":true,"d":1})", R"({"a":true,"a":true})"});
  ExpectSet(R"({"properties":{"x":{"type":"null"},"y":{"type":"null"}}})",
            {"{}", R"({"x":null})", R"({"y":null})", R"({"x":null,"y":null})"},
            {R"({"z":1})", R"({,})", R"({"x":null,})"});
  ExpectSet(R"({"type":"object","properties":{}, "additionalProperties":false})", {"{}"},
            {R"({"a":1})"});
}

TEST(JsonSchema, AdditionalProperties) {
  ExpectSet(R"({"type":"object","additionalProperties":{"type":"integer"}})",
            {"{}", R"({"x":1,"y":2})"}, {R"({"x":"1"})"});
  ExpectSet(R"({"properties":{"ab":{"type":"null"},"ac":{"type":"null"},"\"":{"type":"null"}},
                "required":["ab"],"additionalProperties":{"type":"integer"}})",
            {R"({"ab":null})", R"({"ab":null,"a":1,"abc":2,"b":3,"ad":4})", R"({"ab":null,"":1})"},
            {R"({"ab":null,"ac":1})", R"({"ab":null,"ab":1})", R"({"ab":null,"a":null})",
             R"({"ab":null,"\u0061c":1})"});
  ExpectSet(R"({"required":["k"]})", {R"({"k":[1]})", R"({"k":1,"l":2})"}, {"{}", R"({"l":2})"});
}

TEST(JsonSchema, Arrays) {
  ExpectSet(R"({"type":"array","items":{"type":"integer"}})", {"[]", "[1]", "[1, 2,3]"},
            {"[1,]", "[\"a\"]", "[,1]"});
  ExpectSet(R"({"items":{"type":"null"},"minItems":2,"maxItems":3})",
            {"[null,null]", "[null,null,null]"}, {"[null]", "[null,null,null,null]"});
  ExpectSet(R"({"items":{"type":"null"},"maxItems":0})", {"[]"}, {"[null]"});
  ExpectSet(R"({"prefixItems":[{"type":"integer"},{"type":"string"}]})", {R"([1,"a"])"},
            {"[1]", R"(["a",1])", R"([1,"a",2])"});
  ExpectSet(R"({"prefixItems":[{"type":"integer"}],"items":{"type":"null"},"minItems":2})",
            {"[1,null]", "[1,null,null]"}, {"[1]", "[1,1]"});
}

TEST(JsonSchema, Strings) {
  ExpectSet(R"({"type":"string","minLength":2,"maxLength":3})",
            {R"("ab")", R"("한글")", R"("\n\n\n")"}, {R"("a")", R"("abcd")"});
  ExpectSet(R"({"type":"string","pattern":"^[a-z]+\\d$"})", {R"("ab1")"}, {R"("1")", R"("a1b")"});
  ExpectSet(R"({"format":"date"})", {R"("2024-02-29")", R"("2023-12-31")", R"("2000-02-29")"},
            {R"("2023-02-29")", R"("1900-02-29")", R"("2023-04-31")", R"("2023-13-01")"});
  ExpectSet(R"({"format":"time"})", {R"("23:59:59Z")", R"("00:00:00.5+09:00")"},
            {R"("24:00:00Z")", R"("12:00:00")"});
  ExpectSet(R"({"format":"date-time"})", {R"("2026-11-21T07:28:06Z")"}, {R"("2026-11-21")"});
  ExpectSet(R"({"format":"uuid"})", {R"("123e4567-e89b-12d3-a456-426614174000")"},
            {R"("123e4567e89b12d3a456426614174000")"});
}

TEST(JsonSchema, Numbers) {
  ExpectSet(R"({"type":"integer","minimum":-3,"exclusiveMaximum":12})", {"-3", "0", "11"},
            {"-4", "12", "1.0"});
  ExpectSet(R"({"type":"integer","minimum":0.5,"maximum":2.5})", {"1", "2"}, {"0", "3"});
  ExpectSet(R"({"type":"number","minimum":0,"maximum":1})", {"0", "0.25", "1"}, {"1.5", "-0.5"});
}

TEST(JsonSchema, Combinations) {
  ExpectSet(R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]})", {"5", R"("a")"},
            {R"("ab")", "null"});
  ExpectSet(
      R"({"oneOf":[{"properties":{"k":{"const":"a"},"n":{"type":"null"}},"required":["k","n"]},
                         {"properties":{"k":{"const":"b"}},"required":["k"]}]})",
      {R"({"k":"a","n":null})", R"({"k":"b"})"}, {R"({"k":"a"})", R"({"k":"c"})"});
  ExpectSet(R"({"properties":{"a":{"type":"integer"},"b":{"type":"integer"}},
                "anyOf":[{"required":["a"]},{"required":["b"]}]})",
            {R"({"a":1})", R"({"b":1})", R"({"a":1,"b":2})"}, {"{}"});
  ExpectSet(
      R"({"allOf":[{"type":["integer","string"],"minimum":3},{"type":"number","maximum":5}]})",
      {"3", "5"}, {"2", "6", R"("a")"});
  ExpectSet(R"({"allOf":[{"properties":{"a":{"minimum":1}}},
                {"properties":{"a":{"type":"integer","maximum":2}},"required":["a"]}]})",
            {R"({"a":1})", R"({"a":2})"}, {R"({"a":3})", "{}"});
  ExpectSet(R"({"allOf":[{"properties":{"a":true},"additionalProperties":false},
                {"properties":{"b":true,"a":{"type":"null"}}}]})",
            {"{}", R"({"a":null})"}, {R"({"b":1})", R"({"a":1})"});
}

TEST(JsonSchema, References) {
  const char* tree = R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object",
      "properties":{"v":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},
      "required":["v","next"]}}})";
  ExpectSet(tree, {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":null}})"},
            {R"({"v":1})", R"({"v":1,"next":{}})"});
  ExpectSet(R"({"type":"array","items":{"$ref":"#"}})", {"[]", "[[],[[]]]"}, {"[1]"});
  ExpectSet(R"({"$defs":{"a/b~c":{"type":"null"}},"$ref":"#/$defs/a~1b~0c"})", {"null"}, {"1"});
  ExpectSet(R"({"$defs":{"a":{"properties":{"x":{"type":"null"}},"required":["x"]}},
                "$ref":"#/$defs/a","properties":{"y":{"type":"null"}}})",
            {R"({"y":null,"x":null})", R"({"x":null})"}, {R"({"y":null})"});
}

TEST(JsonSchema, WhatIsNotReadIsAnErrorNamingIt) {
  struct Case {
    const char* schema;
    const char* message;
  };
  const Case cases[] = {
      {R"({"not":{"type":"null"}})", "schema at #: keyword \"not\" is not supported"},
      {R"({"properties":{"a":{"if":true}}})", "#/properties/a: keyword \"if\""},
      {R"({"uniqueItems":true})", "uniqueItems"},
      {R"({"patternProperties":{}})", "patternProperties"},
      {R"({"items":{"multipleOf":2}})", "#/items: keyword \"multipleOf\""},
      {R"({"frobnicate":1})", "frobnicate"},
      {R"({"$ref":"https://example.org/a"})", "not inside the document"},
      {R"({"$ref":"#/$defs/none"})", "points to nothing"},
      {R"({"$ref":"#/type/x/9999999999999","type":"null"})", "points to nothing"},
      {R"({"format":"email"})", "format \"email\""},
      {R"json({"pattern":"(?=x)"})json", "pattern at character"},
      {R"({"pattern":"a","minLength":2})", "cannot be combined"},
      {R"({"type":"number","minimum":0.5})", "bounded by a fraction"},
      {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "oneOf"},
      {R"({"oneOf":[{"properties":{"a":true}},{"properties":{"b":true}}]})", "oneOf"},
      {R"({"enum":["a"],"minLength":1})", "enum or const together with \"minLength\""},
      {R"({"allOf":[{"pattern":"a"},{"pattern":"b"}]})", "pattern"},
      {R"({"type":"frob"})", "type: want object"},
      {R"({"type":5})", "type: want object"},
      {R"({"required":"a"})", "required: want a list of strings"},
      {R"({"properties":[]})", "properties: want an object"},
      {R"({"minLength":-1})", "minLength: want a whole number"},
      {R"({"anyOf":[]})", "anyOf: want a list"},
      {R"({"items":[{}]})", "items: want a schema"},
      {R"([])", "want an object, true or false"},
      {R"(5)", "want an object, true or false"},
      {R"({)", "not JSON"},
      {"", "not JSON"},
      {"false", "no value can match"},
      {R"({"enum":["a"],"type":"integer"})", "no value can match"},
      {R"({"type":"integer","minimum":5,"maximum":4})", "no value can match"},
      {R"({"minLength":5,"maxLength":4})", "no value can match"},
      {R"({"properties":{"a":false},"required":["a"]})", "no value can match"},
      {R"({"allOf":[{"$ref":"#"}]})", "without end"},
  };
  for (const Case& c : cases) {
    const auto gbnf = JsonSchemaGbnf(c.schema);
    ASSERT_FALSE(gbnf.has_value()) << c.schema;
    EXPECT_THAT(gbnf.error().message, HasSubstr(c.message)) << c.schema;
    EXPECT_EQ(gbnf.error().message.find('\n'), std::string::npos);
  }
}

TEST(JsonSchema, AnnotationsChangeNothing) {
  ExpectSet(R"({"$schema":"x","$id":"y","title":"t","description":"d","default":5,"examples":[1],
                "deprecated":true,"x-own":1,"uniqueItems":false,"type":"null"})",
            {"null"}, {"5"});
}

TEST(JsonSchema, HostileSchemasEndInAnError) {
  std::string deep;
  for (int i = 0; i < 60'000; ++i) deep += "{\"items\":";
  EXPECT_EQ(JsonSchemaGbnf(deep).error().code, ErrorCode::kResource);
  EXPECT_EQ(JsonSchemaGbnf(std::string(1 << 20, ' ')).error().code, ErrorCode::kResource);
  std::string wide = R"({"properties":{)";
  for (int i = 0; i < 40'000; ++i) wide += "\"" + std::to_string(i) + "\":1,";
  EXPECT_EQ(JsonSchemaGbnf(wide + "\"x\":1}}").error().code, ErrorCode::kResource);
  // Each level doubles: 2^30 alternatives if they were all written.
  std::string doubling = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 30; ++i) {
    const std::string next = "{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"}";
    doubling += "\"d" + std::to_string(i) + "\":{\"items\":{\"allOf\":[" + next + ",{\"anyOf\":[" +
                next + "," + next + "]}]}},";
  }
  const auto doubled = JsonSchemaGbnf(doubling + R"("d30":{"type":"null"}}})");
  if (!doubled) {
    EXPECT_EQ(doubled.error().code, ErrorCode::kResource);
  }
  // A recursive schema under allOf would be merged again and again.
  const auto endless = JsonSchemaGbnf(
      R"({"properties":{"x":{"allOf":[{"$ref":"#"},{"properties":{"y":{"$ref":"#"}}}]}}})");
  if (!endless) {
    EXPECT_EQ(endless.error().code, ErrorCode::kResource);
  }
  const auto left = JsonSchemaGbnf(R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})");
  ASSERT_TRUE(left.has_value());
  EXPECT_FALSE(Grammar::Parse(*left).has_value());
}

// What a random model writes under a schema always parses and validates.
TEST(JsonSchema, RandomOutputsParseAndValidate) {
  const char* schemas[] = {
      "{}",
      R"({"type":"string"})",
      R"({"type":"number"})",
      R"({"type":"number","exclusiveMinimum":-2,"exclusiveMaximum":100})",
      R"({"type":"integer","minimum":-50,"maximum":1234})",
      R"({"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":8},
          "age":{"type":"integer","minimum":0,"maximum":150},"tags":{"type":"array",
          "items":{"enum":["a","b",3]},"minItems":1,"maxItems":4},"when":{"format":"date-time"}},
          "required":["name","tags"]})",
      R"({"properties":{"a":{"type":"integer"}},"additionalProperties":{"type":["null","boolean"]}})",
      R"({"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"k":{"type":"boolean"},
          "c":{"type":"array","items":{"$ref":"#/$defs/t"},"maxItems":3}},"required":["k"]}}})",
      R"({"oneOf":[{"properties":{"k":{"const":"x"},"v":{"type":"integer"}},"required":["k","v"]},
          {"properties":{"k":{"const":"y"},"v":{"type":"string","pattern":"^[a-f]{1,4}$"}},
          "required":["k"]}]})",
      R"({"prefixItems":[{"type":"null"},{"format":"uuid"}],"items":{"type":"number","minimum":1},
          "maxItems":4})",
  };
  const TokenTrie trie(ByteVocabulary());
  Random random(77);
  for (const char* text : schemas) {
    const json schema = json::parse(text);
    const std::string gbnf = Gbnf(text);
    for (int round = 0; round < 60; ++round) {
      GrammarMatcher matcher = MatcherOf(gbnf, trie);
      const std::string output = Generate(matcher, trie, -1, random);
      const json value = json::parse(output, nullptr, false);
      ASSERT_FALSE(value.is_discarded()) << text << "\n" << output;
      EXPECT_EQ(FindViolation(schema, value, schema), "") << text << "\n" << output;
    }
  }
}

TEST(JsonSchema, JsonObjectModeWritesObjects) {
  const TokenTrie trie(ByteVocabulary());
  Random random(78);
  for (int round = 0; round < 60; ++round) {
    GrammarMatcher matcher = MatcherOf(JsonObjectGbnf(), trie);
    const std::string output = Generate(matcher, trie, -1, random);
    EXPECT_TRUE(json::parse(output, nullptr, false).is_object()) << output;
  }
}

}  // namespace
}  // namespace vade::runtime
