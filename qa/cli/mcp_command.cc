// vade mcp: the library for clients of the Model Context Protocol, over standard input and output.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/mcp/library_mcp.h"
#include "qa/mcp/mcp_stdio.h"

namespace vade::qa {
namespace {

struct McpFlags {
  std::vector<std::string> collections;
  ModelFlags model;
};

/// The first name that no collection has; empty if all are known.
Result<std::string> UnknownName(const vectorstore::Store& store,
                                const std::vector<std::string>& names) {
  VADE_TRY(const auto collections, store.ListCollections());
  for (const std::string& name : names) {
    const bool known =
        std::ranges::any_of(collections, [&](const auto& each) { return each.name == name; });
    if (!known) return name;
  }
  return std::string();
}

int RunMcp(const Context& context, const McpFlags& flags) {
  int code = kOk;
  const auto store = OpenStore(context, {.read_only = true, .create = false}, &code);
  if (store == nullptr) return code;
  const auto unknown = UnknownName(*store, flags.collections);
  if (!unknown) return FailStore(unknown.error());
  if (!unknown->empty()) {
    return FailUsage("no collection '" + utf8::Escape(*unknown) + "' (see 'vade status')");
  }
  const auto embedder = OpenEmbedder(context, store.get(), &code);
  if (embedder == nullptr) return code;
  std::unique_ptr<engine::LanguageModel> model;
  McpAsk ask = ComposedMcpAsk(store.get(), embedder.get());
  LibraryMcpOptions options;
  options.collections = flags.collections;
  if (!flags.model.path.empty()) {
    model = OpenLanguageModel(context, flags.model, &code);
    if (model == nullptr) return code;
    ask = ModelMcpAsk(store.get(), embedder.get(), model.get());
    options.model = std::string(model->name());
  }
  const LibraryMcp library(store.get(), embedder.get(), std::move(ask), std::move(options));
  const auto served = ServeMcpStdio(library, STDIN_FILENO, STDOUT_FILENO, context.cancel);
  if (!served && served.error().code == ErrorCode::kCancelled) return kInterrupted;
  return served ? kOk : FailInput(served.error());
}

}  // namespace

void RegisterMcp(CLI::App& app, Context& context) {
  auto flags = std::make_shared<McpFlags>();
  CLI::App* command = app.add_subcommand(
      "mcp", "Serve the library to a client of the Model Context Protocol (standard input/output)");
  command->add_option("-c,--collection", flags->collections, "Only this collection (repeatable)")
      ->type_name("NAME");
  AddModelFlags(*command, flags->model, false);
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunMcp(context, *flags); }; });
}

}  // namespace vade::qa
