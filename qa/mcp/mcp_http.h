// McpHttp: the streamable HTTP transport of the Model Context Protocol without its HTTP server.
//
// For the server: mount it at one path ("/mcp") for every method. Copy method, headers and body
// into an McpHttpRequest, call Handle on a thread that may block (a tool may take as long as an
// answer does), and send what comes back:
//   - status and headers, then
//   - `body` when `stream` is empty (Content-Length known; may be empty: 202, 204, 405), else
//   - no Content-Length, and `stream(write)` called once: `write` sends a piece (an SSE event) and
//     says false when the client is gone; when `stream` returns, the response is at its end.
// Cancel `request.cancel` when the client hangs up: the call stops within a fraction of a second.
// Host, Origin, token and body size are the server's to check, as for every route, before Handle
// (DNS rebinding: the specification demands the Origin check). The body limit should be at least
// kMaxMcpMessageBytes. A header "Mcp-Session-Id" in a reply has to reach a page of another origin
// only if such pages are let in at all (Access-Control-Expose-Headers).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/cancel.h"
#include "qa/mcp/mcp_session.h"
#include "qa/mcp/mcp_tools.h"

namespace vade::qa {

struct McpHttpRequest {
  std::string method;                          // "POST", "GET", "DELETE", ...
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::shared_ptr<CancelToken> cancel;  // set when the client is gone; may be null
};

struct McpHttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // with Content-Type when there is one
  std::string body;
  /// Called with a writer instead of sending `body`, if set.
  std::function<void(const std::function<bool(std::string_view)>& write)> stream;
};

struct McpHttpOptions {
  size_t max_sessions = 64;           // beyond, the one unused for longest is ended
  std::chrono::minutes max_idle{60};  // after which a session is ended
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

/// Thread-safe. Does not own the tools; outlives every `stream` it gave.
///
/// POST takes one message. A request is answered with JSON, or with an event stream when it has a
/// progress token and the client accepts one; anything else with 202. `initialize` starts a
/// session, whose id (128 random bits) every further request names: 400 without, 404 when it is not
/// known or has ended. GET is 405: the server starts no conversation of its own. DELETE ends a
/// session (204). 503 when every session is busy, 406 when the client accepts neither form, 415 for
/// another body than JSON, 400 for an unknown MCP-Protocol-Version.
class McpHttp {
 public:
  explicit McpHttp(const McpTools* tools, McpHttpOptions options = {})
      : tools_(tools), options_(std::move(options)) {}

  [[nodiscard]] McpHttpResponse Handle(const McpHttpRequest& request);

  /// Asks all running calls to stop: at the end of the server.
  void CancelAll();

  [[nodiscard]] size_t num_sessions() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Entry {
    std::shared_ptr<McpSession> session;
    Time last_used;
  };

  McpHttpResponse Post(const McpHttpRequest& request);
  McpHttpResponse Begin(const McpHttpRequest& request);
  McpHttpResponse Answer(const std::shared_ptr<McpSession>& session, const McpHttpRequest& request);
  McpHttpResponse End(const McpHttpRequest& request);
  std::shared_ptr<McpSession> Find(const McpHttpRequest& request, McpHttpResponse& refusal);
  /// Ends what has been idle; false if there is still no room.
  bool MakeRoom();

  const McpTools* tools_;
  McpHttpOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> sessions_;  // guarded by mutex_
};

}  // namespace vade::qa
