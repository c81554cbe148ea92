#include "qa/server/generation.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include "qa/server/event_stream.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

constexpr size_t kMaxMessages = 4096;
constexpr size_t kMaxTools = 128;
constexpr size_t kMaxStops = 64;
constexpr size_t kMaxBiases = 1024;
constexpr int64_t kMaxSeed = std::numeric_limits<int64_t>::max();

/// A string, or [{"type": "text", "text": "..."}, ...].
std::string ReadContent(Fields& fields) {
  if (!fields.Value("content").is_array()) return fields.String("content");
  std::string text;
  for (const json& part : fields.Array("content", 1024)) {
    Fields each(part, fields.NameOf("content[]"));
    if (each.String("type", "text") != "text") {
      fields.Complain("content", "only text is understood, no pictures, sounds or files");
      return "";
    }
    text += each.String("text");
    fields.Absorb(each);
  }
  return text;
}

std::vector<engine::ToolCall> ReadToolCalls(Fields& message) {
  std::vector<engine::ToolCall> calls;
  const json& list = message.Array("tool_calls", kMaxTools);
  if (!list.is_array()) return calls;
  for (const json& item : list) {
    Fields call(item, message.NameOf("tool_calls[]"));
    Fields function = call.In("function");
    engine::ToolCall out;
    out.id = call.String("id", "", 256);
    out.name = function.RequiredString("name", 256);
    // OpenAI writes the arguments as a text, Ollama as an object.
    const json& arguments = function.Value("arguments");
    out.arguments = arguments.is_string() ? arguments.get<std::string>()
                    : arguments.is_null() ? "{}"
                                          : Dump(arguments);
    message.Absorb(call);
    message.Absorb(function);
    calls.push_back(std::move(out));
  }
  return calls;
}

engine::ChatMessage ReadMessage(Fields& fields) {
  engine::ChatMessage message;
  message.role = fields.RequiredString("role", 64);
  if (message.role == "developer") message.role = "system";
  if (message.role != "system" && message.role != "user" && message.role != "assistant" &&
      message.role != "tool") {
    fields.Complain("role", "got '" + message.role.substr(0, 64) +
                                "', expected system, user, assistant or tool");
  }
  message.content = ReadContent(fields);
  message.tool_calls = ReadToolCalls(fields);
  message.tool_call_id = fields.String("tool_call_id", "", 256);
  message.tool_name = fields.String("tool_name", fields.String("name", "", 256), 256);
  if (fields.Has("images") && !fields.Array("images", 64).empty()) {
    fields.Complain("images", "pictures are not understood");
  }
  return message;
}

void ReadBiases(Fields& fields, engine::ModelRequest& out) {
  const json& biases = fields.Object("logit_bias");
  if (!biases.is_object()) return;
  if (biases.size() > kMaxBiases) return fields.Complain("logit_bias", "too many tokens");
  for (const auto& [token, bias] : biases.items()) {
    runtime::LogitBias entry;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), entry.id);
    const bool is_id = error == std::errc() && end == token.data() + token.size();
    if (!is_id || !bias.is_number() || !(bias >= -100 && bias <= 100)) {
      return fields.Complain("logit_bias", "expected token ids with numbers from -100 to 100");
    }
    entry.bias = bias.get<float>();
    out.sampling.logit_bias.push_back(entry);
  }
}

}  // namespace

void ReadSampling(Fields& fields, engine::ModelRequest& out) {
  runtime::SamplingOptions& sampling = out.sampling;
  const auto number = [&](const char* name, double least, double most, float& value) {
    value = static_cast<float>(fields.Number(name, least, most, static_cast<double>(value)));
  };
  number("temperature", 0, 2, sampling.temperature);
  number("top_p", 0, 1, sampling.top_p);
  number("min_p", 0, 1, sampling.min_p);
  number("typical_p", 0, 1, sampling.typical_p);
  number("repeat_penalty", 0.1, 10, sampling.repeat_penalty);
  number("presence_penalty", -2, 2, sampling.presence_penalty);
  number("frequency_penalty", -2, 2, sampling.frequency_penalty);
  sampling.top_k = static_cast<int32_t>(fields.Integer("top_k", 0, INT32_MAX, sampling.top_k));
  sampling.repeat_last_n =
      static_cast<int32_t>(fields.Integer("repeat_last_n", -1, INT32_MAX, sampling.repeat_last_n));
  // Negative: drawn anew, as Ollama and llama-server have it.
  if (const auto seed = fields.Integer("seed", -1, kMaxSeed); seed && *seed >= 0) {
    sampling.seed = static_cast<uint64_t>(*seed);
  }
  out.stop = fields.Strings("stop", kMaxStops, 4096);
  std::erase(out.stop, "");
  ReadBiases(fields, out);
}

std::vector<engine::ChatMessage> ReadMessages(Fields& fields) {
  std::vector<engine::ChatMessage> messages;
  const json& list = fields.Array("messages", kMaxMessages);
  if (!list.is_array() || list.empty()) {
    fields.Complain("messages", "missing or empty, expected an array of messages");
    return messages;
  }
  for (size_t i = 0; i < list.size(); ++i) {
    Fields each(list[i], fields.NameOf("messages[" + std::to_string(i) + "]"));
    messages.push_back(ReadMessage(each));
    fields.Absorb(each);
  }
  return messages;
}

std::vector<engine::ToolSpec> ReadTools(Fields& fields) {
  std::vector<engine::ToolSpec> tools;
  const json& list = fields.Array("tools", kMaxTools);
  if (!list.is_array()) return tools;
  for (size_t i = 0; i < list.size(); ++i) {
    Fields each(list[i], fields.NameOf("tools[" + std::to_string(i) + "]"));
    if (each.String("type", "function") != "function") {
      each.Complain("type", "only functions can be called");
    }
    Fields function = each.In("function");
    engine::ToolSpec tool;
    tool.name = function.RequiredString("name", 64);
    tool.description = function.String("description", "", size_t{64} << 10);
    if (const json& schema = function.Object("parameters"); schema.is_object()) {
      tool.parameters = Dump(schema);
    }
    fields.Absorb(each);
    fields.Absorb(function);
    tools.push_back(std::move(tool));
  }
  return tools;
}

// --- Accounts

UseRecorder::UseRecorder(Service& service, const Request& request, std::string model)
    : service_(service) {
  use_.request_id = request.id;
  use_.key = request.key;
  use_.route = request.path;
  use_.model = std::move(model);
}

double UseRecorder::SinceStart() const {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started_)
      .count();
}

void UseRecorder::FirstToken() {
  if (use_.first_token_ms == 0) use_.first_token_ms = SinceStart();
}

void UseRecorder::Record(const engine::ModelReply& reply) {
  use_.prompt_tokens = reply.prompt_tokens;
  use_.completion_tokens = reply.completion_tokens;
  use_.prefill_ms = reply.prefill_ms;
  use_.decode_ms = reply.decode_ms;
  use_.ms = SinceStart();
  service_.accounts.Add(use_);
}

void UseRecorder::Record(size_t prompt_tokens, bool cached) {
  use_.prompt_tokens = prompt_tokens;
  use_.cached = cached;
  use_.ms = SinceStart();
  use_.prefill_ms = cached ? 0 : use_.ms;
  service_.accounts.Add(use_);
}

Result<engine::ModelReply> Generate(Service& service, const Request& request,
                                    const GeneratorUse& use, const engine::ModelRequest& wanted,
                                    const engine::TextSink& sink, const CancelToken& cancel) {
  UseRecorder recorder(service, request, use.name);
  auto reply = use.model->Generate(
      wanted,
      [&](std::string_view text) {
        recorder.FirstToken();
        return !sink || sink(text);
      },
      &cancel);
  if (!reply && reply.error().code == ErrorCode::kResource &&
      wanted.format.kind != engine::OutputFormat::Kind::kText &&
      (reply.error().message.starts_with("grammar") ||
       reply.error().message.starts_with("schema"))) {
    // Not this server's lack: no later try will do better.
    return Fail(ErrorCode::kInvalidArgument, reply.error().message);
  }
  if (reply) recorder.Record(*reply);
  if (reply && reply->reason == engine::StopReason::kCancelled) {
    return Fail(ErrorCode::kUnavailable, "the server is stopping");
  }
  return reply;
}

}  // namespace vade::qa::server
