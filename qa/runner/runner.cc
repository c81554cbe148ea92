#include "qa/runner/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "qa/runner/field_reader.h"
#include "qa/runner/frame_socket.h"
#include "qa/runner/runner_host.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kMaxRequests = 1024;  // at once; each is a thread that mostly waits

// What runs out of memory is a model, not the server with everybody's work.
void OfferToMemoryKiller() {
  const UniqueFd fd(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (fd) [[maybe_unused]]
    const ssize_t written = write(fd.get(), "500", 3);
}

Result<void> LimitMemory(uint64_t bytes) {
  if (bytes == 0) return {};
  const rlimit limit{bytes, bytes};
  if (setrlimit(RLIMIT_AS, &limit) == 0) return {};
  return Fail(ErrorCode::kResource,
              "runner: a memory limit of " + std::to_string(bytes) + " bytes could not be set");
}

class Runner {
 public:
  explicit Runner(FrameSocket& socket) : socket_(socket) {}

  /// Loads as the server says. Errors have been told to it.
  [[nodiscard]] Result<void> Load() {
    auto loaded = LoadAsTold();
    if (!loaded)
      static_cast<void>(socket_.Send({{"op", "failed"}, {"error", ToJson(loaded.error())}}));
    return loaded;
  }

  /// Until the end of the socket, or shutdown.
  void Serve() {
    while (true) {
      auto frame = socket_.Receive();
      if (!frame || !*frame) return;
      if (!Handle(**frame)) return;
    }
  }

 private:
  struct Request {
    uint64_t id = 0;
    json frame;
    CancelToken cancel;
  };

  Result<void> LoadAsTold() {
    VADE_TRY(const auto load, socket_.Receive());
    if (!load || load->value("op", json()) != "load") {
      return Fail(ErrorCode::kCorruptData, "runner: was not told what to load");
    }
    VADE_TRY(const RunnerSetup setup, SetupFromJson(load->value("setup", json())));
    VADE_CHECK_OK(LimitMemory(setup.memory_limit));
    VADE_TRY(const uint64_t need, RunnerHost::Measure(setup));
    VADE_CHECK_OK(socket_.Send({{"op", "need"}, {"bytes", need}}));
    VADE_TRY(const auto go, socket_.Receive());
    if (!go || go->value("op", json()) != "go") {
      return Fail(ErrorCode::kCancelled, "runner: not wanted any more");
    }
    VADE_TRY(RunnerHost host, RunnerHost::Load(setup, need));
    host_ = std::make_unique<RunnerHost>(std::move(host));
    return socket_.Send({{"op", "ready"}, {"info", ToJson(host_->info())}});
  }

  /// False: shutdown.
  bool Handle(json& frame) {
    std::string op;
    uint64_t id = 0;
    if (!FieldReader(frame).Read("op", op).Read("id", id).status()) return true;
    if (op == "shutdown") return false;
    if (op == "cancel") {
      const std::lock_guard lock(mutex_);
      if (const auto found = requests_.find(id); found != requests_.end()) {
        found->second->cancel.Cancel();
      }
      return true;
    }
    auto request = std::make_shared<Request>();
    request->id = id;
    request->frame = std::move(frame);
    {
      const std::lock_guard lock(mutex_);
      if (requests_.size() >= kMaxRequests || !requests_.emplace(id, request).second) {
        Answer(id, Fail(ErrorCode::kResource,
                        "queue full: " + std::to_string(kMaxRequests) + " requests at once"));
        return true;
      }
    }
    try {
      std::thread([this, request, op] {
        auto result = Run(op, *request);
        {
          const std::lock_guard lock(mutex_);
          requests_.erase(request->id);
        }
        Answer(request->id, std::move(result));
      }).detach();  // the process ends without waiting for it
    } catch (const std::system_error&) {
      const std::lock_guard lock(mutex_);
      requests_.erase(id);
      Answer(id, Fail(ErrorCode::kResource, "runner: the system allows no more threads"));
    }
    return true;
  }

  void Answer(uint64_t id, Result<json> result) {
    json frame = result ? std::move(*result) : json{{"error", ToJson(result.error())}};
    frame["op"] = result ? "done" : "error";
    frame["id"] = id;
    const auto sent = socket_.Send(frame);
    if (!sent && sent.error().code == ErrorCode::kResource && result) {
      Answer(id, tl::unexpected(sent.error()));
    }
  }

  Result<json> Run(const std::string& op, Request& request) {
    if (op == "generate") return Generate(request);
    if (op == "stats") return Stats();
    if (op == "count") {
      VADE_TRY(const engine::ModelRequest wanted, WantedBy(request));
      VADE_TRY(const engine::PromptCount count, host_->model()->CountPrompt(wanted));
      return json{{"tokens", count.tokens}};
    }
    std::string query;
    std::vector<std::string> texts;
    bool truncate = false;
    VADE_CHECK_OK(FieldReader(request.frame)
                      .Read("text", query)
                      .Read("query", query)
                      .Read("texts", texts)
                      .Read("truncate", truncate)
                      .status());
    if (op == "count_text") return json{{"tokens", host_->CountTokens(query)}};
    if (op == "embed") return host_->Embed(texts, truncate, &request.cancel);
    if (op == "rerank") return host_->Rerank(query, texts, truncate, &request.cancel);
    return Fail(ErrorCode::kUnsupported, "runner: does not know '" + op.substr(0, 40) + "'");
  }

  [[nodiscard]] Result<engine::ModelRequest> WantedBy(const Request& request) const {
    if (host_->model() == nullptr) {
      return Fail(ErrorCode::kUnsupported, host_->info().name + ": does not generate");
    }
    return RequestFromJson(request.frame.value("request", json()));
  }

  Result<json> Generate(Request& request) {
    VADE_TRY(const engine::ModelRequest wanted, WantedBy(request));
    VADE_TRY(
        const engine::ModelReply reply,
        host_->model()->Generate(
            wanted,
            [&](std::string_view text) {
              return socket_.Send({{"op", "text"}, {"id", request.id}, {"text", text}}).has_value();
            },
            &request.cancel,
            [&](size_t done, size_t total) {
              static_cast<void>(socket_.Send(
                  {{"op", "progress"}, {"id", request.id}, {"done", done}, {"total", total}}));
            }));
    return json{{"reply", ToJson(reply)}};
  }

  Result<json> Stats() {
    if (host_->model() != nullptr) {
      const engine::SchedulerLoad load = host_->model()->load();
      return json{{"running", load.running}, {"waiting", load.waiting}};
    }
    const std::lock_guard lock(mutex_);
    return json{{"running", requests_.size() - 1}, {"waiting", 0}};  // without this request
  }

  FrameSocket& socket_;
  std::unique_ptr<RunnerHost> host_;
  std::mutex mutex_;  // of what follows
  std::map<uint64_t, std::shared_ptr<Request>> requests_;
};

}  // namespace

int RunRunner(UniqueFd socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  OfferToMemoryKiller();
  FrameSocket frames(std::move(socket));
  Runner runner(frames);
  if (!runner.Load()) return 1;
  runner.Serve();
  // Requests may still run; nothing they hold outlives the process.
  _exit(0);
}

}  // namespace vade::qa
