#include "engine/tool_calls.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <utility>

#include "engine/runtime/gbnf_builder.h"
#include "engine/runtime/json_schema.h"

namespace vade::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxTools = 128;
constexpr size_t kIdBytes = 9;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// --- Schemas -------------------------------------------------------------------------------------

Result<Json> ReadParameters(const ToolSpec& tool) {
  if (tool.parameters.empty()) return Json{{"type", "object"}, {"properties", Json::object()}};
  Json schema = Json::parse(tool.parameters, nullptr, /*allow_exceptions=*/false);
  if (!schema.is_object()) {
    return Fail(ErrorCode::kInvalidArgument,
                "tool " + tool.name + ": parameters: got no JSON object");
  }
  if (!schema.contains("type")) schema["type"] = "object";
  return schema;
}

// The grammar of a tool's arguments.
Result<std::string> ArgumentsGbnf(const ToolSpec& tool, std::vector<std::string>& warnings) {
  if (tool.parameters.empty()) return std::string("root ::= \"{\" [ \\n]{0,2} \"}\"\n");
  VADE_TRY(const Json schema, ReadParameters(tool));
  auto gbnf = runtime::JsonSchemaGbnf(schema.dump());
  if (gbnf) return gbnf;
  if (gbnf.error().code != ErrorCode::kUnsupported) {
    return Fail("tool " + tool.name + ": parameters", gbnf.error());
  }
  warnings.push_back("tool " + tool.name + ": parameters: " + gbnf.error().message +
                     "; its arguments are any object");
  return runtime::JsonObjectGbnf();
}

// A grammar whose rules begin with `prefix`.
std::string WithPrefix(std::string_view gbnf, std::string_view prefix) {
  std::string out;
  for (size_t i = 0; i < gbnf.size();) {
    const char c = gbnf[i];
    if (c == '"' || c == '[' || c == '{') {  // a literal, a class, a repetition
      const char close = c == '[' ? ']' : c == '{' ? '}' : '"';
      size_t end = i + 1;
      while (end < gbnf.size() && gbnf[end] != close) end += gbnf[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, gbnf.size());
      out += gbnf.substr(i, end - i);
      i = end;
    } else if (c == '#') {
      while (i < gbnf.size() && gbnf[i] != '\n') ++i;
    } else if (IsNameByte(c)) {
      size_t end = i;
      while (end < gbnf.size() && IsNameByte(gbnf[end])) ++end;
      out.append(prefix).append(gbnf.substr(i, end - i));
      i = end;
    } else {
      out += c;
      ++i;
    }
  }
  return out;
}

// --- Forms ---------------------------------------------------------------------------------------

// One call of a tool whose arguments are `arguments`, a rule.
std::string CallBody(CallForm form, const std::string& name, const std::string& arguments) {
  const auto literal = [](const std::string& text) { return runtime::GbnfLiteral(text); };
  if (form == CallForm::kNameAndArgs) {
    return literal("[TOOL_CALLS]" + name + "[ARGS]") + " " + arguments;
  }
  const bool bare = form == CallForm::kBare;
  const std::string type =
      bare ? "(" + literal("\"type\":") + " sp " + literal("\"function\",") + " sp)? " : "";
  return "\"{\" sp " + type + literal("\"name\":") + " sp " + literal("\"" + name + "\",") +
         " sp " + literal(bare ? "\"parameters\":" : "\"arguments\":") + " sp " + arguments +
         " sp \"}\"";
}

// The whole of a reply's calls, of the rule "call".
std::string RootOf(CallForm form, bool one) {
  const std::string more = one ? "" : "{0,15}";
  switch (form) {
    case CallForm::kTagged: {
      const std::string tagged = R"("<tool_call>" sp call sp "</tool_call>")";
      return one ? tagged : tagged + " (sp " + tagged + ")" + more;
    }
    case CallForm::kBare:
      return R"("<|python_tag|>"? sp call)";
    case CallForm::kList:
      return R"("[TOOL_CALLS]" sp "[" sp call)" + (one ? "" : R"( (sp "," sp call))" + more) +
             R"( sp "]")";
    case CallForm::kNameAndArgs:
      return one ? "call" : "call{1,16}";
  }
  return "call";
}

std::vector<std::string> MarksOf(CallForm form) {
  switch (form) {
    case CallForm::kTagged:
      return {"<tool_call>"};
    case CallForm::kBare:
      return {"<|python_tag|>", "{\"name\":", "{ \"name\":", "{\"type\": \"function\"",
              "{\"type\":\"function\""};
    case CallForm::kList:
    case CallForm::kNameAndArgs:
      return {"[TOOL_CALLS]"};
  }
  return {};
}

// The JSON object that begins at the first brace from `at` on; empty if none ends.
std::string_view NextObject(std::string_view text, size_t& at) {
  const size_t begin = text.find('{', at);
  int depth = 0;
  bool quoted = false;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      at = i + 1;
      return text.substr(begin, i + 1 - begin);
    }
  }
  at = text.size();
  return {};
}

std::vector<ToolCall> ReadNamesAndArgs(std::string_view text) {
  constexpr std::string_view kMark = "[TOOL_CALLS]";
  constexpr std::string_view kArgs = "[ARGS]";
  std::vector<ToolCall> calls;
  for (size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at)) {
    at += kMark.size();
    const size_t args = text.find(kArgs, at);
    if (args == std::string_view::npos) break;
    const std::string_view name = text.substr(at, args - at);
    at = args + kArgs.size();
    const std::string_view object = NextObject(text, at);
    if (object.empty()) break;
    calls.push_back({MakeCallId(), std::string(name), std::string(object)});
  }
  return calls;
}

}  // namespace

std::optional<CallForm> FindCallForm(std::string_view model_template) {
  if (!Contains(model_template, "tools")) return std::nullopt;
  if (Contains(model_template, "[TOOL_CALLS]")) {
    return Contains(model_template, "[ARGS]") ? CallForm::kNameAndArgs : CallForm::kList;
  }
  // Forms that look alike and are not JSON.
  if (Contains(model_template, "<function=") || Contains(model_template, "<arg_key>")) {
    return std::nullopt;
  }
  if (Contains(model_template, "<tool_call>")) return CallForm::kTagged;
  const bool llama =
      Contains(model_template, "<|python_tag|>") || Contains(model_template, "<|start_header_id|>");
  if (llama && Contains(model_template, "\"parameters\": ")) return CallForm::kBare;
  return std::nullopt;
}

std::string DescribeTools(std::span<const ToolSpec> tools) {
  std::string text = "# Tools\n\nYou may call these functions:\n<tools>\n";
  for (const ToolSpec& tool : tools) {
    const auto parameters = ReadParameters(tool);
    const Json shown = {{"name", tool.name},
                        {"description", tool.description},
                        {"parameters", parameters ? *parameters : Json::object()}};
    text += shown.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text +
         "</tools>\n\nTo call one, write its name and arguments like this, and nothing after it:\n"
         "<tool_call>\n{\"name\": \"...\", \"arguments\": {...}}\n</tool_call>\n"
         "The result comes back in <tool_response></tool_response>.";
}

std::string WriteCall(const ToolCall& call) {
  return "<tool_call>\n{\"name\": " +
         Json(call.name).dump(-1, ' ', false, Json::error_handler_t::replace) +
         ", \"arguments\": " + (call.arguments.empty() ? "{}" : call.arguments) + "}\n</tool_call>";
}

Result<void> CheckTools(std::span<const ToolSpec> tools, const ToolChoice& choice) {
  if (tools.size() > kMaxTools) {
    return Fail(ErrorCode::kInvalidArgument, "tools: got " + std::to_string(tools.size()) +
                                                 ", at most " + std::to_string(kMaxTools));
  }
  std::set<std::string_view> names;
  for (const ToolSpec& tool : tools) {
    const bool named = !tool.name.empty() && tool.name.size() <= kMaxNameBytes &&
                       std::ranges::all_of(tool.name, IsNameByte);
    if (!named) {
      return Fail(ErrorCode::kInvalidArgument,
                  "tools: a name must be 1 to 64 letters, digits, _ and -");
    }
    if (!names.insert(tool.name).second) {
      return Fail(ErrorCode::kInvalidArgument, "tools: two are named " + tool.name);
    }
    VADE_CHECK_OK(ReadParameters(tool));
  }
  const bool wanted = choice.mode == ToolChoice::Mode::kRequired;
  if (wanted && (tools.empty() || (!choice.name.empty() && !names.contains(choice.name)))) {
    return Fail(ErrorCode::kInvalidArgument, "tool_choice: no such tool is given");
  }
  return {};
}

Result<CallGrammar> MakeCallGrammar(CallForm form, std::span<const ToolSpec> tools,
                                    const ToolChoice& choice) {
  CallGrammar out;
  std::string rules;
  std::vector<std::string> calls;
  for (const ToolSpec& tool : tools) {
    if (!choice.name.empty() && choice.name != tool.name) continue;
    const std::string prefix = "t" + std::to_string(calls.size()) + "-";
    VADE_TRY(const std::string arguments, ArgumentsGbnf(tool, out.warnings));
    rules += WithPrefix(arguments, prefix);
    calls.push_back(CallBody(form, tool.name, prefix + "root"));
  }
  const bool required = choice.mode == ToolChoice::Mode::kRequired;
  out.gbnf = "root ::= " + RootOf(form, required && !choice.name.empty()) + "\n" +
             "call ::= " + runtime::GbnfChoice(calls) + "\n" + "sp ::= [ \\n]{0,4}\n" + rules;
  if (required) return out;
  out.marks = MarksOf(form);
  out.only_at_start = form == CallForm::kBare;
  return out;
}

std::string EitherGbnf(std::string_view a, std::string_view b) {
  return "root ::= a-root | b-root\n" + WithPrefix(a, "a-") + "\n" + WithPrefix(b, "b-");
}

std::vector<ToolCall> ReadCalls(CallForm form, std::string_view text) {
  if (form == CallForm::kNameAndArgs) return ReadNamesAndArgs(text);
  std::vector<ToolCall> calls;
  for (size_t at = 0; at < text.size();) {
    const std::string_view object = NextObject(text, at);
    const Json call = Json::parse(object, nullptr, /*allow_exceptions=*/false);
    if (!call.is_object()) continue;
    const auto name = call.find("name");
    auto arguments = call.find("arguments");
    if (arguments == call.end()) arguments = call.find("parameters");
    if (name == call.end() || !name->is_string() || arguments == call.end()) continue;
    calls.push_back({MakeCallId(), name->get<std::string>(),
                     arguments->dump(-1, ' ', false, Json::error_handler_t::replace)});
  }
  return calls;
}

std::string MakeCallId() {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::uniform_int_distribution<size_t> letter(0, kLetters.size() - 1);
  std::string id;
  while (id.size() < kIdBytes) id += kLetters[letter(device)];
  return id;
}

}  // namespace vade::engine
