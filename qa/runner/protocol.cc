#include "qa/runner/protocol.h"

#include <array>
#include <utility>
#include <vector>

#include "qa/runner/field_reader.h"

namespace vade::qa {
namespace {

using nlohmann::json;

// --- Bytes ---------------------------------------------------------------------------------------

// A token may be half a character, which JSON text cannot say: bytes as numbers.
json BytesToJson(const std::string& bytes) {
  json out = json::array();
  for (const char c : bytes) out.push_back(static_cast<uint8_t>(c));
  return out;
}

std::string BytesOf(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

// --- Requests ------------------------------------------------------------------------------------

json ToJson(const engine::ToolCall& call) {
  return {{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}};
}

Result<void> Read(const json& from, engine::ToolCall& call) {
  return FieldReader(from)
      .Read("id", call.id)
      .Read("name", call.name)
      .Read("arguments", call.arguments)
      .status();
}

json ToJson(const engine::ChatMessage& message) {
  json calls = json::array();
  for (const engine::ToolCall& call : message.tool_calls) calls.push_back(ToJson(call));
  return {{"role", message.role},
          {"content", message.content},
          {"tool_calls", std::move(calls)},
          {"tool_call_id", message.tool_call_id},
          {"tool_name", message.tool_name}};
}

Result<void> Read(const json& from, engine::ChatMessage& message) {
  return FieldReader(from)
      .Read("role", message.role)
      .Read("content", message.content)
      .ReadList("tool_calls", message.tool_calls,
                [](const json& item, engine::ToolCall& call) { return Read(item, call); })
      .Read("tool_call_id", message.tool_call_id)
      .Read("tool_name", message.tool_name)
      .status();
}

json ToJson(const engine::ToolSpec& tool) {
  return {{"name", tool.name}, {"description", tool.description}, {"parameters", tool.parameters}};
}

Result<void> Read(const json& from, engine::ToolSpec& tool) {
  return FieldReader(from)
      .Read("name", tool.name)
      .Read("description", tool.description)
      .Read("parameters", tool.parameters)
      .status();
}

json ToJson(const runtime::SamplingOptions& sampling) {
  json out = {{"temperature", sampling.temperature},
              {"top_k", sampling.top_k},
              {"top_p", sampling.top_p},
              {"min_p", sampling.min_p},
              {"typical_p", sampling.typical_p},
              {"repeat_last_n", sampling.repeat_last_n},
              {"repeat_penalty", sampling.repeat_penalty},
              {"presence_penalty", sampling.presence_penalty},
              {"frequency_penalty", sampling.frequency_penalty},
              {"logprobs", sampling.logprobs},
              {"top_logprobs", sampling.top_logprobs},
              {"logit_bias", json::array()}};
  if (sampling.seed) out["seed"] = *sampling.seed;
  for (const runtime::LogitBias& bias : sampling.logit_bias) {
    out["logit_bias"].push_back({{"token", bias.id}, {"bias", bias.bias}});
  }
  return out;
}

Result<void> Read(const json& from, runtime::SamplingOptions& sampling) {
  const auto read_bias = [](const json& item, runtime::LogitBias& bias) {
    return FieldReader(item).Read("token", bias.id).Read("bias", bias.bias).status();
  };
  return FieldReader(from)
      .Read("temperature", sampling.temperature)
      .Read("top_k", sampling.top_k)
      .Read("top_p", sampling.top_p)
      .Read("min_p", sampling.min_p)
      .Read("typical_p", sampling.typical_p)
      .Read("repeat_last_n", sampling.repeat_last_n)
      .Read("repeat_penalty", sampling.repeat_penalty)
      .Read("presence_penalty", sampling.presence_penalty)
      .Read("frequency_penalty", sampling.frequency_penalty)
      .Read("logprobs", sampling.logprobs)
      .Read("top_logprobs", sampling.top_logprobs)
      .Read("seed", sampling.seed)
      .ReadList("logit_bias", sampling.logit_bias, read_bias)
      .status();
}

// --- Replies -------------------------------------------------------------------------------------

json ToJson(const engine::TokenLogprob& token) {
  json top = json::array();
  for (const auto& other : token.top) {
    top.push_back(
        {{"id", other.id}, {"bytes", BytesToJson(other.bytes)}, {"logprob", other.logprob}});
  }
  return {{"id", token.id},
          {"bytes", BytesToJson(token.bytes)},
          {"logprob", token.logprob},
          {"top", std::move(top)}};
}

Result<void> Read(const json& from, engine::TokenLogprob& token) {
  const auto read_other = [](const json& item, engine::TokenLogprob::Other& other) {
    std::vector<uint8_t> bytes;
    const auto status = FieldReader(item)
                            .Read("id", other.id)
                            .Read("bytes", bytes)
                            .Read("logprob", other.logprob)
                            .status();
    other.bytes = BytesOf(bytes);
    return status;
  };
  std::vector<uint8_t> bytes;
  const auto status = FieldReader(from)
                          .Read("id", token.id)
                          .Read("bytes", bytes)
                          .Read("logprob", token.logprob)
                          .ReadList("top", token.top, read_other)
                          .status();
  token.bytes = BytesOf(bytes);
  return status;
}

constexpr std::array<std::string_view, 3> kKindNames = {"generate", "embed", "rerank"};

}  // namespace

std::string_view ModelKindName(ModelKind kind) noexcept {
  return kKindNames[static_cast<size_t>(kind)];
}

json ToJson(const Error& error) {
  return {{"code", static_cast<int>(error.code)}, {"message", error.message}};
}

Error ErrorFromJson(const json& from) {
  Error error{ErrorCode::kInternal, ""};
  const auto status = FieldReader(from)
                          .ReadEnum("code", error.code, ErrorCode::kInternal)
                          .Read("message", error.message)
                          .status();
  if (!status) return {ErrorCode::kInternal, "the runner failed without a reason"};
  return error;
}

json ToJson(const RunnerSetup& setup) {
  return {{"model", setup.model.native()},
          {"kind", static_cast<int>(setup.kind)},
          {"threads", setup.threads},
          {"context_length", setup.context_length},
          {"max_parallel", setup.max_parallel},
          {"max_queue", setup.max_queue},
          {"kv", setup.kv},
          {"memory_limit", setup.memory_limit}};
}

Result<RunnerSetup> SetupFromJson(const json& from) {
  RunnerSetup setup;
  std::string model;
  VADE_CHECK_OK(FieldReader(from)
                    .Read("model", model)
                    .ReadEnum("kind", setup.kind, ModelKind::kRerank)
                    .Read("threads", setup.threads)
                    .Read("context_length", setup.context_length)
                    .Read("max_parallel", setup.max_parallel)
                    .Read("max_queue", setup.max_queue)
                    .Read("kv", setup.kv)
                    .Read("memory_limit", setup.memory_limit)
                    .status());
  setup.model = model;
  return setup;
}

json ToJson(const RunnerInfo& info) {
  return {{"name", info.name},
          {"architecture", info.architecture},
          {"context_length", info.context_length},
          {"trained_context_length", info.trained_context_length},
          {"dimension", info.dimension},
          {"memory_bytes", info.memory_bytes}};
}

Result<RunnerInfo> InfoFromJson(const json& from) {
  RunnerInfo info;
  VADE_CHECK_OK(FieldReader(from)
                    .Read("name", info.name)
                    .Read("architecture", info.architecture)
                    .Read("context_length", info.context_length)
                    .Read("trained_context_length", info.trained_context_length)
                    .Read("dimension", info.dimension)
                    .Read("memory_bytes", info.memory_bytes)
                    .status());
  return info;
}

json ToJson(const engine::ModelRequest& request) {
  json out = {{"messages", json::array()},
              {"tools", json::array()},
              {"tool_mode", static_cast<int>(request.tool_choice.mode)},
              {"tool_name", request.tool_choice.name},
              {"format", static_cast<int>(request.format.kind)},
              {"format_definition", request.format.definition},
              {"sampling", ToJson(request.sampling)},
              {"max_tokens", request.max_tokens},
              {"stop", request.stop},
              {"draft_tokens", request.draft_tokens},
              {"aside", request.aside}};
  if (request.prompt) out["prompt"] = *request.prompt;
  for (const auto& message : request.messages) out["messages"].push_back(ToJson(message));
  for (const auto& tool : request.tools) out["tools"].push_back(ToJson(tool));
  return out;
}

Result<engine::ModelRequest> RequestFromJson(const json& from) {
  engine::ModelRequest request;
  FieldReader reader(from);
  reader
      .ReadList("messages", request.messages,
                [](const json& item, engine::ChatMessage& message) { return Read(item, message); })
      .ReadList("tools", request.tools,
                [](const json& item, engine::ToolSpec& tool) { return Read(item, tool); })
      .ReadEnum("tool_mode", request.tool_choice.mode, engine::ToolChoice::Mode::kRequired)
      .Read("tool_name", request.tool_choice.name)
      .ReadEnum("format", request.format.kind, engine::OutputFormat::Kind::kGbnf)
      .Read("format_definition", request.format.definition)
      .Read("max_tokens", request.max_tokens)
      .Read("stop", request.stop)
      .Read("draft_tokens", request.draft_tokens)
      .Read("aside", request.aside)
      .Read("prompt", request.prompt);
  VADE_CHECK_OK(reader.status());
  if (const json* sampling = reader.Find("sampling"); sampling != nullptr) {
    VADE_CHECK_OK(Read(*sampling, request.sampling));
  }
  return request;
}

json ToJson(const engine::ModelReply& reply) {
  json out = {{"text", reply.text},
              {"tool_calls", json::array()},
              {"reason", static_cast<int>(reply.reason)},
              {"stop_string", reply.stop_string},
              {"prompt_tokens", reply.prompt_tokens},
              {"reused_tokens", reply.reused_tokens},
              {"completion_tokens", reply.completion_tokens},
              {"drafted_tokens", reply.drafted_tokens},
              {"accepted_tokens", reply.accepted_tokens},
              {"seed", reply.seed},
              {"queue_ms", reply.queue_ms},
              {"prefill_ms", reply.prefill_ms},
              {"decode_ms", reply.decode_ms},
              {"token_ids", reply.token_ids},
              {"logprobs", json::array()},
              {"template_name", reply.template_name},
              {"prompt", reply.prompt},
              {"warnings", reply.warnings}};
  for (const auto& call : reply.tool_calls) out["tool_calls"].push_back(ToJson(call));
  for (const auto& token : reply.logprobs) out["logprobs"].push_back(ToJson(token));
  return out;
}

Result<engine::ModelReply> ReplyFromJson(const json& from) {
  engine::ModelReply reply;
  VADE_CHECK_OK(
      FieldReader(from)
          .Read("text", reply.text)
          .ReadList("tool_calls", reply.tool_calls,
                    [](const json& item, engine::ToolCall& call) { return Read(item, call); })
          .ReadEnum("reason", reply.reason, engine::StopReason::kCancelled)
          .Read("stop_string", reply.stop_string)
          .Read("token_ids", reply.token_ids)
          .Read("template_name", reply.template_name)
          .Read("prompt_tokens", reply.prompt_tokens)
          .Read("reused_tokens", reply.reused_tokens)
          .Read("completion_tokens", reply.completion_tokens)
          .Read("drafted_tokens", reply.drafted_tokens)
          .Read("accepted_tokens", reply.accepted_tokens)
          .Read("seed", reply.seed)
          .Read("queue_ms", reply.queue_ms)
          .Read("prefill_ms", reply.prefill_ms)
          .Read("decode_ms", reply.decode_ms)
          .ReadList("logprobs", reply.logprobs,
                    [](const json& item, engine::TokenLogprob& token) { return Read(item, token); })
          .Read("prompt", reply.prompt)
          .Read("warnings", reply.warnings)
          .status());
  return reply;
}

}  // namespace vade::qa
