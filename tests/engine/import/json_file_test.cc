// Tests of engine/import/json_file.
#include "engine/import/json_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vade::import {
namespace {

using ::testing::HasSubstr;

JsonObject Object(std::string_view text) {
  return JsonObject(ParseJson(text, "c.json").value(), "c.json");
}

TEST(JsonFile, TypedAccess) {
  const JsonObject o = Object(R"({"n":7,"x":1e-12,"b":false,"s":"t","z":null})");
  EXPECT_EQ(o.GetUint("n", std::nullopt).value(), 7u);
  EXPECT_EQ(o.GetNumber("x", std::nullopt).value(), 1e-12);
  EXPECT_FALSE(o.GetBool("b", true).value());
  EXPECT_EQ(o.GetString("s", std::nullopt).value(), "t");
  EXPECT_EQ(o.GetUint("z", 3).value(), 3u);  // null is absent
  EXPECT_EQ(o.GetUint("absent", 4).value(), 4u);
}

TEST(JsonFile, ErrorsNameFileAndKey) {
  const JsonObject o = Object(R"({"n":-1,"big":4294967296,"f":1.5,"s":[]})");
  EXPECT_EQ(o.GetUint("absent", std::nullopt).error().message, "c.json: \"absent\": missing");
  for (const char* key : {"n", "big", "f", "s"}) {
    EXPECT_THAT(o.GetUint(key, 1).error().message, HasSubstr(std::string("c.json: \"") + key));
  }
  EXPECT_THAT(o.GetString("s", "").error().message, HasSubstr("got array, want a string"));
  EXPECT_FALSE(o.GetBool("n", true));
  EXPECT_FALSE(o.GetNumber("s", 1.0));
}

TEST(JsonFile, HostileText) {
  EXPECT_FALSE(ParseJson("", "c"));
  EXPECT_FALSE(ParseJson("{\"a\":", "c"));
  EXPECT_FALSE(ParseJson("{\"a\":1}x", "c"));
  EXPECT_FALSE(ParseJson("\"\xFF\"", "c"));
  EXPECT_THAT(ParseJson(std::string(1'000'000, '['), "c").error().message,
              HasSubstr("nested too deep"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(ParseJson(objects, "c").error().message, HasSubstr("nested too deep"));
}

TEST(JsonFile, ReadReportsMissingFilesAndOtherValues) {
  EXPECT_EQ(JsonObject::Read("/nonexistent/config.json").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vade::import
