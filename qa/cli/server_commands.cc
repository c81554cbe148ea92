// vade ps, stop and usage: looking at a running server, and at what it has recorded.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/file.h"
#include "engine/base/memory_info.h"
#include "engine/base/utf8.h"
#include "engine/remote/http_client.h"
#include "qa/cli/config.h"
#include "qa/cli/context.h"
#include "qa/cli/table.h"
#include "qa/server/accounts.h"

namespace vade::qa {
namespace {

using nlohmann::json;

struct ServerFlags {
  std::string url;
  std::string token_file;
  std::string model;
};

struct UsageFlags {
  std::filesystem::path file;
  bool csv = false;
};

/// Flags before $VADE_SERVER before the default.
std::string ServerUrl(const ServerFlags& flags) {
  const char* named = std::getenv("VADE_SERVER");
  std::string url = !flags.url.empty()                   ? flags.url
                    : named != nullptr && *named != '\0' ? named
                                                         : "http://127.0.0.1:11435";
  while (url.ends_with('/')) url.pop_back();
  return url;
}

/// GET without a body, else POST.
Result<json> Ask(const Context& context, const ServerFlags& flags, const std::string& path,
                 const json& body) {
  remote::HttpRequest request;
  request.url = ServerUrl(flags) + path;
  request.max_redirects = 0;
  request.cancel = &context.cancel;
  if (!body.is_null()) {
    request.post = body.dump();
    request.headers = {"Content-Type: application/json"};
  }
  if (!flags.token_file.empty()) {
    VADE_TRY(request.bearer, ReadFile(flags.token_file, 4096));
    request.bearer.erase(request.bearer.find_last_not_of(" \t\r\n") + 1);
  }
  remote::HttpClient client;
  const auto response = client.Send(request);
  if (!response) {
    if (response.error().code != ErrorCode::kUnavailable) return tl::unexpected(response.error());
    return Fail(ErrorCode::kUnavailable, response.error().message + " (is 'vade serve' running?)");
  }
  json answer = json::parse(response->body, nullptr, false);
  if (response->head.status == 200 && answer.is_object()) return answer;
  std::string why = "status " + std::to_string(response->head.status);
  if (answer.is_object() && answer.contains("error") && answer["error"].is_object()) {
    why = answer["error"].value("message", why);
  }
  return Fail(response->head.status == 404 ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
              utf8::Escape(why));
}

std::string Until(const json& model) {
  if (model["state"] != "idle") return model["state"];
  if (!model["expires_at"].is_number()) return "for ever";
  const int64_t left = model["expires_at"].get<int64_t>() - std::time(nullptr);
  return left < 60 ? std::to_string(std::max<int64_t>(left, 0)) + " s"
                   : std::to_string(left / 60) + " min";
}

int RunPs(const Context& context, const ServerFlags& flags) {
  const auto answer = Ask(context, flags, "/api/v1/models", nullptr);
  if (!answer) return FailInput(answer.error());
  if (context.global.json) {
    std::cout << answer->dump(2) << '\n';
    return kOk;
  }
  try {
    Table table({"MODEL", "KIND", "MEMORY", "CONTEXT", "REQUESTS", "UNLOADED IN"}, {2, 3, 4});
    for (const json& model : answer->at("loaded")) {
      table.Add({utf8::Escape(model.at("name").get<std::string>()), model.at("kind"),
                 FormatBytes(model.at("memory_bytes")), model.at("context_length").dump(),
                 model.at("requests").dump(), Until(model)});
    }
    table.Print(std::cout);
  } catch (const json::exception&) {
    return FailInput({ErrorCode::kUnavailable, ServerUrl(flags) + ": this is no vade server"});
  }
  return kOk;
}

int RunStop(const Context& context, const ServerFlags& flags) {
  const auto answer = Ask(context, flags, "/api/v1/models/unload", {{"name", flags.model}});
  if (!answer) return FailInput(answer.error());
  if (context.global.json) {
    std::cout << answer->dump(2) << '\n';
  } else if (!context.global.quiet) {
    std::cout << utf8::Escape(flags.model) << " is unloaded\n";
  }
  return kOk;
}

json ToJson(const server::UsageRow& row) {
  return {{"day", row.day},
          {"key", row.key},
          {"model", row.model},
          {"requests", row.requests},
          {"cached", row.cached},
          {"prompt_tokens", row.prompt_tokens},
          {"completion_tokens", row.completion_tokens},
          {"seconds", row.seconds},
          {"cost", row.cost}};
}

int RunUsage(const Context& context, const UsageFlags& flags) {
  const auto file = flags.file.empty() ? StateDirectory() / "usage.jsonl" : flags.file;
  const auto rows = server::ReadUsage(file);
  if (!rows) return FailInput(rows.error());
  if (flags.csv) {
    std::cout << server::UsageCsv(*rows);
    return kOk;
  }
  if (context.global.json) {
    json out = json::array();
    for (const server::UsageRow& row : *rows) out.push_back(ToJson(row));
    std::cout << out.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
    return kOk;
  }
  Table table({"DAY", "KEY", "MODEL", "REQUESTS", "CACHED", "PROMPT", "WRITTEN", "SECONDS", "COST"},
              {3, 4, 5, 6, 7, 8});
  server::UsageRow sum;
  const auto add = [&](const std::string& day, const server::UsageRow& row) {
    std::array<char, 48> seconds{};
    std::array<char, 48> cost{};
    std::snprintf(seconds.data(), seconds.size(), "%.1f", row.seconds);
    std::snprintf(cost.data(), cost.size(), "%.4f", row.cost);
    table.Add({day, utf8::Escape(row.key), utf8::Escape(row.model), std::to_string(row.requests),
               std::to_string(row.cached), std::to_string(row.prompt_tokens),
               std::to_string(row.completion_tokens), seconds.data(), cost.data()});
  };
  for (const server::UsageRow& row : *rows) {
    add(row.day, row);
    sum.requests += row.requests;
    sum.cached += row.cached;
    sum.prompt_tokens += row.prompt_tokens;
    sum.completion_tokens += row.completion_tokens;
    sum.seconds += row.seconds;
    sum.cost += row.cost;
  }
  if (rows->size() > 1) add("all", sum);
  table.Print(std::cout);
  return kOk;
}

void AddServerFlags(CLI::App& command, ServerFlags& flags) {
  command
      .add_option("--server", flags.url,
                  "Base URL of the server (also VADE_SERVER; default http://127.0.0.1:11435)")
      ->type_name("URL");
  command.add_option("--token-file", flags.token_file, "File with the server's token")
      ->type_name("FILE");
}

}  // namespace

void RegisterServerCommands(CLI::App& app, Context& context) {
  auto flags = std::make_shared<ServerFlags>();
  CLI::App* ps = app.add_subcommand("ps", "Models that a running server has loaded");
  AddServerFlags(*ps, *flags);
  ps->callback(
      [&context, flags] { context.run = [&context, flags] { return RunPs(context, *flags); }; });
  CLI::App* stop = app.add_subcommand("stop", "Unload a model from a running server");
  stop->add_option("MODEL", flags->model, "Its name, as 'vade ps' shows it")->required();
  AddServerFlags(*stop, *flags);
  stop->callback(
      [&context, flags] { context.run = [&context, flags] { return RunStop(context, *flags); }; });
  auto usage = std::make_shared<UsageFlags>();
  CLI::App* report =
      app.add_subcommand("usage", "Requests, tokens and cost that servers here have recorded");
  report->add_option("--usage-file", usage->file, "File to read (default: that of vade serve)")
      ->type_name("FILE");
  report->add_flag("--csv", usage->csv, "Comma-separated values");
  report->callback(
      [&context, usage] { context.run = [&context, usage] { return RunUsage(context, *usage); }; });
}

}  // namespace vade::qa
