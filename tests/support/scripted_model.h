// ScriptedModel: a language model that says what a test tells it to, and remembers what it was
// asked.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/language_model.h"

namespace vade::testing {

/// A reply that calls tools: {{"calculator", R"({"expression":"1+1"})"}}.
inline engine::ModelReply Calls(const std::vector<std::pair<std::string, std::string>>& calls) {
  engine::ModelReply reply;
  for (const auto& [name, arguments] : calls) reply.tool_calls.push_back({"", name, arguments});
  return reply;
}

inline engine::ModelReply Says(std::string text) {
  engine::ModelReply reply;
  reply.text = std::move(text);
  return reply;
}

/// Gives its replies in turn, the last one again and again; `rule`, when set, decides instead.
class ScriptedModel final : public engine::LanguageModel {
 public:
  using Rule = std::function<Result<engine::ModelReply>(const engine::ModelRequest&)>;

  explicit ScriptedModel(std::vector<engine::ModelReply> replies) : replies_(std::move(replies)) {}
  explicit ScriptedModel(Rule rule) : rule_(std::move(rule)) {}

  std::vector<engine::ModelRequest> requests;
  /// Is called while it "generates".
  std::function<void()> meanwhile;

  std::string_view name() const override { return "scripted"; }
  size_t context_length() const override { return 8192; }
  size_t CountTokens(std::string_view text) const override { return text.size() / 4 + 1; }
  Result<engine::PromptCount> CountPrompt(const engine::ModelRequest& request) const override {
    size_t tokens = 0;
    for (const auto& message : request.messages) tokens += CountTokens(message.content);
    return engine::PromptCount{tokens, true};
  }
  Result<engine::ModelReply> Generate(const engine::ModelRequest& request,
                                      const engine::TextSink& sink, const CancelToken* cancel,
                                      const engine::PrefillProgress&) override {
    const std::lock_guard lock(mutex_);
    requests.push_back(request);
    if (meanwhile) meanwhile();
    engine::ModelReply reply;
    if (rule_) {
      VADE_TRY(reply, rule_(request));
    } else {
      reply = replies_.at(std::min(requests.size(), replies_.size()) - 1);
    }
    if (request.tool_choice.mode == engine::ToolChoice::Mode::kNone) reply.tool_calls.clear();
    if (cancel != nullptr && cancel->cancelled()) reply.reason = engine::StopReason::kCancelled;
    if (sink && reply.tool_calls.empty()) sink(reply.text);
    return reply;
  }

 private:
  std::vector<engine::ModelReply> replies_;
  Rule rule_;
  std::mutex mutex_;
};

}  // namespace vade::testing
