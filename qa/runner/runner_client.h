// The server's side of a runner process: many requests at once over one socket, and the runner's
// model as a LanguageModel.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/runner/frame_socket.h"
#include "qa/runner/protocol.h"
#include "qa/runner/runner_process.h"

namespace vade::qa {

struct EmbedReply {
  std::vector<std::vector<float>> vectors;  // [texts], unit length
  size_t tokens = 0;
};

struct RerankReply {
  std::vector<float> scores;  // [texts], as the model gives them
  size_t tokens = 0;
};

/// Thread-safe. Whatever the process does, calls end: with what it said, or with kUnavailable when
/// it has died or speaks nonsense (it is killed then).
class RunnerClient {
 public:
  /// Takes a process over; pid 0: a socket alone. `name` is for messages.
  RunnerClient(RunnerProcess process, std::string name);
  ~RunnerClient();  // kills
  RunnerClient(const RunnerClient&) = delete;
  RunnerClient& operator=(const RunnerClient&) = delete;

  /// First: what the model will take of memory. Errors: the runner's; kUnavailable.
  [[nodiscard]] Result<uint64_t> Measure(const RunnerSetup& setup,
                                         std::chrono::milliseconds timeout);
  /// Second: loads it.
  [[nodiscard]] Result<void> Load(std::chrono::milliseconds timeout);

  [[nodiscard]] const RunnerInfo& info() const { return info_; }  // once loaded
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] bool alive() const;

  /// As LanguageModel::Generate.
  [[nodiscard]] Result<engine::ModelReply> Generate(const engine::ModelRequest& request,
                                                    const engine::TextSink& sink,
                                                    const CancelToken* cancel,
                                                    const engine::PrefillProgress& progress);
  [[nodiscard]] Result<engine::PromptCount> CountPrompt(const engine::ModelRequest& request);
  [[nodiscard]] Result<size_t> CountTokens(std::string_view text);
  /// `truncate`: texts that are too long lose their end; else they are kInvalidArgument.
  [[nodiscard]] Result<EmbedReply> Embed(std::span<const std::string> texts, bool truncate,
                                         const CancelToken* cancel = nullptr);
  [[nodiscard]] Result<RerankReply> Rerank(std::string_view query,
                                           std::span<const std::string> texts, bool truncate,
                                           const CancelToken* cancel = nullptr);
  [[nodiscard]] Result<RunnerStats> Stats();

  /// Asks it to end, and kills it when it has not after `grace`.
  void Shutdown(std::chrono::milliseconds grace);

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    std::deque<nlohmann::json> frames;
    size_t bytes = 0;  // of frames
    std::condition_variable came;
  };
  class Registration;

  void ReadLoop();
  [[nodiscard]] bool Dispatch(nlohmann::json frame, size_t bytes);
  /// The next frame of a call; kUnavailable when there is none by then or ever. `cancel` is told
  /// to the runner once, whose word on it is then waited for.
  [[nodiscard]] Result<nlohmann::json> Next(uint64_t id, Call& call, Clock::time_point deadline,
                                            const CancelToken* cancel, bool& told);
  /// A request with one frame as its answer.
  [[nodiscard]] Result<nlohmann::json> Ask(nlohmann::json frame, std::chrono::milliseconds timeout,
                                           const CancelToken* cancel = nullptr);
  [[nodiscard]] tl::unexpected<Error> Gone() const;  // REQUIRES mutex_ held

  const std::string name_;
  const pid_t pid_;
  FrameSocket socket_;
  RunnerInfo info_;
  std::atomic<uint64_t> next_id_{1};
  mutable std::mutex mutex_;  // of what follows
  std::map<uint64_t, std::shared_ptr<Call>> calls_;
  bool dead_ = false;
  std::string end_;  // how it died
  std::condition_variable died_;
  std::thread reader_;
};

/// The model of a runner. Thread-safe.
class RunnerModel final : public engine::LanguageModel {
 public:
  RunnerModel(std::shared_ptr<RunnerClient> client, std::string name)
      : client_(std::move(client)), name_(std::move(name)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] size_t context_length() const override { return client_->info().context_length; }
  [[nodiscard]] size_t CountTokens(std::string_view text) const override;
  [[nodiscard]] Result<engine::PromptCount> CountPrompt(
      const engine::ModelRequest& request) const override {
    return client_->CountPrompt(request);
  }
  [[nodiscard]] Result<engine::ModelReply> Generate(
      const engine::ModelRequest& request, const engine::TextSink& sink,
      const CancelToken* cancel = nullptr, const engine::PrefillProgress& progress = {}) override {
    return client_->Generate(request, sink, cancel, progress);
  }

 private:
  std::shared_ptr<RunnerClient> client_;
  std::string name_;
};

}  // namespace vade::qa
