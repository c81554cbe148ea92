// RawHttp: a connection to a server under test that sends whatever bytes a test wants.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/base/unique_fd.h"

namespace vade::testing {

struct RawAnswer {
  int status = 0;                              // 0: no answer at all
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // chunks joined

  [[nodiscard]] std::string Header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

class RawHttp {
 public:
  /// Waits `patience` seconds for what it reads.
  explicit RawHttp(uint16_t port, int patience = 20)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval timeout{patience, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    connected_ =
        connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  [[nodiscard]] bool connected() const { return connected_; }
  /// False: the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  /// One answer; the connection stays.
  RawAnswer Read() {
    RawAnswer answer;
    size_t end = 0;
    while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return answer;
    }
    ParseHead(pending_.substr(0, end + 2), answer);
    pending_.erase(0, end + 4);
    if (answer.status == 100) return Read();
    if (answer.Header("transfer-encoding") == "chunked") {
      ReadChunks(answer);
    } else if (const std::string length = answer.Header("content-length"); !length.empty()) {
      const size_t size = std::stoul(length);
      while (pending_.size() < size && Fill()) {
      }
      answer.body = pending_.substr(0, size);
      pending_.erase(0, size);
    }
    return answer;
  }
  RawAnswer Ask(std::string_view bytes) {
    Send(bytes);
    return Read();
  }
  /// The next bytes, whatever they are; empty at the end.
  std::string ReadSome() {
    if (pending_.empty()) Fill();
    return std::exchange(pending_, "");
  }
  /// Everything until the server closes.
  std::string ReadToEnd() {
    while (Fill()) {
    }
    return std::exchange(pending_, "");
  }
  void Close() { socket_.reset(); }

 private:
  bool Fill() {
    char buffer[65536];
    const ssize_t size = recv(socket_.get(), buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    pending_.append(buffer, static_cast<size_t>(size));
    return true;
  }
  static void ParseHead(const std::string& head, RawAnswer& answer) {
    answer.status = std::stoi(head.substr(9, 3));
    for (size_t begin = head.find("\r\n") + 2; begin < head.size();) {
      const size_t end = head.find("\r\n", begin);
      const std::string line = head.substr(begin, end - begin);
      const size_t colon = line.find(": ");
      std::string name = line.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      answer.headers[name] = colon == std::string::npos ? "" : line.substr(colon + 2);
      begin = end + 2;
    }
  }
  void ReadChunks(RawAnswer& answer) {
    while (true) {
      size_t end = 0;
      while ((end = pending_.find("\r\n")) == std::string::npos) {
        if (!Fill()) return;
      }
      const size_t size = std::stoul(pending_.substr(0, end), nullptr, 16);
      while (pending_.size() < end + 2 + size + 2) {
        if (!Fill()) return;
      }
      answer.body += pending_.substr(end + 2, size);
      pending_.erase(0, end + 2 + size + 2);
      if (size == 0) return;
    }
  }

  UniqueFd socket_;
  bool connected_ = false;
  std::string pending_;
};

/// "POST path" with a JSON body, to localhost.
inline std::string JsonRequest(std::string_view method, std::string_view path,
                               std::string_view body = "", std::string_view headers = "") {
  std::string out = std::string(method) + " " + std::string(path) +
                    " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers);
  if (!body.empty()) {
    out +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return out + "\r\n" + std::string(body);
}

}  // namespace vade::testing
