#include "qa/tools/web_tools.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/remote/http_client.h"
#include "qa/tools/arguments.h"
#include "qa/tools/deadline.h"
#include "qa/tools/tool_output.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kTimeLimit(20);  // of one request
constexpr uint64_t kMaxBodyBytes = uint64_t{2} << 20;
constexpr size_t kMaxResults = 8;
constexpr size_t kMaxFieldBytes = 600;  // of one title or excerpt

std::string WithoutSlash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<json> GetJson(const std::string& url, const CancelToken* cancel) {
  const Deadline deadline(cancel, kTimeLimit);
  remote::HttpClient client;
  remote::HttpRequest request;
  request.url = url;
  request.headers = {"Accept: application/json"};
  request.max_redirects = 0;
  request.max_body_bytes = kMaxBodyBytes;
  request.cancel = deadline.token();
  const std::string shown = remote::ShownUrl(url);
  const auto response = client.Send(request);
  if (!response && response.error().code == ErrorCode::kCancelled && deadline.is_over()) {
    return Fail(ErrorCode::kUnavailable, shown + ": no answer within 20 s");
  }
  if (!response) return tl::unexpected(response.error());
  if (response->head.status != 200) {
    return Fail(ErrorCode::kUnavailable,
                shown + ": answered with status " + std::to_string(response->head.status));
  }
  auto parsed = ParseJson(response->body);
  if (!parsed) return Fail(shown, std::move(parsed).error());
  if (!parsed->is_object()) return Fail(ErrorCode::kUnavailable, shown + ": not a JSON object");
  return parsed;
}

/// A text of an answer: one line, not too long; empty if there is none.
std::string TextOf(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return "";
  std::string text = RemoveUnseen(object[key].get_ref<const std::string&>());
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > kMaxFieldBytes) {
    text.resize(utf8::FloorBoundary(text, kMaxFieldBytes));
    text += "...";
  }
  return text;
}

std::optional<double> NumberOf(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return {};
  return object[key].get<double>();
}

/// The member that has to be an array; an empty one otherwise.
json ListOf(const json& object, const char* key) {
  const bool has = object.is_object() && object.contains(key) && object[key].is_array();
  return has ? object[key] : json::array();
}

std::string Decimal(double value, int decimals) {
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::fixed, decimals);
  return error == std::errc() ? std::string(text.data(), end) : "?";
}

Result<std::string> SearchWeb(const std::string& url, const json& arguments,
                              const CancelToken* cancel) {
  const std::string query = arguments["query"];
  VADE_TRY(const json answer,
           GetJson(url + "/search?format=json&q=" + remote::EscapePath(query), cancel));
  std::string text;
  size_t count = 0;
  for (const json& result : ListOf(answer, "results")) {
    const std::string link = TextOf(result, "url");
    if (!link.starts_with("http://") && !link.starts_with("https://")) continue;
    if (++count > kMaxResults) break;
    text += std::to_string(count) + ". " + TextOf(result, "title") + "\n" + link + "\n" +
            TextOf(result, "content") + "\n";
  }
  return text.empty() ? "Nothing was found." : text;
}

// Codes of the WMO (table 4677) as these servers use them.
std::string_view WeatherName(int code) {
  struct Row {
    int last;
    std::string_view name;
  };
  constexpr Row kRows[] = {{0, "clear"},         {1, "mainly clear"}, {2, "partly cloudy"},
                           {3, "overcast"},      {48, "fog"},         {57, "drizzle"},
                           {67, "rain"},         {77, "snow"},        {82, "rain showers"},
                           {86, "snow showers"}, {99, "thunderstorm"}};
  const auto* row = std::ranges::find_if(kRows, [&](const Row& each) { return code <= each.last; });
  return code < 0 || row == std::end(kRows) ? "unknown" : row->name;
}

std::string Weather(const std::optional<double>& code) {
  return std::string(code && std::abs(*code) < 1000 ? WeatherName(static_cast<int>(*code))
                                                    : "unknown");
}

struct Place {
  double latitude = 0;
  double longitude = 0;
  std::string name;
};

Result<Place> FindPlace(const std::string& url, const std::string& name,
                        const CancelToken* cancel) {
  VADE_TRY(
      const json answer,
      GetJson(url + "/v1/search?count=1&format=json&name=" + remote::EscapePath(name), cancel));
  for (const json& result : ListOf(answer, "results")) {
    const auto latitude = NumberOf(result, "latitude");
    const auto longitude = NumberOf(result, "longitude");
    if (!latitude || !longitude || std::abs(*latitude) > 90 || std::abs(*longitude) > 180) continue;
    std::string shown = TextOf(result, "name");
    const std::string country = TextOf(result, "country");
    if (!country.empty()) shown += ", " + country;
    return Place{*latitude, *longitude, std::move(shown)};
  }
  return Fail(ErrorCode::kNotFound, "no place called '" + utf8::Escape(name) + "'");
}

std::string ShowCurrent(const json& current) {
  const auto value = [&](const char* key, int decimals) {
    const auto number = NumberOf(current, key);
    return number ? Decimal(*number, decimals) : "?";
  };
  return "now (" + TextOf(current, "time") + "): " + Weather(NumberOf(current, "weather_code")) +
         ", " + value("temperature_2m", 1) + " °C, humidity " + value("relative_humidity_2m", 0) +
         " %, wind " + value("wind_speed_10m", 1) + " km/h, precipitation " +
         value("precipitation", 1) + " mm\n";
}

std::string ShowDays(const json& daily) {
  const json days = ListOf(daily, "time");
  const auto value = [&](const char* key, size_t i) -> std::optional<double> {
    const json list = ListOf(daily, key);
    if (i >= list.size() || !list[i].is_number()) return {};
    return list[i].get<double>();
  };
  const auto shown = [&](const char* key, size_t i) {
    const auto number = value(key, i);
    return number ? Decimal(*number, 1) : "?";
  };
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(days.size(), 16); ++i) {
    if (!days[i].is_string()) continue;
    text += RemoveUnseen(days[i].get<std::string>().substr(0, 16)) + ": " +
            Weather(value("weather_code", i)) + ", " + shown("temperature_2m_min", i) + " to " +
            shown("temperature_2m_max", i) + " °C, precipitation " + shown("precipitation_sum", i) +
            " mm\n";
  }
  return text;
}

Result<std::string> ForecastWeather(const std::string& weather_url,
                                    const std::string& geocoding_url, const json& arguments,
                                    const CancelToken* cancel) {
  VADE_TRY(const Place place,
           FindPlace(geocoding_url, arguments["place"].get<std::string>(), cancel));
  const std::string url =
      weather_url + "/v1/forecast?latitude=" + Decimal(place.latitude, 4) +
      "&longitude=" + Decimal(place.longitude, 4) +
      "&timezone=auto&forecast_days=" + std::to_string(arguments.value("days", int64_t{3})) +
      "&current=temperature_2m,relative_humidity_2m,precipitation,weather_code,wind_speed_10m"
      "&daily=weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum";
  VADE_TRY(const json answer, GetJson(url, cancel));
  std::string text = place.name + "\n";
  if (answer.contains("current")) text += ShowCurrent(answer["current"]);
  if (answer.contains("daily")) text += ShowDays(answer["daily"]);
  return text;
}

}  // namespace

Tool WebSearchTool(std::string url) {
  Tool tool;
  tool.leaves_machine = true;
  tool.spec.name = "web_search";
  tool.spec.description =
      "Searches the web: titles, addresses and excerpts. The query leaves the user's machine: put "
      "nothing private into it, and use it only when the documents do not help.";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties", {{"query", {{"type", "string"}, {"minLength", 1}, {"maxLength", 400}}}}},
      {"required", {"query"}},
      {"additionalProperties",
       false}}.dump();
  tool.run = [url = WithoutSlash(std::move(url))](const json& arguments,
                                                  const CancelToken* cancel) {
    return SearchWeb(url, arguments, cancel);
  };
  return tool;
}

Tool WeatherTool(std::string weather_url, std::string geocoding_url) {
  Tool tool;
  tool.leaves_machine = true;
  tool.spec.name = "weather";
  tool.spec.description =
      "The weather at a place now and on the next days. The name of the place leaves the machine.";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties",
       {{"place",
         {{"type", "string"},
          {"minLength", 2},
          {"maxLength", 100},
          {"description", "name of a town"}}},
        {"days", {{"type", "integer"}, {"minimum", 1}, {"maximum", 7}}}}},
      {"required", {"place"}},
      {"additionalProperties",
       false}}.dump();
  if (geocoding_url.empty()) geocoding_url = weather_url;
  tool.run = [weather = WithoutSlash(std::move(weather_url)),
              geocoding = WithoutSlash(std::move(geocoding_url))](const json& arguments,
                                                                  const CancelToken* cancel) {
    return ForecastWeather(weather, geocoding, arguments, cancel);
  };
  return tool;
}

}  // namespace vade::qa
