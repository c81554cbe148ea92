#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace vade::testing {
namespace {

bool SendAll(int connection, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t n = send(connection, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

ServedRequest ParseRequest(const std::string& text) {
  ServedRequest out;
  std::istringstream in(text);
  in >> out.method >> out.target;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line) && line != "\r") {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const size_t begin = line.find_first_not_of(' ', colon + 1);
    out.headers[name] = line.substr(begin, line.find('\r') - begin);
  }
  return out;
}

}  // namespace

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("test server");
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  for (std::thread& connection : connections_) connection.join();
}

std::vector<ServedRequest> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::Accept() {
  while (!stopping_) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    connections_.emplace_back([this, connection] {
      Serve(connection);
      close(connection);
    });
  }
}

std::string HttpServer::Receive(int connection) const {
  char buffer[4096];
  while (true) {
    pollfd ready{connection, POLLIN, 0};
    if (poll(&ready, 1, 20) == 0 && stopping_) return "";
    if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    const ssize_t n = recv(connection, buffer, sizeof buffer, 0);
    return n <= 0 ? "" : std::string(buffer, static_cast<size_t>(n));
  }
}

// One request a connection.
void HttpServer::Serve(int connection) {
  std::string text;
  size_t head_end = std::string::npos;
  while ((head_end = text.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = Receive(connection);
    if (more.empty()) return;
    text += more;
  }
  ServedRequest request = ParseRequest(text);
  request.body = text.substr(head_end + 4);
  const size_t length = std::strtoul(request.Header("content-length").c_str(), nullptr, 10);
  while (request.body.size() < length) {
    const std::string more = Receive(connection);
    if (more.empty()) return;
    request.body += more;
  }
  ServedAnswer answer;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    answer = handler_(request);
  }
  if (answer.hang) {
    while (!Receive(connection).empty()) {
    }
    return;
  }
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " x\r\nConnection: close\r\n";
  if (answer.send_length) head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  if (!SendAll(connection, head + "\r\n") || request.method == "HEAD") return;
  const std::string body = answer.body.substr(0, answer.cut_after);
  for (size_t at = 0; at < body.size() && !stopping_;) {
    const size_t count = std::min(answer.piece_bytes, body.size() - at);
    if (!SendAll(connection, body.substr(at, count))) return;
    at += count;
    std::this_thread::sleep_for(answer.pause);
  }
}

ServedAnswer HttpServer::File(const ServedRequest& request, const std::string& body,
                              const std::string& etag) {
  ServedAnswer out{.headers = {{"ETag", etag}}};
  unsigned long first = 0;
  unsigned long last = 0;
  const std::string condition = request.Header("if-range");
  const bool ranged =
      std::sscanf(request.Header("range").c_str(), "bytes=%lu-%lu", &first, &last) == 2;
  if (!ranged || (!condition.empty() && condition != etag)) {
    out.body = body;
    return out;
  }
  if (first >= body.size()) return {.status = 416};
  last = std::min<unsigned long>(last, body.size() - 1);
  out.status = 206;
  out.body = body.substr(first, last - first + 1);
  out.headers["Content-Range"] = "bytes " + std::to_string(first) + "-" + std::to_string(last) +
                                 "/" + std::to_string(body.size());
  return out;
}

}  // namespace vade::testing
