// The words of the OpenAI API, and those that llama-server adds to it.
#include "engine/openai_model.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/prompt_bounds.h"
#include "engine/remote/line_events.h"
#include "engine/remote_json.h"

namespace vade::engine {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr size_t kMaxCalls = 128;  // in one reply

/// The same server without "/v1": where llama-server has its own paths.
remote::ApiServer Above(remote::ApiServer server) {
  const size_t slash = server.base_url.rfind('/');
  if (slash != std::string::npos && server.base_url.compare(slash, 2, "/v") == 0) {
    server.base_url.resize(slash);
  }
  return server;
}

json MessageJson(const ChatMessage& message) {
  json out = {{"role", message.role}, {"content", message.content}};
  for (const ToolCall& call : message.tool_calls) {
    out["tool_calls"].push_back(
        {{"id", call.id},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  if (!message.tool_call_id.empty()) out["tool_call_id"] = message.tool_call_id;
  if (message.role == "tool" && !message.tool_name.empty()) out["name"] = message.tool_name;
  return out;
}

Result<void> PutFormat(const OutputFormat& format, bool is_llama, json& body) {
  switch (format.kind) {
    case OutputFormat::Kind::kText:
      return {};
    case OutputFormat::Kind::kJsonObject:
      body["response_format"] = {{"type", "json_object"}};
      return {};
    case OutputFormat::Kind::kJsonSchema: {
      json schema = remote::ParseJson(format.definition);
      if (!schema.is_object()) {
        return Fail(ErrorCode::kInvalidArgument, "format: the schema is no JSON object");
      }
      body["response_format"] = {
          {"type", "json_schema"},
          {"json_schema", {{"name", "reply"}, {"strict", true}, {"schema", std::move(schema)}}}};
      return {};
    }
    case OutputFormat::Kind::kGbnf:
      if (!is_llama) {
        return Fail(ErrorCode::kUnsupported,
                    "format: this server takes a JSON schema, not a grammar");
      }
      body["grammar"] = format.definition;
      return {};
  }
  return {};
}

/// The options that all servers know, and those that only llama-server takes.
void PutSampling(const runtime::SamplingOptions& sampling, bool is_llama, json& body,
                 std::vector<std::string>& warnings) {
  body["temperature"] = sampling.temperature;
  body["top_p"] = sampling.top_p;
  if (sampling.presence_penalty != 0) body["presence_penalty"] = sampling.presence_penalty;
  if (sampling.frequency_penalty != 0) body["frequency_penalty"] = sampling.frequency_penalty;
  if (sampling.seed) body["seed"] = *sampling.seed & 0x7FFF'FFFF;
  if (sampling.logprobs) {
    body["logprobs"] = true;
    if (sampling.top_logprobs > 0) body["top_logprobs"] = sampling.top_logprobs;
  }
  for (const runtime::LogitBias& bias : sampling.logit_bias) {
    body["logit_bias"][std::to_string(bias.id)] = std::clamp(bias.bias, -100.0f, 100.0f);
  }
  if (is_llama) {
    body["top_k"] = sampling.top_k;
    body["min_p"] = sampling.min_p;
    body["typical_p"] = sampling.typical_p;
    body["repeat_penalty"] = sampling.repeat_penalty;
    body["repeat_last_n"] = sampling.repeat_last_n;
    body["cache_prompt"] = true;
  } else if (sampling.min_p != 0 || sampling.typical_p != 1 || sampling.repeat_penalty != 1) {
    warnings.push_back("the server has no min_p, typical_p and repeat_penalty: they were not sent");
  }
}

/// What the events of one reply add up to.
class Reading {
 public:
  Reading(ModelReply& reply, const TextSink& sink) : reply_(reply), sink_(sink) {}

  Result<bool> Take(const json& event) {
    if (!event.is_object()) return Fail(ErrorCode::kUnavailable, "an event that is no object");
    if (event.contains("usage")) TakeUsage(event["usage"]);
    if (event.contains("timings")) TakeTimings(event["timings"]);
    const auto choices = event.find("choices");
    if (choices == event.end() || !choices->is_array() || choices->empty()) return true;
    const json& choice = (*choices)[0];
    if (!choice.is_object()) return true;
    TakeLogprobs(choice, reply_.logprobs);
    if (const std::string reason = JsonText(choice, "finish_reason"); !reason.empty()) {
      finished_ = true;
      if (reason == "length") reply_.reason = StopReason::kMaxTokens;
    }
    const json* said = nullptr;
    for (const char* key : {"delta", "message"}) {
      if (choice.contains(key) && choice[key].is_object()) said = &choice[key];
    }
    if (said != nullptr && said->contains("tool_calls")) {
      VADE_CHECK_OK(TakeCalls((*said)["tool_calls"]));
    }
    return Show(said == nullptr ? JsonText(choice, "text") : JsonText(*said, "content"));
  }

  /// Errors: kUnavailable for a call whose arguments are no object.
  Result<void> Finish() {
    for (auto& [index, call] : calls_) {
      if (call.arguments.empty()) call.arguments = "{}";
      if (!remote::ParseJson(call.arguments).is_object()) {
        return Fail(ErrorCode::kUnavailable, "the model called " + utf8::Escape(call.name) +
                                                 " with arguments that are no JSON object");
      }
      if (call.id.empty()) call.id = "call_" + std::to_string(index);
      reply_.tool_calls.push_back(std::move(call));
    }
    return {};
  }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  Result<bool> Show(const std::string& piece) {
    if (piece.empty()) return true;
    reply_.text += piece;
    if (!sink_ || sink_(piece)) return true;
    reply_.reason = StopReason::kCaller;
    return false;
  }

  /// Fragments of calls, each with the index of its call.
  Result<void> TakeCalls(const json& fragments) {
    if (!fragments.is_array()) return {};
    for (size_t i = 0; i < fragments.size(); ++i) {
      const json& fragment = fragments[i];
      if (!fragment.is_object()) continue;
      const size_t index = fragment.contains("index") ? JsonCount(fragment, "index") : i;
      if (index >= kMaxCalls) return Fail(ErrorCode::kUnavailable, "more than 128 tool calls");
      ToolCall& call = calls_[index];
      if (call.id.empty()) call.id = JsonText(fragment, "id");
      if (!fragment.contains("function")) continue;
      call.name += JsonText(fragment["function"], "name");
      call.arguments += JsonText(fragment["function"], "arguments");
    }
    return {};
  }

  void TakeUsage(const json& usage) {
    if (!usage.is_object()) return;
    reply_.prompt_tokens = JsonCount(usage, "prompt_tokens");
    reply_.completion_tokens = JsonCount(usage, "completion_tokens");
    if (usage.contains("prompt_tokens_details")) {
      reply_.reused_tokens = JsonCount(usage["prompt_tokens_details"], "cached_tokens");
    }
  }

  void TakeTimings(const json& timings) {
    const auto number = [&](const char* key) {
      const auto found = timings.is_object() ? timings.find(key) : timings.end();
      return found != timings.end() && found->is_number() ? found->get<double>() : 0.0;
    };
    reply_.prefill_ms = number("prompt_ms");
    reply_.decode_ms = number("predicted_ms");
    reply_.drafted_tokens = JsonCount(timings, "draft_n");
    reply_.accepted_tokens = JsonCount(timings, "draft_n_accepted");
    if (reply_.reused_tokens == 0) reply_.reused_tokens = JsonCount(timings, "cache_n");
  }

  ModelReply& reply_;
  const TextSink& sink_;
  std::map<size_t, ToolCall> calls_;
  bool finished_ = false;
};

/// Servers that do not say: until the first text, and from there.
class Stopwatch {
 public:
  void FirstText() {
    if (first_ == Clock::time_point()) first_ = Clock::now();
  }
  void Fill(ModelReply& reply) const {
    if (reply.prefill_ms > 0 || first_ == Clock::time_point()) return;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    reply.prefill_ms = Milliseconds(first_ - begin_).count();
    reply.decode_ms = Milliseconds(Clock::now() - first_).count();
  }

 private:
  Clock::time_point begin_ = Clock::now();
  Clock::time_point first_;
};

}  // namespace

OpenAiModel::OpenAiModel(remote::ApiServer server, std::string model)
    : client_(server),
      llama_(std::make_unique<remote::ApiClient>(Above(std::move(server)))),
      model_(std::move(model)) {}

Result<std::unique_ptr<OpenAiModel>> OpenAiModel::Open(remote::ApiServer server, std::string model,
                                                       const RemoteModelOptions& options,
                                                       const CancelToken* cancel) {
  std::unique_ptr<OpenAiModel> out(new OpenAiModel(std::move(server), std::move(model)));
  VADE_TRY(const size_t known, out->FindContext(cancel));
  if (known > 0 && options.context_length > known) {
    return Fail(ErrorCode::kInvalidArgument, utf8::Escape(out->model_) + ": a context of " +
                                                 std::to_string(options.context_length) +
                                                 " tokens: the server has " +
                                                 std::to_string(known));
  }
  out->context_length_ = options.context_length > 0 ? options.context_length
                         : known > 0                ? known
                                                    : kDefaultRemoteContext;
  return out;
}

/// 0 when the server does not tell.
Result<size_t> OpenAiModel::FindContext(const CancelToken* cancel) {
  auto models = client_.Get("/models", cancel);
  // Not all servers list models; what else is wrong would be wrong with every request.
  if (!models && models.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(std::move(models).error());
  }
  size_t context = 0;
  bool listed = false;
  if (models && models->is_object() && models->contains("data") && (*models)["data"].is_array()) {
    const json& list = (*models)["data"];
    for (const json& entry : list) {
      if (JsonText(entry, "id") != model_) continue;
      listed = true;
      for (const char* key : {"max_model_len", "context_length", "max_context_length"}) {
        if (context == 0) context = JsonCount(entry, key);
      }
    }
  }
  const auto props = llama_->Get("/props", cancel);
  if (props && props->is_object() && props->contains("default_generation_settings")) {
    const size_t slot = JsonCount((*props)["default_generation_settings"], "n_ctx");
    return slot > 0 ? slot : context;  // it serves its one model by any name
  }
  llama_.reset();
  if (models && !listed && !(*models)["data"].empty()) {
    std::string names;
    for (const json& entry : (*models)["data"]) {
      if (names.size() < 200) names += (names.empty() ? "" : ", ") + JsonText(entry, "id");
    }
    return Fail(ErrorCode::kUnavailable, client_.base_url() + ": has no model \"" +
                                             utf8::Escape(model_) + "\", but " +
                                             client_.Shown(names));
  }
  return context;
}

Result<size_t> OpenAiModel::CountOnServer(std::string_view text, bool whole_prompt) const {
  VADE_TRY(const json answer, llama_->Post("/tokenize", {{"content", text},
                                                         {"add_special", whole_prompt},
                                                         {"parse_special", whole_prompt}}));
  if (!answer.is_object() || !answer.contains("tokens") || !answer["tokens"].is_array()) {
    return Fail(ErrorCode::kUnavailable, llama_->base_url() + "/tokenize: no tokens");
  }
  return answer["tokens"].size();
}

size_t OpenAiModel::CountTokens(std::string_view text) const {
  if (llama_ != nullptr) {
    if (const auto count = CountOnServer(text, false)) return *count;
  }
  return EstimateTokens(text);
}

Result<PromptCount> OpenAiModel::CountPrompt(const ModelRequest& request) const {
  const PromptCount estimate{EstimatePrompt(request), false};
  if (llama_ == nullptr) return estimate;
  std::string text;
  if (request.prompt) {
    text = *request.prompt;
  } else {
    json body = {{"messages", json::array()}};
    for (const ChatMessage& message : request.messages) {
      body["messages"].push_back(MessageJson(message));
    }
    if (!request.tools.empty() && request.tool_choice.mode != ToolChoice::Mode::kNone) {
      VADE_TRY(body["tools"], ToolsJson(request.tools));
    }
    const auto applied = llama_->Post("/apply-template", body);
    text = applied ? JsonText(*applied, "prompt") : "";
    if (text.empty()) return estimate;
  }
  const auto count = CountOnServer(text, true);
  return count ? PromptCount{*count, true} : estimate;
}

Result<json> OpenAiModel::Body(const ModelRequest& request,
                               std::vector<std::string>& warnings) const {
  const bool is_llama = llama_ != nullptr;
  json body = {{"model", model_}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
  PutSampling(request.sampling, is_llama, body, warnings);
  VADE_CHECK_OK(PutFormat(request.format, is_llama, body));
  if (!request.stop.empty()) body["stop"] = request.stop;
  if (request.max_tokens > 0) {
    const bool is_openai = client_.base_url().starts_with("https://api.openai.com/");
    body[is_openai ? "max_completion_tokens" : "max_tokens"] = request.max_tokens;
  }
  if (request.prompt) {
    body["prompt"] = *request.prompt;
    if (request.sampling.logprobs) body["logprobs"] = std::max(1, request.sampling.top_logprobs);
    return body;
  }
  if (request.messages.empty()) return Fail(ErrorCode::kInvalidArgument, "no messages");
  for (const ChatMessage& message : request.messages) {
    body["messages"].push_back(MessageJson(message));
  }
  if (request.tools.empty()) return body;
  VADE_TRY(body["tools"], ToolsJson(request.tools));
  using Mode = ToolChoice::Mode;
  if (request.tool_choice.mode == Mode::kNone) body["tool_choice"] = "none";
  if (request.tool_choice.mode == Mode::kRequired) {
    body["tool_choice"] = "required";
    if (!request.tool_choice.name.empty()) {
      body["tool_choice"] = {{"type", "function"},
                             {"function", {{"name", request.tool_choice.name}}}};
    }
  }
  return body;
}

Result<ModelReply> OpenAiModel::Generate(const ModelRequest& request, const TextSink& sink,
                                         const CancelToken* cancel, const PrefillProgress&) {
  VADE_CHECK_OK(CheckSampling(request.sampling));
  VADE_TRY(const PromptCount count, CountPrompt(request));
  VADE_CHECK_OK(CheckFits(count, context_length_));
  ModelReply reply;
  VADE_TRY(const json body, Body(request, reply.warnings));
  Stopwatch watch;
  const TextSink timed = [&](std::string_view text) {
    watch.FirstText();
    return !sink || sink(text);
  };
  Reading reading(reply, timed);
  const auto ended = client_.Stream(
      request.prompt ? "/completions" : "/chat/completions", body,
      [&](const json& event) { return reading.Take(event); }, cancel);
  watch.Fill(reply);
  if (!ended && ended.error().code == ErrorCode::kCancelled) {
    reply.reason = StopReason::kCancelled;
    return reply;
  }
  if (!ended) return Fail(ErrorCode::kUnavailable, client_.Shown(ended.error().message));
  if (reply.reason == StopReason::kCaller) return reply;
  if (!reading.finished()) {
    return Fail(ErrorCode::kUnavailable, client_.base_url() + ": the answer broke off after " +
                                             std::to_string(reply.text.size()) +
                                             " bytes: try again");
  }
  VADE_CHECK_OK(reading.Finish());
  VADE_CHECK_OK(CheckReported(request, reply.prompt_tokens, model_));
  if (count.exact && reply.prompt_tokens > 0 && reply.prompt_tokens + 8 < count.tokens) {
    reply.warnings.push_back("the server read " + std::to_string(reply.prompt_tokens) +
                             " tokens of a prompt of " + std::to_string(count.tokens));
  }
  return reply;
}

}  // namespace vade::engine
