#include "qa/cli/chat_tools.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "engine/base/utf8.h"
#include "qa/cli/answer_text.h"
#include "qa/tools/calculator.h"
#include "qa/tools/clock.h"
#include "qa/tools/unit_conversion.h"
#include "qa/tools/web_tools.h"

namespace vade::qa {
namespace {

constexpr size_t kShownBytes = 160;  // of arguments and of a result, in the line about a call

/// What is typed at the question; empty at Ctrl-C and Ctrl-D, which mean no.
std::string ReadReply() {
  std::string reply;
  for (char c = 0; reply.size() < 100;) {
    if (read(STDIN_FILENO, &c, 1) != 1) return "";
    if (c == '\n') break;
    reply += c;
  }
  return reply;
}

bool AskAtTerminal(const Tool& tool, const std::string& arguments) {
  std::fprintf(stderr, "vade: %s would send this out of the machine:\n  %s\nAllow it? [y/N] ",
               tool.spec.name.c_str(), utf8::Escape(arguments).c_str());
  std::fflush(stderr);
  const std::string reply = ReadReply();
  return reply == "y" || reply == "Y" || reply == "yes";
}

}  // namespace

Result<ChatTools> MakeChatTools(const ToolSettings& settings,
                                const std::vector<std::string>& allowed) {
  ChatTools out;
  out.tools = {CalculatorTool(), ClockTool(), UnitTool()};
  if (!settings.web_search_url.empty()) {
    out.tools.push_back(WebSearchTool(settings.web_search_url));
  }
  if (!settings.weather_url.empty()) {
    out.tools.push_back(WeatherTool(settings.weather_url, settings.geocoding_url));
  }
  out.loop.allowed.insert(settings.allow.begin(), settings.allow.end());
  for (const std::string& name : allowed) {
    const bool known = std::ranges::any_of(
        out.tools, [&](const Tool& tool) { return tool.spec.name == name && tool.leaves_machine; });
    if (!known) {
      return Fail(ErrorCode::kInvalidArgument,
                  "--allow-tool: '" + utf8::Escape(name) +
                      "' is not a configured tool that leaves the machine (see [tools] in the "
                      "configuration)");
    }
    out.loop.allowed.insert(name);
  }
  if (isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0) out.loop.confirm = AskAtTerminal;
  return out;
}

std::string DescribeTools(const ChatTools& tools, bool with_library, bool on) {
  std::string text = on ? "tools are on" : "tools are off";
  if (with_library) text += "\n  search_library\n  read_page";
  for (const Tool& tool : tools.tools) {
    text += "\n  " + tool.spec.name;
    if (!tool.leaves_machine) continue;
    text += tools.loop.allowed.contains(tool.spec.name) ? " (leaves the machine: allowed)"
            : tools.loop.confirm ? " (leaves the machine: each call is asked about)"
                                 : " (leaves the machine: denied)";
  }
  return text;
}

void PrintToolCall(const ToolTrace& trace) {
  std::fprintf(stderr, "vade: %s %s: %s: %s\n", trace.name.c_str(),
               Shorten(utf8::Escape(trace.arguments), kShownBytes).c_str(),
               std::string(OutcomeName(trace.outcome)).c_str(),
               Shorten(utf8::Escape(trace.result), kShownBytes).c_str());
}

void PrintToolAnswer(const ToolAnswer& answer, const std::string& question,
                     const vectorstore::Store* store, const Terminal& terminal) {
  if (answer.refused) {
    retriever::SearchResult nearest;
    nearest.passages = answer.shown;
    return PrintRefusal(answer.language, nearest, question, terminal);
  }
  std::cout << EscapeLines(answer.Text()) << '\n';
  if (!answer.citations.empty()) PrintSources(answer.language, answer.citations, store, terminal);
}

}  // namespace vade::qa
