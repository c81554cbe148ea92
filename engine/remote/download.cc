// A few threads take pieces in order; the caller's thread watches.
#include "engine/remote/download.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/memory_info.h"
#include "engine/base/utf8.h"
#include "engine/remote/http_client.h"
#include "engine/remote/part_file.h"

namespace vade::remote {
namespace {

using namespace std::chrono_literals;

constexpr auto kWatchInterval = 100ms;
constexpr auto kLongestDelay = std::chrono::milliseconds(60'000);

// How a request for a piece ended.
enum class Outcome { kDone, kRetry, kFatal, kNoRanges, kChanged };

class Transfer {
 public:
  Transfer(const RemoteFile& file, const DownloadOptions& options, PartFile& part)
      : file_(file), options_(options), part_(part), bytes_done_(part.bytes_done()) {}

  /// All pieces that are not there. Where the server sends no ranges, the whole file at once.
  Result<void> Run() {
    RunThreads();
    if (outcome_ == Outcome::kNoRanges) {
      Note("the server sends no ranges: one connection, from the beginning");
      part_.StartAgain();
      bytes_done_ = 0;
      outcome_ = Outcome::kDone;
      std::thread whole([this] { Whole(); });
      Watch();
      whole.join();
    }
    if (outcome_ == Outcome::kDone) return {};
    if (outcome_ == Outcome::kChanged) part_.Discard();
    return tl::unexpected(std::move(error_));
  }

 private:
  void Note(const std::string& text) const {
    if (options_.on_note) options_.on_note(text);
  }

  [[nodiscard]] bool cancelled() const {
    return options_.cancel != nullptr && options_.cancel->cancelled();
  }

  void RunThreads() {
    const size_t count =
        std::clamp<size_t>(options_.num_connections, 1, std::max<size_t>(1, part_.num_pieces()));
    running_ = count;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back([this] { Work(); });
    Watch();
    for (std::thread& thread : threads) thread.join();
  }

  // Until the threads are through. Their requests look at options_.cancel and stop_ themselves.
  void Watch() {
    std::unique_lock lock(mutex_);
    while (!finished_.wait_for(lock, kWatchInterval, [this] { return running_ == 0; })) {
      if (cancelled()) stop_.Cancel();
      lock.unlock();
      if (options_.on_progress) options_.on_progress(bytes_done_, file_.size_bytes);
      lock.lock();
    }
    running_ = 1;  // for a second round
  }

  void Leave() {
    const std::lock_guard lock(mutex_);
    --running_;
    finished_.notify_all();
  }

  // The first thread to fail says why, and stops the others.
  void Stop(Outcome outcome, Error error) {
    const std::lock_guard lock(mutex_);
    if (outcome_ != Outcome::kDone) return;
    outcome_ = outcome;
    error_ = std::move(error);
    stop_.Cancel();
  }

  std::optional<size_t> NextPiece() {
    const std::lock_guard lock(mutex_);
    while (next_ < part_.num_pieces() && part_.IsDone(next_)) ++next_;
    if (next_ == part_.num_pieces() || stop_.cancelled() || cancelled()) return std::nullopt;
    return next_++;
  }

  void Work() {
    HttpClient client;
    while (const std::optional<size_t> piece = NextPiece()) {
      if (!Fetch(client, *piece)) break;
    }
    if (cancelled()) Stop(Outcome::kFatal, {ErrorCode::kCancelled, "interrupted"});
    Leave();
  }

  // A piece with all its attempts. What an attempt got is not asked for again.
  bool Fetch(HttpClient& client, size_t piece) {
    uint64_t at = part_.BeginOf(piece);
    const uint64_t end = part_.EndOf(piece);
    for (size_t attempt = 1;; ++attempt) {
      const uint64_t before = at;
      Error error;
      const Outcome outcome = Request(client, at, end, error);
      if (outcome == Outcome::kDone) break;
      if (at > before) attempt = 1;  // it goes on, if slowly
      if (outcome != Outcome::kRetry || attempt >= options_.max_attempts) {
        Stop(outcome == Outcome::kRetry ? Outcome::kFatal : outcome, std::move(error));
        return false;
      }
      if (!WaitBefore(attempt)) return false;
    }
    const std::lock_guard lock(mutex_);
    auto marked = part_.MarkDone(piece);
    if (marked) return true;
    if (outcome_ == Outcome::kDone) {
      outcome_ = Outcome::kFatal;
      error_ = std::move(marked).error();
      stop_.Cancel();
    }
    return false;
  }

  // Doubles, with jitter so that many clients do not come back at once. False when stopped.
  bool WaitBefore(size_t attempt) {
    std::random_device random;
    const double jitter = 0.75 + 0.5 * (random() % 1000) / 1000.0;
    const auto doubled = options_.retry_delay * (int64_t{1} << std::min<size_t>(attempt - 1, 10));
    const auto delay = std::chrono::duration_cast<std::chrono::milliseconds>(
        jitter * std::min(std::max(doubled, retry_after_.load()), kLongestDelay));
    const auto until = std::chrono::steady_clock::now() + delay;
    std::unique_lock lock(mutex_);
    while (std::chrono::steady_clock::now() < until) {
      if (stop_.cancelled() || cancelled()) return false;
      finished_.wait_for(lock, std::min(delay, kWatchInterval));
    }
    return true;
  }

  // Bytes [at, end); `at` moves on with what came.
  Outcome Request(HttpClient& client, uint64_t& at, uint64_t end, Error& error) {
    HttpRequest request{.url = file_.url, .bearer = file_.bearer, .cancel = &stop_};
    request.headers.push_back("Range: bytes=" + std::to_string(at) + "-" + std::to_string(end - 1));
    const bool strong = !file_.etag.empty() && !file_.etag.starts_with("W/");
    if (strong) request.headers.push_back("If-Range: " + file_.etag);
    Outcome outcome = Outcome::kRetry;
    request.on_head = [&](const HttpHead& head) -> Result<void> {
      outcome = Judge(head, at);
      if (outcome == Outcome::kDone) return {};
      return Fail(ErrorCode::kUnavailable, Reason(head, outcome));
    };
    request.on_body = [&](std::span<const std::byte> bytes) -> Result<void> {
      if (bytes.size() > end - at) {
        return Fail(ErrorCode::kUnavailable, "sends more than the range asked for");
      }
      auto written = part_.Write(at, bytes);
      if (!written) outcome = Outcome::kFatal;
      if (!written) return written;
      at += bytes.size();
      bytes_done_ += bytes.size();
      return {};
    };
    const auto response = client.Send(request);
    if (response && at == end) return Outcome::kDone;
    error = response ? Error{ErrorCode::kUnavailable,
                             ShownUrl(file_.url) + ": ends after " + std::to_string(at) + " bytes"}
                     : response.error();
    if (error.code == ErrorCode::kInvalidArgument) return Outcome::kFatal;
    // A transfer that was judged well and then broke off is worth another try.
    return outcome == Outcome::kDone ? Outcome::kRetry : outcome;
  }

  // What the head of an answer to a request for a range that begins at `at` means.
  Outcome Judge(const HttpHead& head, uint64_t at) {
    const std::string etag = head.Header("etag");
    const bool other = !file_.etag.empty() && !etag.empty() && etag != file_.etag;
    if (head.status == 206) {
      const std::string want = "bytes " + std::to_string(at) + "-";
      const std::string range = head.Header("content-range");
      const std::string size = "/" + std::to_string(file_.size_bytes);
      if (other || !range.ends_with(size)) return Outcome::kChanged;
      return range.starts_with(want) ? Outcome::kDone : Outcome::kFatal;
    }
    if (head.status == 200) {
      const std::string length = head.Header("content-length");
      const bool same_size = length.empty() || length == std::to_string(file_.size_bytes);
      return other || !same_size ? Outcome::kChanged : Outcome::kNoRanges;
    }
    if (head.status == 416) return Outcome::kChanged;
    const bool again = head.status == 408 || head.status == 429 || head.status >= 500;
    if (again) RememberRetryAfter(head);
    return again ? Outcome::kRetry : Outcome::kFatal;
  }

  void RememberRetryAfter(const HttpHead& head) {
    const std::string text = head.Header("retry-after");
    uint64_t seconds = 0;
    for (const char c : text) {
      if (c < '0' || c > '9' || seconds > 3600) return;  // a date: the usual delay will do
      seconds = seconds * 10 + static_cast<uint64_t>(c - '0');
    }
    retry_after_ = std::chrono::milliseconds(seconds * 1000);
  }

  [[nodiscard]] static std::string Reason(const HttpHead& head, Outcome outcome) {
    const std::string status = "status " + std::to_string(head.status);
    if (outcome == Outcome::kChanged) {
      return status + ": the file changed on the server; what was here is removed, run it again";
    }
    if (outcome == Outcome::kNoRanges) return status + ": no ranges";
    if (head.status == 401 || head.status == 403)
      return status + ": needs a token that may read it";
    return status;
  }

  // Without ranges there is nothing to go on with: each attempt begins anew.
  void Whole() {
    HttpClient client;
    for (size_t attempt = 1;; ++attempt) {
      Error error;
      const Outcome outcome = RequestWhole(client, error);
      if (outcome == Outcome::kDone) break;
      if (outcome == Outcome::kFatal || attempt >= options_.max_attempts || cancelled()) {
        Stop(outcome == Outcome::kChanged ? outcome : Outcome::kFatal, std::move(error));
        break;
      }
      if (!WaitBefore(attempt)) {
        Stop(Outcome::kFatal, {ErrorCode::kCancelled, "interrupted"});
        break;
      }
    }
    Leave();
  }

  Outcome RequestWhole(HttpClient& client, Error& error) {
    bytes_done_ = 0;
    Outcome outcome = Outcome::kRetry;
    HttpRequest request{.url = file_.url, .bearer = file_.bearer, .cancel = options_.cancel};
    request.on_head = [&](const HttpHead& head) -> Result<void> {
      outcome = Judge(head, 0);
      if (head.status == 200 && outcome == Outcome::kNoRanges) return {};
      return Fail(ErrorCode::kUnavailable, Reason(head, outcome));
    };
    request.on_body = [&](std::span<const std::byte> bytes) -> Result<void> {
      if (bytes.size() > file_.size_bytes - bytes_done_) {
        return Fail(ErrorCode::kUnavailable, "sends more than the file's size");
      }
      auto written = part_.Write(bytes_done_, bytes);
      if (written) bytes_done_ += bytes.size();
      if (!written) outcome = Outcome::kFatal;
      return written;
    };
    const auto response = client.Send(request);
    if (response && bytes_done_ == file_.size_bytes) return Outcome::kDone;
    error = response ? Error{ErrorCode::kUnavailable, ShownUrl(file_.url) + ": ends after " +
                                                          std::to_string(bytes_done_) + " bytes"}
                     : response.error();
    return outcome == Outcome::kNoRanges ? Outcome::kRetry : outcome;
  }

  const RemoteFile& file_;
  const DownloadOptions& options_;
  PartFile& part_;
  std::atomic<uint64_t> bytes_done_;
  std::atomic<std::chrono::milliseconds> retry_after_{0ms};
  CancelToken stop_;  // of all threads
  std::mutex mutex_;
  std::condition_variable finished_;
  size_t running_ = 0;                // guarded by mutex_, as all below
  size_t next_ = 0;                   // piece
  Outcome outcome_ = Outcome::kDone;  // until one fails
  Error error_;
};

Result<void> Verify(const RemoteFile& file, PartFile& part) {
  std::string beginning;
  VADE_TRY(const std::string hash, part.Hash(beginning));
  if (!file.sha256.empty() && hash != file.sha256) {
    part.Discard();
    return Fail(ErrorCode::kUnavailable,
                ShownUrl(file.url) + ": sha256 is " + hash + ", want " + file.sha256 + ": removed");
  }
  if (beginning.starts_with(file.beginning)) return {};
  part.Discard();
  return Fail(ErrorCode::kUnavailable, ShownUrl(file.url) + ": begins with \"" +
                                           utf8::Escape(beginning) + "\", want \"" +
                                           file.beginning + "\": removed");
}

}  // namespace

Result<void> Download(const RemoteFile& file, const std::filesystem::path& out,
                      const DownloadOptions& options) {
  std::error_code ignored;
  if (!options.replace && std::filesystem::exists(out, ignored)) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(out.native()) + ": exists already");
  }
  const std::string identity = !file.sha256.empty() ? file.sha256 : file.etag;
  VADE_TRY(PartFile part, PartFile::Open(out, identity, file.size_bytes,
                                         std::max<uint64_t>(1, options.piece_bytes)));
  if (const uint64_t done = part.bytes_done(); done > 0 && options.on_note) {
    options.on_note("goes on at " + FormatBytes(done) + " of " + FormatBytes(file.size_bytes));
  }
  VADE_CHECK_OK(Transfer(file, options, part).Run());
  VADE_CHECK_OK(Verify(file, part));
  return part.Commit(options.replace);
}

}  // namespace vade::remote
