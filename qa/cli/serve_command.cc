// vade serve: the web page, our API and those of OpenAI and Ollama over HTTP.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/file.h"
#include "engine/base/random_id.h"
#include "engine/base/unique_fd.h"
#include "engine/base/utf8.h"
#include "qa/cli/config.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/model_files.h"
#include "qa/server/server.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

struct ServeFlags {
  server::ServerOptions options;
  fs::path token_file;
  std::vector<std::string> evaluations;  // folders, or NAME=FOLDER
  std::string log;
  size_t cache_mb = 64;
  std::vector<std::string> models;  // paths, names and addresses, each perhaps as NAME=...
  int64_t keep_alive_s = 300;
  size_t memory_mb = 0;
};

/// The token of the file; a new one, if there is no file yet.
Result<std::string> ReadOrMakeToken(const fs::path& path) {
  constexpr uint64_t kMaxTokenBytes = 4096;
  const std::string name = utf8::Escape(path.native());
  const UniqueFd made(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made) {
    const std::string token = RandomToken();
    const std::string line = token + "\n";
    if (write(made.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      return tl::unexpected(ErrnoError(name, errno));
    }
    std::fprintf(stderr, "vade: a new token was written to %s\n", name.c_str());
    return token;
  }
  if (errno != EEXIST) return tl::unexpected(ErrnoError(name, errno));
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                name + ": others can read this token: chmod 600 " + name);
  }
  VADE_TRY(std::string token, ReadFile(path, kMaxTokenBytes));
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.size() < 16) {
    return Fail(ErrorCode::kInvalidArgument, name + ": got a token of " +
                                                 std::to_string(token.size()) +
                                                 " characters, at least 16 are wanted");
  }
  return token;
}

std::string Sha256Of(const std::string& text) {
  Sha256 hash;
  hash.Add(std::as_bytes(std::span(text)));
  return hash.Finish();
}

Result<void> AddEvaluations(const std::vector<std::string>& texts,
                            std::map<std::string, fs::path>& out) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const fs::path folder = equals == std::string::npos ? text : text.substr(equals + 1);
    const fs::path absolute = fs::absolute(folder).lexically_normal();
    std::string name =
        equals == std::string::npos ? absolute.filename().string() : text.substr(0, equals);
    if (name == "eval") name = absolute.parent_path().filename().string();
    if (!fs::exists(absolute)) {
      return Fail(ErrorCode::kNotFound, utf8::Escape(folder.native()) + ": no such folder");
    }
    out[name] = absolute;
  }
  return {};
}

/// "NAME=WHAT", or WHAT under a name of its own: a file's without its ending, an address' last
/// part.
std::pair<std::string, std::string> SplitName(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals != std::string::npos && text.find('/') > equals) {
    return {text.substr(0, equals), text.substr(equals + 1)};
  }
  if (text.find("://") != std::string::npos) return {text.substr(text.rfind('/') + 1), text};
  return {fs::path(text).extension() == ".gguf" ? fs::path(text).stem().string()
                                                : fs::path(text).filename().string(),
          text};
}

/// Files and addresses get names; a name is one of the models folder.
Result<void> AddModels(const Context& context, const ServeFlags& flags,
                       server::ModelSettings& out) {
  out.pool.names.folder = context.global.models;
  for (const std::string& text : flags.models) {
    const auto [name, what] = SplitName(text);
    if (out.default_model.empty()) out.default_model = name;
    if (what.find("://") != std::string::npos) {
      int code = kOk;
      auto model = OpenLanguageModel(context, {.path = what}, &code);
      if (model == nullptr) return Fail(ErrorCode::kUnavailable, "--model " + what);
      out.remote[name] = std::move(model);
      continue;
    }
    const fs::path path = FindModel(context, what);
    if (!fs::is_regular_file(path)) {
      return Fail(ErrorCode::kNotFound, "--model " + utf8::Escape(what) + ": no such model");
    }
    out.pool.names.named[name] = fs::absolute(path);
  }
  const auto embedder = embed::FindDefaultModel();
  if (embedder) {
    out.pool.names.named.try_emplace("all-MiniLM-L6-v2", fs::absolute(*embedder));
  }
  out.pool.keep_alive = std::chrono::seconds(flags.keep_alive_s);
  out.pool.memory_budget = static_cast<uint64_t>(flags.memory_mb) << 20;
  if (context.global.threads != 0) out.pool.setup.threads = context.global.threads;
  if (!context.global.hugging_face_url.empty()) {
    out.registries.hugging_face = context.global.hugging_face_url;
  }
  if (!context.global.ollama_url.empty()) out.registries.ollama = context.global.ollama_url;
  return {};
}

fs::path DefaultUsageFile() {
  const fs::path folder = StateDirectory();
  std::error_code ignored;
  if (folder.empty() || (fs::create_directories(folder, ignored), !fs::is_directory(folder))) {
    return {};
  }
  fs::permissions(folder, fs::perms::owner_all, ignored);
  return folder / "usage.jsonl";
}

Result<void> Complete(const Context& context, ServeFlags& flags) {
  server::ServerOptions& options = flags.options;
  options.keys = context.global.serve.keys;
  options.currency = context.global.serve.currency;
  if (!flags.token_file.empty()) {
    VADE_TRY(const std::string token, ReadOrMakeToken(flags.token_file));
    options.keys.push_back({.name = "token", .token_sha256 = Sha256Of(token)});
  }
  VADE_CHECK_OK(AddEvaluations(flags.evaluations, options.service.evaluations));
  VADE_CHECK_OK(AddModels(context, flags, options.models));
  options.service.num_threads = context.global.threads;
  options.store = context.global.store;
  options.cache_bytes = flags.cache_mb << 20;
  if (options.usage_file.empty()) options.usage_file = DefaultUsageFile();
  const bool json = flags.log.empty() ? isatty(STDERR_FILENO) == 0 : flags.log == "json";
  options.log = context.global.quiet || flags.log == "none" ? server::LogFormat::kNone
                : json                                      ? server::LogFormat::kJson
                                                            : server::LogFormat::kText;
  return {};
}

int RunServe(const Context& context, ServeFlags& flags) {
  if (const auto complete = Complete(context, flags); !complete) {
    return FailInput(complete.error());
  }
  int code = kOk;
  auto embedder = OpenEmbedder(context, nullptr, &code);
  if (embedder == nullptr) return code;
  const auto server = server::Server::Start(flags.options, std::move(embedder));
  if (!server) return FailInput(server.error());
  const bool v6 = flags.options.host.find(':') != std::string::npos;
  const std::string url = "http://" + (v6 ? "[" + flags.options.host + "]" : flags.options.host) +
                          ":" + std::to_string((*server)->port());
  if (context.global.json) {
    std::cout << nlohmann::json{{"url", url}, {"pid", getpid()}}.dump() << std::endl;
  } else {
    std::cout << "vade " VADE_VERSION " serves " << utf8::Escape(context.global.store.native())
              << " at " << url << " (Ctrl-C stops it)" << std::endl;
  }
  (*server)->Run(true);
  return kOk;
}

void AddModelOptions(CLI::App& command, ServeFlags& flags) {
  constexpr const char* kGroup = "Models";
  server::ModelSettings& models = flags.options.models;
  RunnerSetup& setup = models.pool.setup;
  const auto add = [&](const char* name, auto& value, const char* help) {
    return command.add_option(name, value, help)->group(kGroup);
  };
  add("-m,--model", flags.models,
      "Model by path, name or address (repeatable); the first one answers questions")
      ->type_name("[NAME=]MODEL")
      ->allow_extra_args(false);
  add("--small", models.small, "Model that 'auto' takes for simple questions")->type_name("NAME");
  add("--medium", models.medium, "... for those between")->type_name("NAME");
  add("--large", models.large, "... for difficult ones")->type_name("NAME");
  add("--reranker", models.reranker, "Model of rerank requests that name none")->type_name("NAME");
  add("--context", setup.context_length, "Most tokens of prompt and answer of one request")
      ->check(CLI::Range(size_t{1}, size_t{1} << 24));
  add("--parallel", setup.max_parallel, "Requests one model works on side by side")
      ->check(CLI::Range(size_t{1}, size_t{256}))
      ->capture_default_str();
  add("--queue", setup.max_queue, "Requests that wait for one model; then 503")
      ->check(CLI::Range(size_t{0}, size_t{4096}))
      ->capture_default_str();
  add("--kv", setup.kv, "How keys and values are kept: f16, q8_0 or f32")
      ->check(CLI::IsMember({"f16", "q8_0", "f32"}))
      ->capture_default_str();
  add("--keep-alive", flags.keep_alive_s, "Seconds an unused model stays loaded; -1: for ever")
      ->check(CLI::Range(int64_t{-1}, int64_t{1} << 31))
      ->capture_default_str();
  add("--max-models", models.pool.max_loaded, "Models loaded at once")
      ->check(CLI::Range(size_t{1}, size_t{64}))
      ->capture_default_str();
  add("--memory-mb", flags.memory_mb, "Memory for all models; 0: what is free at the start")
      ->check(CLI::Range(size_t{0}, size_t{1} << 24));
  command
      .add_flag("--allow-model-changes", models.allow_changes, "Let clients pull and delete models")
      ->group(kGroup);
}

}  // namespace

void RegisterServe(CLI::App& app, Context& context) {
  auto flags = std::make_shared<ServeFlags>();
  CLI::App* command = app.add_subcommand(
      "serve", "Serve the web page and the APIs (ours, OpenAI's, Ollama's) over HTTP");
  server::ServerOptions& options = flags->options;
  command->add_option("--host", options.host, "Address to listen at")->capture_default_str();
  command->add_option("--port", options.port, "Port to listen at; 0: any free one")
      ->capture_default_str();
  command
      ->add_option("--token-file", flags->token_file,
                   "Ask clients for the token in this file, which is made if it is not there")
      ->type_name("FILE");
  command->add_option("--allow-host", options.allowed_hosts, "Host name to be served under as well")
      ->type_name("NAME");
  command
      ->add_option("--allow-origin", options.allowed_origins,
                   "Other web page that may use the API, as https://example.org")
      ->type_name("ORIGIN");
  AddModelOptions(*command, *flags);
  command->add_option("--requests-per-minute", options.requests_per_minute,
                      "Most requests of one key; 0: no limit");
  command->add_option("--eval-set", flags->evaluations, "Test collection the page may run")
      ->type_name("[NAME=]FOLDER");
  command->add_option("--cache-mb", flags->cache_mb, "Memory for answers given again; 0: none")
      ->check(CLI::Range(size_t{0}, size_t{65536}))
      ->capture_default_str();
  command->add_option("--usage-file", options.usage_file, "Where use is recorded (vade usage)")
      ->type_name("FILE");
  command->add_option("--log", flags->log, "Log of requests: json, text or none")
      ->check(CLI::IsMember({"json", "text", "none"}));
  command->add_option("--max-connections", options.limits.max_connections, "Connections at once")
      ->check(CLI::Range(size_t{1}, size_t{65536}))
      ->capture_default_str();
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunServe(context, *flags); }; });
}

}  // namespace vade::qa
