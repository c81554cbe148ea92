// vade doctor: is everything there that vade needs, and what to do where it is not.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/base/utf8.h"
#include "qa/cli/context.h"
#include "qa/cli/doctor_checks.h"
#include "qa/cli/terminal.h"
#include "qa/cli/text_width.h"

namespace vade::qa {
namespace {

void Append(std::vector<Finding> more, std::vector<Finding>& all) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void PrintText(const std::vector<Finding>& findings) {
  const Terminal terminal = Terminal::ForStdout();
  size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, TextWidth(finding.what));
  width = std::min<size_t>(width, 32);
  std::string group;
  for (const Finding& finding : findings) {
    if (finding.group != group) {
      group = finding.group;
      std::cout << terminal.Bold(group) << '\n';
    }
    const std::string health(HealthName(finding.health));
    const std::string padding(width - std::min(width, TextWidth(finding.what)), ' ');
    std::cout << "  "
              << (finding.health == Health::kOk ? terminal.Dim(health + "  ")
                                                : terminal.Marked(health))
              << "  " << finding.what << padding << "  " << finding.found << '\n';
    if (!finding.advice.empty()) std::cout << "        -> " << finding.advice << '\n';
  }
}

nlohmann::json ToJson(const std::vector<Finding>& findings, int code) {
  nlohmann::json checks = nlohmann::json::array();
  for (const Finding& finding : findings) {
    checks.push_back({{"group", finding.group},
                      {"check", utf8::Repair(finding.what)},
                      {"health", HealthName(finding.health)},
                      {"found", utf8::Repair(finding.found)}});
    if (!finding.advice.empty()) checks.back()["advice"] = utf8::Repair(finding.advice);
  }
  return {{"healthy", code == kOk}, {"checks", std::move(checks)}};
}

int RunDoctor(const Context& context, const DoctorScope& scope) {
  std::vector<Finding> findings = CheckProgram(context);
  Append(CheckSettings(context), findings);
  Append(CheckLibrary(context), findings);
  Append(CheckModels(context, scope), findings);
  Append(CheckPort(context, scope), findings);
  if (context.cancel.cancelled()) return kInterrupted;
  const auto first = std::ranges::find(findings, Health::kFail, &Finding::health);
  const int code = first == findings.end() ? static_cast<int>(kOk) : first->exit_code;
  if (context.global.json) {
    std::cout << ToJson(findings, code).dump(2) << '\n';
  } else {
    PrintText(findings);
  }
  return code;
}

}  // namespace

void RegisterDoctor(CLI::App& app, Context& context) {
  auto scope = std::make_shared<DoctorScope>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Check the installation, the library, models and servers, and say what to do");
  command
      ->add_option("-m,--model", scope->models,
                   "Also this language model: a file, a name, ollama://... or openai://... "
                   "(repeatable)")
      ->type_name("MODEL");
  command->add_option("--rerank", scope->rerankers, "Also this reranker (repeatable)")
      ->type_name("MODEL");
  command->add_option("--port", scope->port, "The port that 'vade serve' would take")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  command->callback([&context, scope] {
    context.run = [&context, scope] { return RunDoctor(context, *scope); };
  });
}

}  // namespace vade::qa
