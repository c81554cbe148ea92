// FakeMcpTools: an echo and a call that waits until it is cancelled.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "qa/mcp/mcp_tools.h"

namespace vade::testing {

class FakeMcpTools final : public qa::McpTools {
 public:
  using json = nlohmann::json;

  mutable std::atomic<int> waiting{0};
  mutable std::atomic<int> cancelled{0};

  std::string Instructions() const override { return "Echoes."; }
  const std::vector<qa::McpTool>& tools() const override { return tools_; }
  Result<qa::McpOutput> Call(std::string_view name, const json& arguments,
                             const qa::McpProgress& progress,
                             const CancelToken* cancel) const override {
    if (name == "wait") {
      ++waiting;
      while (!cancel->cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++cancelled;
      return Fail(ErrorCode::kCancelled, "interrupted");
    }
    progress(1, 2, "half");
    progress(1, 2, "not told: it has not grown");
    progress(2, 2, "whole");
    const std::string text = arguments["text"];
    if (text == "fail") return Fail(ErrorCode::kUnavailable, "broken \xff");
    return qa::McpOutput{{{"text", text}}, text};
  }
  Result<qa::McpResourcePage> ListResources(size_t begin, size_t count) const override {
    qa::McpResourcePage page;
    for (size_t i = begin; i < 250 && page.resources.size() < count; ++i) {
      page.resources.push_back({"test://" + std::to_string(i), "n" + std::to_string(i), "", 1});
    }
    page.more = begin + page.resources.size() < 250;
    return page;
  }
  json ResourceTemplates() const override { return json::array(); }
  Result<std::string> ReadResource(std::string_view uri) const override {
    if (uri == "test://1") return std::string("one");
    return Fail(ErrorCode::kNotFound, "no such document");
  }

 private:
  std::vector<qa::McpTool> tools_ = {
      {"echo",
       "Echo",
       "Says it again",
       {{"type", "object"},
        {"properties", {{"text", {{"type", "string"}}}}},
        {"required", {"text"}},
        {"additionalProperties", false}},
       {{"type", "object"}}},
      {"wait", "Wait", "Waits", {{"type", "object"}}, {{"type", "object"}}}};
};

}  // namespace vade::testing
