// Tools that leave the machine: a web search and the weather, by servers that the user has named.
// Nothing else is ever contacted: redirects are not followed, so that a server cannot send a
// request on into the user's own network.
#pragma once

#include <string>

#include "qa/tools/tool.h"

namespace vade::qa {

/// A SearXNG-compatible server: GET URL/search?q=...&format=json.
[[nodiscard]] Tool WebSearchTool(std::string url);

/// Open-Meteo-compatible servers: GET GEOCODING_URL/v1/search?name=... finds the place (the
/// weather server is asked when it is empty), GET WEATHER_URL/v1/forecast?... its weather.
[[nodiscard]] Tool WeatherTool(std::string weather_url, std::string geocoding_url);

}  // namespace vade::qa
