// Frames of JSON over a stream socket: four bytes of length, little endian, then the text. What the
// server and its runner processes speak.
#pragma once

#include <cstddef>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/base/result.h"
#include "engine/base/unique_fd.h"

namespace vade::qa {

/// Thread-safe: many senders, one receiver at a time. The other side's bytes are hostile.
class FrameSocket {
 public:
  static constexpr size_t kMaxFrameBytes = size_t{64} << 20;
  static constexpr int kMaxDepth = 32;            // of nested arrays and objects
  static constexpr int kSendTimeoutSeconds = 30;  // a peer that does not read is as good as dead

  explicit FrameSocket(UniqueFd fd);

  /// Errors: kResource for a frame above kMaxFrameBytes; kUnavailable when the peer is gone or does
  /// not read.
  [[nodiscard]] Result<void> Send(const nlohmann::json& message);

  /// The next frame, an object; nothing at the end of the stream.
  /// Errors: kCorruptData for a frame that is too long, cut, or no such JSON; kUnavailable.
  [[nodiscard]] Result<std::optional<nlohmann::json>> Receive();
  /// Bytes of the last frame received. For the receiver.
  [[nodiscard]] size_t frame_bytes() const noexcept { return frame_bytes_; }

  /// Ends the stream for both sides; a Receive in another thread returns.
  void Close() noexcept;

 private:
  [[nodiscard]] Result<size_t> ReadUpTo(char* into, size_t size);

  UniqueFd fd_;
  size_t frame_bytes_ = 0;
  std::mutex send_mutex_;
};

}  // namespace vade::qa
