#include "qa/server/openai_json.h"

#include <bit>
#include <cstring>
#include <utility>

#include "engine/base/utf8.h"
#include "qa/server/event_stream.h"
#include "qa/server/generation.h"

namespace vade::qa::server::openai {
namespace {

using nlohmann::json;

constexpr int64_t kMaxTokens = 1 << 24;

void ReadToolChoice(Fields& fields, engine::ModelRequest& out) {
  const json& choice = fields.Value("tool_choice");
  using Mode = engine::ToolChoice::Mode;
  if (choice.is_object()) {
    Fields outer = fields.In("tool_choice");
    Fields function = outer.In("function");
    out.tool_choice = {Mode::kRequired, function.RequiredString("name", 64)};
    fields.Absorb(outer);
    return fields.Absorb(function);
  }
  const std::string word = fields.Word("tool_choice", {"auto", "none", "required"}, "auto");
  out.tool_choice.mode = word == "none"       ? Mode::kNone
                         : word == "required" ? Mode::kRequired
                                              : Mode::kAuto;
}

void ReadFormat(Fields& fields, engine::ModelRequest& out) {
  using Kind = engine::OutputFormat::Kind;
  if (fields.Has("grammar")) {  // llama-server's
    out.format = {Kind::kGbnf, fields.String("grammar", "", size_t{1} << 20)};
  }
  if (!fields.Has("response_format")) return;
  Fields format = fields.In("response_format");
  const std::string type = format.Word("type", {"text", "json_object", "json_schema"}, "text");
  if (type == "json_object") out.format = {Kind::kJsonObject, ""};
  if (type == "json_schema") {
    Fields wrapper = format.In("json_schema");  // llama-server takes the schema without it as well
    const json& schema = wrapper.Has("schema") ? wrapper.Object("schema") : format.Object("schema");
    if (!schema.is_object()) format.Complain("json_schema.schema", "missing, expected an object");
    fields.Absorb(wrapper);
    out.format = {Kind::kJsonSchema, Dump(schema)};
  }
  fields.Absorb(format);
}

void ReadCommon(Fields& fields, Completion& out) {
  out.model = fields.RequiredString("model", 512);
  out.stream = fields.Bool("stream", false);
  Fields options = fields.In("stream_options");
  out.include_usage = options.Bool("include_usage", false);
  fields.Absorb(options);
  ReadSampling(fields, out.request);
  const auto most = fields.Integer("max_tokens", 0, kMaxTokens, 0);
  out.request.max_tokens =
      static_cast<size_t>(fields.Integer("max_completion_tokens", 0, kMaxTokens, most));
  if (fields.Integer("n", 1, 128, 1) != 1) {
    fields.Complain("n", "one choice is made at a time; ask again for another");
  }
}

json TokenJson(const std::string& bytes, float logprob) {
  json numbers = json::array();
  for (const char c : bytes) numbers.push_back(static_cast<unsigned char>(c));
  return {{"token", utf8::Repair(bytes)}, {"logprob", logprob}, {"bytes", std::move(numbers)}};
}

}  // namespace

Result<Completion> ReadChatCompletion(const json& body) {
  Fields fields(body);
  Completion out;
  ReadCommon(fields, out);
  out.request.messages = ReadMessages(fields);
  out.request.tools = ReadTools(fields);
  ReadToolChoice(fields, out.request);
  ReadFormat(fields, out.request);
  out.request.sampling.logprobs = fields.Bool("logprobs", false);
  out.request.sampling.top_logprobs =
      static_cast<int32_t>(fields.Integer("top_logprobs", 0, 20, 0));
  VADE_CHECK_OK(fields.Status());
  return out;
}

Result<Completion> ReadCompletion(const json& body) {
  Fields fields(body);
  Completion out;
  ReadCommon(fields, out);
  const std::vector<std::string> prompts = fields.Strings("prompt", 1);
  if (prompts.size() != 1) fields.Complain("prompt", "expected one text");
  if (!prompts.empty()) out.request.prompt = prompts.front();
  for (const char* name : {"suffix", "echo", "best_of"}) {
    const json& value = fields.Value(name);
    const bool idle = value.is_null() || value == false || value == 1 || value == "";
    if (!idle) fields.Complain(name, "not supported");
  }
  ReadFormat(fields, out.request);
  if (const auto logprobs = fields.Integer("logprobs", 0, 20)) {
    out.request.sampling.logprobs = true;
    out.request.sampling.top_logprobs = static_cast<int32_t>(*logprobs);
  }
  VADE_CHECK_OK(fields.Status());
  return out;
}

std::string FinishReason(const engine::ModelReply& reply) {
  if (!reply.tool_calls.empty()) return "tool_calls";
  const bool cut = reply.reason == engine::StopReason::kMaxTokens ||
                   reply.reason == engine::StopReason::kContextFull;
  return cut ? "length" : "stop";
}

json Usage(const engine::ModelReply& reply) {
  return {{"prompt_tokens", reply.prompt_tokens},
          {"completion_tokens", reply.completion_tokens},
          {"total_tokens", reply.prompt_tokens + reply.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", reply.reused_tokens}}}};
}

json Timings(const engine::ModelReply& reply) {
  const auto per_second = [](size_t count, double ms) {
    return ms > 0 ? static_cast<double>(count) * 1000 / ms : 0;
  };
  const size_t read = reply.prompt_tokens - std::min(reply.reused_tokens, reply.prompt_tokens);
  return {{"cache_n", reply.reused_tokens},
          {"prompt_n", read},
          {"prompt_ms", reply.prefill_ms},
          {"prompt_per_second", per_second(read, reply.prefill_ms)},
          {"predicted_n", reply.completion_tokens},
          {"predicted_ms", reply.decode_ms},
          {"predicted_per_second", per_second(reply.completion_tokens, reply.decode_ms)}};
}

json Logprobs(const engine::ModelReply& reply) {
  json content = json::array();
  for (const engine::TokenLogprob& token : reply.logprobs) {
    json item = TokenJson(token.bytes, token.logprob);
    item["top_logprobs"] = json::array();
    for (const auto& other : token.top) {
      item["top_logprobs"].push_back(TokenJson(other.bytes, other.logprob));
    }
    content.push_back(std::move(item));
  }
  return {{"content", std::move(content)}};
}

json ToolCalls(const std::vector<engine::ToolCall>& calls, bool indexed) {
  json out = json::array();
  for (const engine::ToolCall& call : calls) {
    json item = {{"id", call.id},
                 {"type", "function"},
                 {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
    if (indexed) item["index"] = out.size();
    out.push_back(std::move(item));
  }
  return out;
}

std::string Base64(std::span<const float> vector) {
  static_assert(std::endian::native == std::endian::little);
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto bytes = std::as_bytes(vector);
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j) {
      word = word << 8 | (j < count ? static_cast<uint32_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += j <= count ? kDigits[word >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

}  // namespace vade::qa::server::openai
