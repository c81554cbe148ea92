#include "qa/runner/frame_socket.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kStep = size_t{1} << 20;  // memory is taken as bytes come, not as they are claimed

tl::unexpected<Error> SocketError(const char* what) {
  return Fail(ErrorCode::kUnavailable,
              std::string("runner: ") + what + ": " + std::generic_category().message(errno));
}

Result<json> ParseObject(const std::string& text) {
  bool too_deep = false;
  const auto watch = [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth > FrameSocket::kMaxDepth;
    return !too_deep;
  };
  json message = json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep || !message.is_object()) {
    return Fail(ErrorCode::kCorruptData, "runner: got a frame that is no JSON object");
  }
  return message;
}

}  // namespace

FrameSocket::FrameSocket(UniqueFd fd) : fd_(std::move(fd)) {
  const timeval limit{kSendTimeoutSeconds, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

Result<void> FrameSocket::Send(const json& message) {
  const std::string text = message.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMaxFrameBytes) {
    return Fail(ErrorCode::kResource, "runner: got a message of " + std::to_string(text.size()) +
                                          " bytes, at most " + std::to_string(kMaxFrameBytes) +
                                          " fit");
  }
  std::string frame;
  frame.reserve(4 + text.size());
  for (int shift = 0; shift < 32; shift += 8) {
    frame.push_back(static_cast<char>(text.size() >> shift & 0xFF));
  }
  frame += text;
  const std::lock_guard lock(send_mutex_);
  for (size_t sent = 0; sent < frame.size();) {
    const ssize_t n = send(fd_.get(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      // Half a frame cannot be taken back: nothing after it would be understood.
      Close();
      return SocketError("sending");
    }
    sent += static_cast<size_t>(n);
  }
  return {};
}

Result<size_t> FrameSocket::ReadUpTo(char* into, size_t size) {
  size_t got = 0;
  while (got < size) {
    const ssize_t n = recv(fd_.get(), into + got, size - got, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != ECONNRESET) return SocketError("receiving");
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  return got;
}

Result<std::optional<json>> FrameSocket::Receive() {
  std::array<char, 4> head{};
  VADE_TRY(const size_t head_bytes, ReadUpTo(head.data(), head.size()));
  if (head_bytes == 0) return std::nullopt;
  size_t length = 0;
  for (size_t i = 0; i < head.size(); ++i) {
    length |= size_t{static_cast<uint8_t>(head[i])} << (8 * i);
  }
  if (head_bytes < head.size() || length > kMaxFrameBytes) {
    return Fail(ErrorCode::kCorruptData, "runner: got a frame of " + std::to_string(length) +
                                             " bytes, at most " + std::to_string(kMaxFrameBytes) +
                                             " are read");
  }
  std::string text;
  while (text.size() < length) {
    const size_t at = text.size();
    const size_t step = std::min(kStep, length - at);
    text.resize(at + step);
    VADE_TRY(const size_t got, ReadUpTo(text.data() + at, step));
    if (got < step) return Fail(ErrorCode::kCorruptData, "runner: got a frame that is cut off");
  }
  frame_bytes_ = length;
  VADE_TRY(json message, ParseObject(text));
  return std::optional<json>(std::move(message));
}

void FrameSocket::Close() noexcept { shutdown(fd_.get(), SHUT_RDWR); }

}  // namespace vade::qa
