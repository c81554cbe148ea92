#include "qa/server/exchange.h"

#include <utility>

namespace vade::qa::server {

void Exchange::Send(Response response) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_) return;
    begun_ = whole_ = ended_ = true;
    head_ = std::move(response);
  }
  wake_();
}

void Exchange::Begin(Response head, std::string heartbeat) {
  {
    const std::lock_guard lock(mutex_);
    if (begun_) return;
    begun_ = true;
    head_ = std::move(head);
    heartbeat_ = std::move(heartbeat);
  }
  wake_();
}

bool Exchange::Write(std::string_view piece) {
  {
    std::unique_lock lock(mutex_);
    taken_.wait(lock, [&] { return abandoned_ || pending_.size() < kMaxPending; });
    if (abandoned_) return false;
    pending_ += piece;
  }
  wake_();
  return true;
}

void Exchange::End() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
  }
  wake_();
}

bool Exchange::begun() const {
  const std::lock_guard lock(mutex_);
  return begun_;
}

Exchange::Next Exchange::Take() {
  const std::lock_guard lock(mutex_);
  Next next;
  if (head_) {
    next.kind = whole_ ? Next::Kind::kWhole : Next::Kind::kHead;
    next.response = *std::exchange(head_, std::nullopt);
  } else if (!pending_.empty()) {
    next.kind = Next::Kind::kPiece;
    next.piece.swap(pending_);
    taken_.notify_all();
  } else if (ended_) {
    next.kind = Next::Kind::kEnd;
  }
  return next;
}

std::string Exchange::heartbeat() const {
  const std::lock_guard lock(mutex_);
  return heartbeat_;
}

void Exchange::Abandon() {
  cancel_->Cancel();
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  taken_.notify_all();
}

}  // namespace vade::qa::server
