// Router: method and path -> the handler of that route.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qa/server/http_message.h"

namespace vade::qa::server {

using Handler = std::function<void(const Request&, Reply&)>;

struct Route {
  std::string method;
  std::string pattern;  // "/api/v1/documents/{id}/pages/{n}"; {name...} at its end takes the rest
  Handler handler;
};

/// Built once, then thread-safe.
class Router {
 public:
  void Add(std::string method, std::string pattern, Handler handler);

  struct Match {
    const Route* route = nullptr;
    bool path_known = false;  // with another method
  };
  /// Fills request.params. HEAD is answered by GET's handler.
  [[nodiscard]] Match Find(Request& request) const;

  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace vade::qa::server
