#include "engine/remote_json.h"

#include <limits>

#include "engine/remote/line_events.h"

namespace vade::engine {
namespace {

using nlohmann::json;

std::string Bytes(const json& entry) {
  const auto bytes = entry.find("bytes");
  if (bytes == entry.end() || !bytes->is_array()) return JsonText(entry, "token");
  std::string out;
  for (const json& byte : *bytes) {
    if (byte.is_number_unsigned() && byte.get<uint64_t>() < 256) {
      out += static_cast<char>(static_cast<unsigned char>(byte.get<uint64_t>()));
    }
  }
  return out;
}

tokenizer::TokenId IdOf(const json& entry) {
  const auto id = entry.find("id");
  const bool is_id = id != entry.end() && id->is_number_integer() && *id >= 0 &&
                     *id <= std::numeric_limits<tokenizer::TokenId>::max();
  return is_id ? id->get<tokenizer::TokenId>() : -1;
}

float Logprob(const json& entry) {
  const auto value = entry.find("logprob");
  return value != entry.end() && value->is_number() ? value->get<float>() : 0.0f;
}

}  // namespace

std::string JsonText(const json& object, const std::string& key) {
  if (!object.is_object()) return "";
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

size_t JsonCount(const json& object, const std::string& key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  return found != object.end() && found->is_number_unsigned() ? found->get<size_t>() : 0;
}

Result<json> ToolsJson(const std::vector<ToolSpec>& tools) {
  json out = json::array();
  for (const ToolSpec& tool : tools) {
    json parameters = json{{"type", "object"}, {"properties", json::object()}};
    if (!tool.parameters.empty()) parameters = remote::ParseJson(tool.parameters);
    if (!parameters.is_object()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "tool " + tool.name + ": the schema of its parameters is no JSON object");
    }
    out.push_back({{"type", "function"},
                   {"function",
                    {{"name", tool.name},
                     {"description", tool.description},
                     {"parameters", std::move(parameters)}}}});
  }
  return out;
}

void TakeLogprobs(const json& holder, std::vector<TokenLogprob>& out) {
  if (!holder.is_object()) return;
  auto found = holder.find("logprobs");
  if (found == holder.end()) return;
  const json& list =
      found->is_object() && found->contains("content") ? (*found)["content"] : *found;
  if (!list.is_array()) return;
  for (const json& entry : list) {
    if (!entry.is_object()) continue;
    TokenLogprob& token = out.emplace_back();
    token.id = IdOf(entry);
    token.bytes = Bytes(entry);
    token.logprob = Logprob(entry);
    const auto top = entry.find("top_logprobs");
    if (top == entry.end() || !top->is_array()) continue;
    for (const json& other : *top) {
      if (other.is_object()) token.top.push_back({IdOf(other), Bytes(other), Logprob(other)});
    }
  }
}

Result<void> CheckSampling(const runtime::SamplingOptions& sampling) {
  // The vocabulary is the server's: any id may be in it.
  return runtime::Validate(sampling, std::numeric_limits<tokenizer::TokenId>::max());
}

}  // namespace vade::engine
