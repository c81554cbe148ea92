// The objects of the OpenAI API: requests into ours, ours into replies.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/server/json_fields.h"

namespace vade::qa::server::openai {

struct Completion {
  std::string model;
  bool stream = false;
  bool include_usage = false;
  engine::ModelRequest request;
};

/// Errors: kInvalidArgument naming the member.
[[nodiscard]] Result<Completion> ReadChatCompletion(const nlohmann::json& body);
[[nodiscard]] Result<Completion> ReadCompletion(const nlohmann::json& body);

/// "stop", "length" or "tool_calls".
[[nodiscard]] std::string FinishReason(const engine::ModelReply& reply);
[[nodiscard]] nlohmann::json Usage(const engine::ModelReply& reply);
[[nodiscard]] nlohmann::json Timings(const engine::ModelReply& reply);
[[nodiscard]] nlohmann::json Logprobs(const engine::ModelReply& reply);
/// [{"id", "type", "function": {"name", "arguments"}}]; with "index" for streams.
[[nodiscard]] nlohmann::json ToolCalls(const std::vector<engine::ToolCall>& calls, bool indexed);

/// Little-endian f32 in base64, as encoding_format "base64" wants.
[[nodiscard]] std::string Base64(std::span<const float> vector);

}  // namespace vade::qa::server::openai
