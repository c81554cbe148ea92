// Exchange: the meeting point of a handler, which writes a reply on its worker, and the connection,
// which sends it from the network's thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "qa/server/http_message.h"

namespace vade::qa::server {

/// The handler's side (Reply) is for one thread, the connection's for another.
class Exchange : public Reply {
 public:
  /// `wake` is called, on the handler's thread, whenever there is something to send.
  explicit Exchange(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Send(Response response) override;
  void Begin(Response head, std::string heartbeat) override;
  bool Write(std::string_view piece) override;
  void End() override;
  [[nodiscard]] const std::shared_ptr<CancelToken>& shared_cancel() const override {
    return cancel_;
  }
  [[nodiscard]] bool begun() const override;

  // --- The connection's side
  struct Next {
    enum class Kind { kNothing, kWhole, kHead, kPiece, kEnd };
    Kind kind = Kind::kNothing;
    Response response;  // kWhole, kHead
    std::string piece;
  };
  [[nodiscard]] Next Take();
  [[nodiscard]] std::string heartbeat() const;
  /// Nobody reads any more: the handler is told and never waits again.
  void Abandon();
  /// Ask the handler to end; what it still writes is sent.
  void Cancel() { cancel_->Cancel(); }

 private:
  static constexpr size_t kMaxPending = size_t{1} << 20;  // bytes that wait for a slow client

  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable taken_;
  std::optional<Response> head_;
  std::string pending_;
  std::string heartbeat_;
  bool begun_ = false;
  bool whole_ = false;  // head_ is all there is
  bool ended_ = false;
  bool abandoned_ = false;
  const std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
};

}  // namespace vade::qa::server
