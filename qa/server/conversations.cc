#include "qa/server/conversations.h"

#include <algorithm>
#include <utility>

#include "engine/base/random_id.h"

namespace vade::qa::server {

std::shared_ptr<Conversation> Conversations::Find(const std::string& id, const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return entry.conversation->id == id && entry.conversation->key == key;
  });
  if (at == entries_.end()) return nullptr;
  at->used = Clock::now();
  entries_.splice(entries_.begin(), entries_, at);
  return at->conversation;
}

std::shared_ptr<Conversation> Conversations::Start(const std::string& key, ChatHistory history) {
  auto conversation = std::make_shared<Conversation>();
  conversation->id = RandomId();
  conversation->key = key;
  conversation->history = std::move(history);
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  entries_.push_front({conversation, now});
  while (entries_.size() > kMax || entries_.back().used + kKept < now) entries_.pop_back();
  return conversation;
}

bool Conversations::Forget(const std::string& id, const std::string& key) {
  const std::lock_guard lock(mutex_);
  return entries_.remove_if([&](const Entry& entry) {
    return entry.conversation->id == id && entry.conversation->key == key;
  }) > 0;
}

}  // namespace vade::qa::server
