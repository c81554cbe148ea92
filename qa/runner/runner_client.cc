#include "qa/runner/runner_client.h"

#include <algorithm>
#include <utility>

#include "qa/runner/field_reader.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr uint64_t kHandshake = 0;                    // the id of frames before the first request
constexpr size_t kMaxQueuedBytes = size_t{64} << 20;  // per call, of frames nobody has taken yet
constexpr size_t kFrameOverhead = 256;
constexpr milliseconds kCancelPoll{20};  // a cancel token cannot wake anybody
constexpr milliseconds kCancelGrace{15'000};
constexpr milliseconds kAnswerTime{60'000};       // for counting and the like
constexpr milliseconds kWorkTime{24 * 3600'000};  // for work of unknown length

json TextsOf(std::span<const std::string> texts) {
  return json(std::vector<std::string>(texts.begin(), texts.end()));
}

Result<json> Unwrap(json frame) {
  if (frame.value("op", json()) == "error") {
    return tl::unexpected(ErrorFromJson(frame.value("error", json())));
  }
  return frame;
}

}  // namespace

// Frames of an id reach its call while this lives.
class RunnerClient::Registration {
 public:
  Registration(RunnerClient& client, uint64_t id) : client_(client), id_(id) {
    const std::lock_guard lock(client_.mutex_);
    client_.calls_.emplace(id_, call_);
  }
  ~Registration() {
    const std::lock_guard lock(client_.mutex_);
    client_.calls_.erase(id_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  [[nodiscard]] Call& call() const { return *call_; }

 private:
  RunnerClient& client_;
  uint64_t id_;
  std::shared_ptr<Call> call_ = std::make_shared<Call>();
};

RunnerClient::RunnerClient(RunnerProcess process, std::string name)
    : name_(std::move(name)), pid_(process.pid), socket_(std::move(process.socket)) {
  calls_.emplace(kHandshake, std::make_shared<Call>());
  reader_ = std::thread([this] { ReadLoop(); });
}

RunnerClient::~RunnerClient() {
  socket_.Close();  // the reader ends and takes the process with it
  reader_.join();
}

bool RunnerClient::alive() const {
  const std::lock_guard lock(mutex_);
  return !dead_;
}

tl::unexpected<Error> RunnerClient::Gone() const {
  return Fail(ErrorCode::kUnavailable, "the runner of '" + name_ + "' ended (" + end_ + ")");
}

void RunnerClient::ReadLoop() {
  std::string end;
  while (true) {
    auto frame = socket_.Receive();
    if (!frame) {
      end = frame.error().message;
      break;
    }
    if (!*frame) break;
    if (!Dispatch(**std::move(frame), socket_.frame_bytes())) {
      end = "it sent more than anybody could take";
      break;
    }
  }
  socket_.Close();
  if (pid_ > 0) {
    const std::string status = KillAndReap(pid_);
    end = end.empty() ? status : end + ", " + status;
  }
  const std::lock_guard lock(mutex_);
  dead_ = true;
  end_ = end.empty() ? "it closed its socket" : end;
  died_.notify_all();
  for (const auto& [id, call] : calls_) call->came.notify_all();
}

bool RunnerClient::Dispatch(json frame, size_t bytes) {
  uint64_t id = kHandshake;
  if (!FieldReader(frame).Read("id", id).status()) return true;
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(id);
  if (found == calls_.end()) return true;  // of a call that has gone away
  Call& call = *found->second;
  call.bytes += bytes + kFrameOverhead;
  if (call.bytes > kMaxQueuedBytes) return false;
  call.frames.push_back(std::move(frame));
  call.came.notify_all();
  return true;
}

Result<json> RunnerClient::Next(uint64_t id, Call& call, Clock::time_point deadline,
                                const CancelToken* cancel, bool& told) {
  std::unique_lock lock(mutex_);
  while (call.frames.empty()) {
    if (dead_) return Gone();
    const auto now = Clock::now();
    if (now >= deadline) {
      return Fail(ErrorCode::kUnavailable, "the runner of '" + name_ + "' did not answer in time");
    }
    if (cancel != nullptr && !told && cancel->cancelled()) {
      told = true;
      lock.unlock();
      VADE_CHECK_OK(socket_.Send({{"op", "cancel"}, {"id", id}}));
      lock.lock();
      deadline = std::min(deadline, now + kCancelGrace);
      continue;
    }
    const bool polling = cancel != nullptr && !told;
    call.came.wait_until(lock, polling ? std::min(deadline, now + kCancelPoll) : deadline);
  }
  json frame = std::move(call.frames.front());
  call.frames.pop_front();
  if (call.frames.empty()) call.bytes = 0;
  return frame;
}

Result<json> RunnerClient::Ask(json frame, milliseconds timeout, const CancelToken* cancel) {
  const uint64_t id = next_id_++;
  const Registration registration(*this, id);
  frame["id"] = id;
  VADE_CHECK_OK(socket_.Send(frame));
  bool told = false;
  VADE_TRY(json answer, Next(id, registration.call(), Clock::now() + timeout, cancel, told));
  return Unwrap(std::move(answer));
}

Result<uint64_t> RunnerClient::Measure(const RunnerSetup& setup, milliseconds timeout) {
  VADE_CHECK_OK(socket_.Send({{"op", "load"}, {"setup", ToJson(setup)}}));
  std::shared_ptr<Call> call;
  {
    const std::lock_guard lock(mutex_);
    call = calls_.at(kHandshake);
  }
  bool told = false;
  VADE_TRY(const json frame, Next(kHandshake, *call, Clock::now() + timeout, nullptr, told));
  if (frame.value("op", json()) == "failed") {
    return tl::unexpected(ErrorFromJson(frame.value("error", json())));
  }
  uint64_t bytes = 0;
  VADE_CHECK_OK(FieldReader(frame).Read("bytes", bytes).status());
  return bytes;
}

Result<void> RunnerClient::Load(milliseconds timeout) {
  VADE_CHECK_OK(socket_.Send({{"op", "go"}}));
  std::shared_ptr<Call> call;
  {
    const std::lock_guard lock(mutex_);
    call = calls_.at(kHandshake);
  }
  bool told = false;
  VADE_TRY(const json frame, Next(kHandshake, *call, Clock::now() + timeout, nullptr, told));
  if (frame.value("op", json()) != "ready") {
    return tl::unexpected(ErrorFromJson(frame.value("error", json())));
  }
  VADE_TRY(info_, InfoFromJson(frame.value("info", json())));
  return {};
}

Result<engine::ModelReply> RunnerClient::Generate(const engine::ModelRequest& request,
                                                  const engine::TextSink& sink,
                                                  const CancelToken* cancel,
                                                  const engine::PrefillProgress& progress) {
  const uint64_t id = next_id_++;
  const Registration registration(*this, id);
  VADE_CHECK_OK(socket_.Send({{"op", "generate"}, {"id", id}, {"request", ToJson(request)}}));
  CancelToken sink_closed;
  bool told = false;
  auto deadline = Clock::now() + kWorkTime;
  while (true) {
    const bool closed = sink_closed.cancelled();
    VADE_TRY(json frame,
             Next(id, registration.call(), deadline, closed ? &sink_closed : cancel, told));
    std::string op;
    std::string text;
    size_t done = 0;
    size_t total = 0;
    VADE_CHECK_OK(FieldReader(frame)
                      .Read("op", op)
                      .Read("text", text)
                      .Read("done", done)
                      .Read("total", total)
                      .status());
    if (op == "text" && !closed && sink && !sink(text)) {
      sink_closed.Cancel();
    } else if (op == "progress" && !closed && progress) {
      progress(done, total);
    } else if (op == "done") {
      VADE_TRY(engine::ModelReply reply, ReplyFromJson(frame.value("reply", json())));
      if (closed) reply.reason = engine::StopReason::kCaller;
      return reply;
    } else if (op == "error") {
      return tl::unexpected(ErrorFromJson(frame.value("error", json())));
    }
  }
}

Result<engine::PromptCount> RunnerClient::CountPrompt(const engine::ModelRequest& request) {
  VADE_TRY(const json answer, Ask({{"op", "count"}, {"request", ToJson(request)}}, kAnswerTime));
  engine::PromptCount count;
  VADE_CHECK_OK(FieldReader(answer).Read("tokens", count.tokens).status());
  return count;
}

Result<size_t> RunnerClient::CountTokens(std::string_view text) {
  VADE_TRY(const json answer, Ask({{"op", "count_text"}, {"text", text}}, kAnswerTime));
  size_t tokens = 0;
  VADE_CHECK_OK(FieldReader(answer).Read("tokens", tokens).status());
  return tokens;
}

Result<EmbedReply> RunnerClient::Embed(std::span<const std::string> texts, bool truncate,
                                       const CancelToken* cancel) {
  VADE_TRY(
      const json answer,
      Ask({{"op", "embed"}, {"texts", TextsOf(texts)}, {"truncate", truncate}}, kWorkTime, cancel));
  EmbedReply reply;
  VADE_CHECK_OK(
      FieldReader(answer).Read("vectors", reply.vectors).Read("tokens", reply.tokens).status());
  const bool fits = reply.vectors.size() == texts.size() &&
                    std::ranges::all_of(reply.vectors, [&](const std::vector<float>& vector) {
                      return vector.size() == info_.dimension;
                    });
  if (fits) return reply;
  return Fail(ErrorCode::kUnavailable,
              "the runner of '" + name_ + "' gave vectors of another number or dimension");
}

Result<RerankReply> RunnerClient::Rerank(std::string_view query, std::span<const std::string> texts,
                                         bool truncate, const CancelToken* cancel) {
  VADE_TRY(
      const json answer,
      Ask({{"op", "rerank"}, {"query", query}, {"texts", TextsOf(texts)}, {"truncate", truncate}},
          kWorkTime, cancel));
  RerankReply reply;
  VADE_CHECK_OK(
      FieldReader(answer).Read("scores", reply.scores).Read("tokens", reply.tokens).status());
  if (reply.scores.size() == texts.size()) return reply;
  return Fail(ErrorCode::kUnavailable,
              "the runner of '" + name_ + "' gave another number of scores");
}

Result<RunnerStats> RunnerClient::Stats() {
  VADE_TRY(const json answer, Ask({{"op", "stats"}}, kAnswerTime));
  RunnerStats stats;
  VADE_CHECK_OK(
      FieldReader(answer).Read("running", stats.running).Read("waiting", stats.waiting).status());
  return stats;
}

void RunnerClient::Shutdown(milliseconds grace) {
  static_cast<void>(socket_.Send({{"op", "shutdown"}}));
  std::unique_lock lock(mutex_);
  if (died_.wait_for(lock, grace, [&] { return dead_; })) return;
  lock.unlock();
  socket_.Close();
}

size_t RunnerModel::CountTokens(std::string_view text) const {
  return client_->CountTokens(text).value_or(text.size());  // no token is shorter than a byte
}

}  // namespace vade::qa
