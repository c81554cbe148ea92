// The words of Ollama's API: docs/api.md of the Ollama project.
#include "engine/ollama_model.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/prompt_bounds.h"
#include "engine/remote/line_events.h"
#include "engine/remote_json.h"

namespace vade::engine {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

json MessageJson(const ChatMessage& message) {
  json out = {{"role", message.role}, {"content", message.content}};
  for (const ToolCall& call : message.tool_calls) {
    json arguments = remote::ParseJson(call.arguments);
    if (!arguments.is_object()) arguments = json::object();
    out["tool_calls"].push_back(
        {{"id", call.id}, {"function", {{"name", call.name}, {"arguments", arguments}}}});
  }
  if (!message.tool_name.empty()) out["tool_name"] = message.tool_name;
  if (!message.tool_call_id.empty()) out["tool_call_id"] = message.tool_call_id;
  return out;
}

json OptionsJson(const ModelRequest& request, size_t context_length, size_t prompt_tokens) {
  const runtime::SamplingOptions& sampling = request.sampling;
  const size_t room = context_length - std::min(prompt_tokens, context_length - 1);
  json out = {{"num_ctx", context_length},
              {"num_predict", request.max_tokens == 0 ? room : request.max_tokens},
              {"temperature", sampling.temperature},
              {"top_k", sampling.top_k},
              {"top_p", sampling.top_p},
              {"min_p", sampling.min_p},
              {"typical_p", sampling.typical_p},
              {"repeat_last_n", sampling.repeat_last_n},
              {"repeat_penalty", sampling.repeat_penalty},
              {"presence_penalty", sampling.presence_penalty},
              {"frequency_penalty", sampling.frequency_penalty}};
  if (sampling.seed) out["seed"] = *sampling.seed & 0x7FFF'FFFF;  // it is a signed int there
  if (!request.stop.empty()) out["stop"] = request.stop;
  return out;
}

Result<void> PutFormat(const OutputFormat& format, json& body) {
  switch (format.kind) {
    case OutputFormat::Kind::kText:
      return {};
    case OutputFormat::Kind::kJsonObject:
      body["format"] = "json";
      return {};
    case OutputFormat::Kind::kJsonSchema:
      body["format"] = remote::ParseJson(format.definition);
      if (body["format"].is_object()) return {};
      return Fail(ErrorCode::kInvalidArgument, "format: the schema is no JSON object");
    case OutputFormat::Kind::kGbnf:
      break;
  }
  return Fail(ErrorCode::kUnsupported, "format: Ollama takes a JSON schema, not a grammar");
}

/// What the lines of one reply add up to.
class Reading {
 public:
  Reading(ModelReply& reply, const TextSink& sink) : reply_(reply), sink_(sink) {}

  Result<bool> Take(const json& line) {
    if (!line.is_object()) return Fail(ErrorCode::kUnavailable, "a line that is no object");
    const json& message = line.contains("message") ? line["message"] : line;
    const std::string piece = JsonText(message, line.contains("message") ? "content" : "response");
    if (message.contains("tool_calls")) VADE_CHECK_OK(TakeCalls(message["tool_calls"]));
    TakeLogprobs(line, reply_.logprobs);
    if (!piece.empty()) {
      reply_.text += piece;
      if (sink_ && !sink_(piece)) {
        reply_.reason = StopReason::kCaller;
        return false;
      }
    }
    if (line.value("done", json()) == true) Finish(line);
    return true;
  }
  [[nodiscard]] bool done() const { return done_; }

 private:
  Result<void> TakeCalls(const json& calls) {
    if (!calls.is_array()) return {};
    for (const json& call : calls) {
      const json& function =
          call.is_object() && call.contains("function") ? call["function"] : call;
      ToolCall& out = reply_.tool_calls.emplace_back();
      out.id = JsonText(call, "id");
      if (out.id.empty()) out.id = "call_" + std::to_string(reply_.tool_calls.size());
      out.name = JsonText(function, "name");
      if (!function.is_object() || !function.contains("arguments") ||
          !function["arguments"].is_object()) {
        return Fail(ErrorCode::kUnavailable, "a tool call without an object of arguments");
      }
      out.arguments = function["arguments"].dump(-1, ' ', false, json::error_handler_t::replace);
    }
    return {};
  }

  void Finish(const json& line) {
    done_ = true;
    const auto milliseconds = [&](const char* key) {
      return static_cast<double>(JsonCount(line, key)) / 1e6;
    };
    reply_.prompt_tokens = JsonCount(line, "prompt_eval_count");
    reply_.completion_tokens = JsonCount(line, "eval_count");
    reply_.queue_ms = milliseconds("load_duration");
    reply_.prefill_ms = milliseconds("prompt_eval_duration");
    reply_.decode_ms = milliseconds("eval_duration");
    if (JsonText(line, "done_reason") == "length") reply_.reason = StopReason::kMaxTokens;
  }

  ModelReply& reply_;
  const TextSink& sink_;
  bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<OllamaModel>> OllamaModel::Open(remote::ApiServer server, std::string model,
                                                       const RemoteModelOptions& options,
                                                       const CancelToken* cancel) {
  std::unique_ptr<OllamaModel> out(new OllamaModel(std::move(server), std::move(model)));
  auto shown = out->client_.Post("/api/show", {{"model", out->model_}}, cancel);
  if (!shown && shown.error().code == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kUnavailable, shown.error().message + "; run `ollama pull " +
                                             utf8::Escape(out->model_) + "` where the server is");
  }
  if (!shown) return tl::unexpected(std::move(shown).error());
  size_t trained = 0;
  if (shown->is_object() && shown->contains("model_info")) {
    const json& info = (*shown)["model_info"];
    trained = JsonCount(info, JsonText(info, "general.architecture") + ".context_length");
  }
  if (trained == 0) trained = options.context_length == 0 ? 4096 : options.context_length;
  if (options.context_length > trained) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(out->model_) + ": a context of " +
                                                 std::to_string(options.context_length) +
                                                 " tokens: the model has " +
                                                 std::to_string(trained));
  }
  out->context_length_ = options.context_length == 0 ? std::min(trained, kDefaultRemoteContext)
                                                     : options.context_length;
  if (shown->is_object() && shown->contains("capabilities")) {
    const json& can = (*shown)["capabilities"];
    out->thinks_ = can.is_array() && std::ranges::find(can, json("thinking")) != can.end();
  }
  return out;
}

size_t OllamaModel::CountTokens(std::string_view text) const { return EstimateTokens(text); }

Result<PromptCount> OllamaModel::CountPrompt(const ModelRequest& request) const {
  return PromptCount{EstimatePrompt(request), false};
}

Result<json> OllamaModel::Body(const ModelRequest& request, size_t prompt_tokens) const {
  if (!request.sampling.logit_bias.empty()) {
    return Fail(ErrorCode::kUnsupported, "logit_bias: Ollama has no such option");
  }
  json body = {{"model", model_},
               {"stream", true},
               {"truncate", false},  // servers that know these say what does not fit
               {"shift", false},
               {"options", OptionsJson(request, context_length_, prompt_tokens)}};
  VADE_CHECK_OK(PutFormat(request.format, body));
  if (thinks_) body["think"] = false;
  if (request.sampling.logprobs) {
    body["logprobs"] = true;
    body["top_logprobs"] = request.sampling.top_logprobs;
  }
  if (request.prompt) {
    body["prompt"] = *request.prompt;
    body["raw"] = true;
    return body;
  }
  if (request.messages.empty()) return Fail(ErrorCode::kInvalidArgument, "no messages");
  for (const ChatMessage& message : request.messages) {
    body["messages"].push_back(MessageJson(message));
  }
  if (request.tools.empty() || request.tool_choice.mode == ToolChoice::Mode::kNone) return body;
  if (request.tool_choice.mode == ToolChoice::Mode::kRequired) {
    return Fail(ErrorCode::kUnsupported, "tool_choice: Ollama cannot be made to call a tool");
  }
  VADE_TRY(body["tools"], ToolsJson(request.tools));
  return body;
}

Result<ModelReply> OllamaModel::Generate(const ModelRequest& request, const TextSink& sink,
                                         const CancelToken* cancel, const PrefillProgress&) {
  VADE_CHECK_OK(CheckSampling(request.sampling));
  VADE_TRY(const PromptCount count, CountPrompt(request));
  VADE_CHECK_OK(CheckFits(count, context_length_));
  VADE_TRY(const json body, Body(request, count.tokens));
  ModelReply reply;
  Reading reading(reply, sink);
  const auto ended = client_.Stream(
      request.prompt ? "/api/generate" : "/api/chat", body,
      [&](const json& line) { return reading.Take(line); }, cancel);
  if (!ended && ended.error().code == ErrorCode::kCancelled) {
    reply.reason = StopReason::kCancelled;
    return reply;
  }
  if (!ended)
    return Fail(
        ended.error().code == ErrorCode::kNotFound ? ErrorCode::kUnavailable : ended.error().code,
        client_.Shown(ended.error().message));
  if (reply.reason == StopReason::kCaller) return reply;
  if (!reading.done()) {
    return Fail(ErrorCode::kUnavailable, client_.base_url() + ": the answer broke off after " +
                                             std::to_string(reply.text.size()) +
                                             " bytes: try again");
  }
  VADE_CHECK_OK(CheckReported(request, reply.prompt_tokens, model_));
  return reply;
}

}  // namespace vade::engine
