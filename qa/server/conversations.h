// Conversations that the server remembers for a while, so that a follow-up needs only its words.
#pragma once

#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "qa/chat/history.h"

namespace vade::qa::server {

struct Conversation {
  std::string id;
  std::string key;   // whose it is
  std::mutex mutex;  // one question at a time
  ChatHistory history;
};

/// Thread-safe. The longest unused ones are forgotten.
class Conversations {
 public:
  using Clock = std::chrono::steady_clock;

  /// Null when there is none, or it is another's.
  [[nodiscard]] std::shared_ptr<Conversation> Find(const std::string& id, const std::string& key);
  [[nodiscard]] std::shared_ptr<Conversation> Start(const std::string& key, ChatHistory history);
  [[nodiscard]] bool Forget(const std::string& id, const std::string& key);

 private:
  struct Entry {
    std::shared_ptr<Conversation> conversation;
    Clock::time_point used;
  };
  static constexpr size_t kMax = 512;
  static constexpr std::chrono::hours kKept{2};

  std::mutex mutex_;
  std::list<Entry> entries_;  // latest first
};

}  // namespace vade::qa::server
