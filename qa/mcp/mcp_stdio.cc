#include "qa/mcp/mcp_stdio.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/file.h"
#include "qa/mcp/mcp_session.h"

namespace vade::qa {
namespace {

constexpr size_t kWorkers = 4;
constexpr int kLookAroundMs = 250;  // how soon a signal is noticed while nothing comes in

/// Whole lines to the client, from any thread.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}

  bool Send(const std::string& message) {
    const std::lock_guard lock(mutex_);
    const std::string line = message + "\n";
    for (size_t done = 0; !broken_ && done < line.size();) {
      const ssize_t n = write(fd_, line.data() + done, line.size() - done);
      if (n > 0) done += static_cast<size_t>(n);
      if (n < 0 && errno != EINTR) broken_ = true;
    }
    return !broken_;
  }
  [[nodiscard]] bool broken() const {
    const std::lock_guard lock(mutex_);
    return broken_;
  }

 private:
  const int fd_;
  mutable std::mutex mutex_;
  bool broken_ = false;
};

/// Work of one session on a few threads. How much can wait is limited by the session.
class Workers {
 public:
  explicit Workers(Output& output) : output_(output) {
    for (size_t i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void Add(McpWork work) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(work));
    }
    changed_.notify_all();
  }
  /// Is everything done? Waits a moment for it.
  bool WaitForEnd() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(kLookAroundMs),
                             [this] { return waiting_.empty() && busy_ == 0; });
  }

 private:
  void Run() {
    for (;;) {
      McpWork work;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        work = std::move(waiting_.front());
        waiting_.pop_front();
        ++busy_;
      }
      const auto reply = work.run([this](const std::string& note) { return output_.Send(note); });
      if (reply) output_.Send(*reply);
      work = {};  // its place in the session is free before it counts as done
      {
        const std::lock_guard lock(mutex_);
        --busy_;
      }
      changed_.notify_all();
    }
  }

  Output& output_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<McpWork> waiting_;
  size_t busy_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

/// Bytes in, lines out; of a line that is too long only as much is kept as shows that it is.
class Lines {
 public:
  template <typename Take>
  void Add(std::string_view bytes, const Take& take) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      line_.append(part.substr(0, std::min(part.size(), kMaxMcpMessageBytes + 1 - line_.size())));
      if (end == std::string_view::npos) return;
      if (line_.find_first_not_of(" \t\r") != std::string::npos) take(line_);
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
  }
  /// A last line without its end is none: a message that was cut off.
 private:
  std::string line_;
};

}  // namespace

Result<void> ServeMcpStdio(const McpTools& tools, int input, int output, const CancelToken& stop) {
  McpSession session(&tools);
  Output out(output);
  Workers workers(out);
  Lines lines;
  std::vector<char> buffer(size_t{64} << 10);
  for (;;) {
    pollfd wait{input, POLLIN, 0};
    const int ready = poll(&wait, 1, kLookAroundMs);
    if (stop.cancelled() || out.broken()) break;
    if (ready <= 0) continue;
    const ssize_t n = read(input, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      session.CancelAll();
      return tl::unexpected(ErrnoError("standard input", errno));
    }
    if (n == 0) break;
    lines.Add({buffer.data(), static_cast<size_t>(n)}, [&](const std::string& line) {
      McpWork work = session.Read(line);
      if (!work.is_quick) return workers.Add(std::move(work));
      const auto reply = work.run([&](const std::string& note) { return out.Send(note); });
      if (reply) out.Send(*reply);
    });
  }
  while (!workers.WaitForEnd()) {
    if (stop.cancelled() || out.broken()) session.CancelAll();
  }
  if (stop.cancelled()) return Fail(ErrorCode::kCancelled, "interrupted");
  if (out.broken()) return Fail(ErrorCode::kIo, "the client has closed standard output");
  return {};
}

}  // namespace vade::qa
