// What a handler sees of HTTP: a request that has wholly arrived, and the reply it writes.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/cancel.h"

namespace vade::qa::server {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;                          // "GET"
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // decoded; the last of each name
  std::map<std::string, std::string> params;   // of the route: {name} -> its part of the path
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string id;   // of this request, in logs and in X-Request-Id
  std::string key;  // name of the API key it came with; "local" without keys

  /// Empty when absent.
  [[nodiscard]] std::string_view Header(const std::string& lower_case_name) const {
    const auto at = headers.find(lower_case_name);
    return at == headers.end() ? std::string_view() : std::string_view(at->second);
  }
  /// Does the client want Server-Sent Events?
  [[nodiscard]] bool WantsEvents() const {
    return Header("accept").find("text/event-stream") != std::string_view::npos;
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers = {};
};

/// The reply to one request, written by one handler on one thread: either Send once, or Begin, any
/// number of Writes, and End. All return at once except Write, which waits for a slow client.
class Reply {
 public:
  virtual ~Reply() = default;

  virtual void Send(Response response) = 0;

  /// A body that comes in pieces. `heartbeat` is sent whenever nothing else was for a while, so
  /// that no proxy thinks the connection dead; empty: none.
  virtual void Begin(Response head, std::string heartbeat = "") = 0;
  /// False: the client has gone (or is too slow to be waited for); what follows is lost.
  virtual bool Write(std::string_view piece) = 0;
  virtual void End() = 0;

  /// Set when the client has gone, the server stops or the time is up.
  [[nodiscard]] const CancelToken& cancel() const { return *shared_cancel(); }
  [[nodiscard]] virtual const std::shared_ptr<CancelToken>& shared_cancel() const = 0;
  /// Begun or sent?
  [[nodiscard]] virtual bool begun() const = 0;
};

}  // namespace vade::qa::server
