// HttpServer: connections in, requests to a handler, replies out. One thread of coroutines does all
// the network, so that thousands of slow clients cost no threads; handlers run on workers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "qa/server/http_message.h"

namespace vade::qa::server {

struct HttpLimits {
  size_t max_connections = 1024;  // the longest idle one makes room for a new one
  size_t max_threads = 64;        // handlers that run at once
  size_t max_queue = 32;          // requests that wait for a thread; then 503
  size_t header_bytes = size_t{32} << 10;
  size_t body_bytes = size_t{16} << 20;
  std::chrono::milliseconds header_time{10'000};  // from the first byte to the last
  std::chrono::milliseconds body_time{30'000};
  std::chrono::milliseconds idle_time{60'000};   // between two requests
  std::chrono::milliseconds write_time{30'000};  // a client that takes nothing for so long is gone
  std::chrono::milliseconds drain_time{10'000};  // for requests in flight when the server stops
  std::chrono::milliseconds heartbeat{15'000};
};

/// What became of a request, for logs and metrics.
struct Access {
  const Request& request;
  int status = 0;
  uint64_t body_bytes = 0;
  double ms = 0;
  bool client_gone = false;
};

struct HttpCallbacks {
  /// Runs on the network's thread, so at once: refuses (true: replied), or names the key.
  std::function<bool(Request&, Reply&)> admit;
  /// Runs on a worker; may throw (then 500).
  std::function<void(Request&, Reply&)> handle;
  /// Called once per request, when its reply is out. Any thread.
  std::function<void(const Access&)> done;
  /// A reply in the API's own words: the server's errors look like the handler's.
  std::function<Response(const Request&, int status, const std::string& message)> error;
};

class HttpServer {
 public:
  /// Binds. Errors: kIo "address in use", "permission denied", "no such address".
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> Listen(const std::string& host,
                                                                  uint16_t port,
                                                                  const HttpLimits& limits,
                                                                  HttpCallbacks callbacks);
  virtual ~HttpServer() = default;

  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Serves until Stop, or SIGINT or SIGTERM with `handle_signals`; then takes no more, gives what
  /// is in flight drain_time to end, cancels the rest, and returns. A second signal ends the
  /// process at once.
  virtual void Run(bool handle_signals) = 0;
  /// Any thread.
  virtual void Stop() = 0;

  struct Load {
    size_t connections = 0;
    size_t running = 0;
    size_t queued = 0;
  };
  [[nodiscard]] virtual Load load() const = 0;
};

}  // namespace vade::qa::server
