#include "qa/tools/web_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_server.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpServer;
using ::testing::Not;
using testing::ServedAnswer;
using testing::ServedRequest;

std::string Use(const Tool& tool, const json& arguments) {
  const auto result = tool.run(arguments, nullptr);
  return result ? *result : "error: " + result.error().message;
}

ServedAnswer Json(const json& value) {
  ServedAnswer answer;
  answer.body = value.dump();
  return answer;
}

TEST(WebSearch, ResultsAreLinesOfText) {
  HttpServer server([](const ServedRequest&) {
    return Json({{"results",
                  {{{"title", "Pump"}, {"url", "https://a.example/p"}, {"content", "About\npumps"}},
                   {{"title", "Bad"}, {"url", "javascript:alert(1)"}},
                   {{"title", 7}, {"url", "http://b.example"}},
                   "nonsense"}}});
  });
  const std::string text = Use(WebSearchTool(server.url() + "/"), {{"query", "a b&c=d"}});
  EXPECT_EQ(text, "1. Pump\nhttps://a.example/p\nAbout pumps\n2. \nhttp://b.example\n\n");
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].target, "/search?format=json&q=a%20b%26c%3Dd");
  EXPECT_TRUE(WebSearchTool("http://x").leaves_machine);
}

TEST(WebSearch, AnswersThatAreNone) {
  for (const char* body : {"", "{", "[]", "{\"results\":7}", "{\"results\":[[]]}"}) {
    HttpServer server([&](const ServedRequest&) {
      ServedAnswer answer;
      answer.body = body;
      return answer;
    });
    const std::string text = Use(WebSearchTool(server.url()), {{"query", "x"}});
    EXPECT_TRUE(text.starts_with("error") || text == "Nothing was found.") << body << ": " << text;
  }
  HttpServer refusing([](const ServedRequest&) {
    ServedAnswer answer;
    answer.status = 403;
    return answer;
  });
  EXPECT_THAT(Use(WebSearchTool(refusing.url()), {{"query", "secret words"}}),
              ::testing::AllOf(HasSubstr("status 403"), Not(HasSubstr("secret"))));
  HttpServer huge([](const ServedRequest&) {
    ServedAnswer answer;
    answer.body = std::string(3 << 20, ' ');
    return answer;
  });
  EXPECT_THAT(Use(WebSearchTool(huge.url()), {{"query", "x"}}), HasSubstr("more than"));
}

TEST(WebSearch, RedirectsAreNotFollowed) {
  HttpServer target([](const ServedRequest&) { return Json({{"results", json::array()}}); });
  HttpServer server([&](const ServedRequest&) {
    ServedAnswer answer;
    answer.status = 302;
    answer.headers["Location"] = target.url() + "/admin";
    return answer;
  });
  EXPECT_THAT(Use(WebSearchTool(server.url()), {{"query", "x"}}), HasSubstr("redirects"));
  EXPECT_TRUE(target.requests().empty());
}

TEST(Weather, PlaceThenForecast) {
  HttpServer server([](const ServedRequest& request) {
    if (request.target.starts_with("/v1/search")) {
      return Json({{"results",
                    {{{"name", "Seoul"},
                      {"country", "South Korea"},
                      {"latitude", 37.566},
                      {"longitude", 126.9784}}}}});
    }
    return Json({{"current",
                  {{"time", "2026-11-21T13:00"},
                   {"temperature_2m", 8.25},
                   {"relative_humidity_2m", 40},
                   {"precipitation", 0},
                   {"weather_code", 61},
                   {"wind_speed_10m", 12.3}}},
                 {"daily",
                  {{"time", {"2026-11-21", 7, "2026-11-23"}},
                   {"weather_code", {0}},
                   {"temperature_2m_max", {10}},
                   {"temperature_2m_min", {-1.5}},
                   {"precipitation_sum", {nullptr}}}}});
  });
  const Tool tool = WeatherTool(server.url(), "");
  const std::string text = Use(tool, {{"place", "Seoul"}, {"days", 3}});
  EXPECT_THAT(text, HasSubstr("Seoul, South Korea\nnow (2026-11-21T13:00): rain, 8.2 °C"));
  EXPECT_THAT(text, HasSubstr("2026-11-21: clear, -1.5 to 10.0 °C, precipitation ? mm"));
  EXPECT_THAT(text, HasSubstr("2026-11-23: unknown, ? to ? °C"));
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_THAT(server.requests()[1].target, HasSubstr("latitude=37.5660&longitude=126.9784"));
  EXPECT_THAT(server.requests()[1].target, HasSubstr("forecast_days=3"));
}

TEST(Weather, UnknownPlacesAndNonsenseAreErrors) {
  HttpServer server([](const ServedRequest&) {
    return Json({{"results", {{{"latitude", 1e300}, {"longitude", "x"}}}}});
  });
  EXPECT_THAT(Use(WeatherTool("http://127.0.0.1:1", server.url()), {{"place", "Atlantis"}}),
              HasSubstr("no place called 'Atlantis'"));
  EXPECT_THAT(Use(WeatherTool("file:///etc/passwd?", ""), {{"place", "Seoul"}}),
              HasSubstr("not an http or https URL"));
}

}  // namespace
}  // namespace vade::qa
