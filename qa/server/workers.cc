#include "qa/server/workers.h"

#include <utility>

namespace vade::qa::server {

bool Workers::Submit(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (tasks_.size() >= idle_) {  // nobody is free for this one
    if (threads_.size() < max_threads_) {
      threads_.emplace_back([this] { Run(); });
      ++idle_;
    } else if (tasks_.size() >= idle_ + max_queue_) {
      return false;
    }
  }
  tasks_.push_back(std::move(task));
  ready_.notify_one();
  return true;
}

void Workers::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ready_.wait(lock, [&] { return closed_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    --idle_;
    ++running_;
    lock.unlock();
    task();
    task = nullptr;  // what it holds goes before the next wait
    lock.lock();
    --running_;
    ++idle_;
  }
}

void Workers::Join() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    threads.swap(threads_);
    ready_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

size_t Workers::queued() const {
  const std::lock_guard lock(mutex_);
  return tasks_.size();
}

size_t Workers::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

}  // namespace vade::qa::server
