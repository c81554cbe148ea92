// vade: parses the command line, runs one command, exits with its code.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "engine/base/logging.h"
#include "engine/kernels/isa.h"
#include "qa/cli/config.h"
#include "qa/cli/context.h"

namespace {

vade::CancelToken* g_cancel = nullptr;  // the one token a signal handler may touch
volatile std::sig_atomic_t g_signal = 0;

// First signal: ask the work to stop at its next safe point. Second: stop now; the store's
// transactions make that safe as well.
void OnSignal(int signal) {
  if (g_signal != 0) _exit(128 + signal);
  g_signal = signal;
  g_cancel->Cancel();
}

// Model files are mapped, and one that is cut short while in use can no longer be read. Nothing
// that this process has left half done outlives it.
void OnLostFile(int) {
  constexpr std::string_view kMessage =
      "vade: a model file was cut short while in use; run again once it is whole\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(vade::qa::kDiskError);
}

void InstallSignalHandlers(vade::CancelToken& cancel) {
  g_cancel = &cancel;
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGBUS, OnLostFile);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), not our death
}

void RegisterGlobals(CLI::App& app, vade::qa::GlobalOptions& options) {
  app.add_option("--store", options.store, "The library file")->type_name("FILE");
  app.add_option("--embedder", options.model,
                 "The embedding model: a GGUF file, its name in the models folder, ollama://... or "
                 "openai://...")
      ->type_name("MODEL");
  app.add_option("--threads", options.threads, "Threads to use; 0: all cores")
      ->check(CLI::Range(0, 1024));
  app.add_flag("--json", options.json, "Machine-readable output");
  app.add_flag("-q,--quiet", options.quiet, "No progress, no warnings");
  app.add_flag("-v,--verbose", options.verbose, "More log lines; twice for still more");
  app.fallthrough();  // global flags may stand after the command
}

vade::Verbosity LogLevel(const vade::qa::GlobalOptions& options) {
  if (options.quiet) return vade::Verbosity::kQuiet;
  if (options.verbose >= 2) return vade::Verbosity::kDebug;
  return options.verbose == 1 ? vade::Verbosity::kVerbose : vade::Verbosity::kNormal;
}

int ParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) {  // --help, --version
    app.exit(error);
    return vade::qa::Finish(vade::qa::kOk);
  }
  return vade::qa::FailUsage(std::string(error.what()) + " (see 'vade --help')");
}

int Run(int argc, char** argv) {
  vade::qa::Context context;
  if (const auto loaded = vade::qa::LoadConfig(context.global); !loaded) {
    return vade::qa::FailUsage(loaded.error().message);
  }
  CLI::App app{
      "vade: index a folder of manuals, ask it questions, get answers with proven "
      "citations, and measure the retrieval.",
      "vade"};
  app.set_version_flag("--version", "vade " VADE_VERSION);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all commands");
  RegisterGlobals(app, context.global);
  vade::qa::RegisterIndex(app, context);
  vade::qa::RegisterAsk(app, context);
  vade::qa::RegisterChat(app, context);
  vade::qa::RegisterSearch(app, context);
  vade::qa::RegisterEval(app, context);
  vade::qa::RegisterStoreCommands(app, context);
  vade::qa::RegisterDoctor(app, context);
  vade::qa::RegisterGenerate(app, context);
  vade::qa::RegisterExplain(app, context);
  vade::qa::RegisterServe(app, context);
  vade::qa::RegisterServerCommands(app, context);
  vade::qa::RegisterMcp(app, context);
  vade::qa::RegisterBench(app, context);
  vade::qa::RegisterModel(app, context);
  vade::qa::RegisterDebug(app, context);
  vade::qa::RegisterRunner(app, context);
  if (argc <= 1) {
    std::fputs(app.help().c_str(), stderr);
    return vade::qa::kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ParseError(app, error);
  }
  vade::InitLogging(LogLevel(context.global));
  if (const auto isa = vade::kernels::SelectIsa(); !isa) {
    return vade::qa::FailUsage(isa.error().message);
  }
  InstallSignalHandlers(context.cancel);
  const int code = vade::qa::Finish(context.run());
  return g_signal == SIGTERM && code == vade::qa::kInterrupted ? 128 + SIGTERM : code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vade: internal error: %s\n", error.what());
  } catch (...) {
    std::fputs("vade: internal error\n", stderr);
  }
  return vade::qa::kInternalError;
}
