// A small HTTP server on 127.0.0.1 for tests: answers by a function of the test, and can break off
// in the middle as real ones do.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vade::testing {

struct ServedRequest {
  std::string method;
  std::string target;                          // with the query
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  [[nodiscard]] std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct ServedAnswer {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
  size_t cut_after = SIZE_MAX;  // bytes of the body that are sent before the connection is closed
  bool send_length = true;
  bool hang = false;                   // say nothing until the client goes or the test ends
  size_t piece_bytes = SIZE_MAX;       // of the body at once,
  std::chrono::milliseconds pause{0};  // and so long between pieces
};

class HttpServer {
 public:
  using Handler = std::function<ServedAnswer(const ServedRequest&)>;

  /// `handler` is called from several threads, one at a time.
  explicit HttpServer(Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "http://127.0.0.1:PORT"
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// All requests so far.
  [[nodiscard]] std::vector<ServedRequest> requests() const;

  /// Serves `body` as a file store does: ETag, ranges, If-Range. For handlers.
  [[nodiscard]] static ServedAnswer File(const ServedRequest& request, const std::string& body,
                                         const std::string& etag);

 private:
  void Accept();
  void Serve(int connection);
  // More of a request, or nothing when the client is gone or the test over.
  [[nodiscard]] std::string Receive(int connection) const;

  Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<ServedRequest> requests_;
  std::vector<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace vade::testing
