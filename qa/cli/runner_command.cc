// vade runner: the process that holds one model for a server. Hidden: the server starts it.
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "qa/cli/context.h"
#include "qa/runner/runner.h"

namespace vade::qa {
namespace {

int RunFromStandardInput() {
  struct stat status {};
  if (fstat(STDIN_FILENO, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    return FailUsage("runner: standard input is no socket; 'vade serve' starts runners");
  }
  return RunRunner(UniqueFd(STDIN_FILENO));
}

}  // namespace

void RegisterRunner(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("runner", "Hold a model for 'vade serve'");
  command->group("");  // not in the help
  command->callback([&context] { context.run = RunFromStandardInput; });
}

}  // namespace vade::qa
