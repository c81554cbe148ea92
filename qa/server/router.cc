#include "qa/server/router.h"

#include <map>
#include <utility>

namespace vade::qa::server {
namespace {

std::string_view NextSegment(std::string_view& rest) {
  rest.remove_prefix(1);  // the slash
  const std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

std::optional<std::map<std::string, std::string>> MatchPath(std::string_view pattern,
                                                            std::string_view path) {
  std::map<std::string, std::string> params;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view all = path.substr(1);
    const std::string_view want = NextSegment(pattern);
    const std::string_view got = NextSegment(path);
    if (!want.starts_with('{')) {
      if (want != got) return std::nullopt;
    } else if (want.ends_with("...}")) {
      if (all.empty()) return std::nullopt;
      params[std::string(want.substr(1, want.size() - 5))] = all;
      return params;
    } else {
      if (got.empty()) return std::nullopt;
      params[std::string(want.substr(1, want.size() - 2))] = got;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return params;
}

}  // namespace

void Router::Add(std::string method, std::string pattern, Handler handler) {
  routes_.push_back({std::move(method), std::move(pattern), std::move(handler)});
}

Router::Match Router::Find(Request& request) const {
  Match match;
  for (const Route& route : routes_) {
    auto params = MatchPath(route.pattern, request.path);
    if (!params) continue;
    match.path_known = true;
    const bool same =
        route.method == request.method || (request.method == "HEAD" && route.method == "GET");
    if (!same) continue;
    match.route = &route;
    request.params = *std::move(params);
    return match;
  }
  return match;
}

}  // namespace vade::qa::server
