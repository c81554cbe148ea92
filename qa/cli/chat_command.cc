// vade chat: a conversation about the documents, or with a model alone.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "qa/cli/chat_loop.h"
#include "qa/cli/chat_tools.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/question_flags.h"

namespace vade::qa {
namespace {

// Of the cache: room for rewriting a question while the conversation stays where it is.
constexpr size_t kRewritingTokens = 1024;

struct ChatFlags {
  std::vector<std::string> folders;
  std::vector<std::string> collections;
  size_t count = 8;
  std::string load;
  bool plain = false;
  bool tools = false;
  std::vector<std::string> allowed;
  std::optional<size_t> history_tokens;
  RerankFlags rerank;
  ModelFlags model;
  SamplingFlags sampling;
};

/// The collections that a folder is, or holds.
Result<std::vector<std::string>> CollectionsIn(const vectorstore::Store& store,
                                               const std::string& folder) {
  std::error_code error;
  const auto path = std::filesystem::canonical(folder, error);
  if (error) return tl::unexpected(ErrnoError(utf8::Escape(folder), error.value()));
  VADE_TRY(const auto collections, store.ListCollections());
  std::vector<std::string> names;
  for (const vectorstore::Collection& collection : collections) {
    const std::string& root = collection.root;
    const bool inside = root.starts_with(path.native() + "/") || path == "/";
    if (root == path.native() || inside) names.push_back(collection.name);
  }
  if (!names.empty()) return names;
  return Fail(ErrorCode::kInvalidArgument, utf8::Escape(folder) +
                                               " is not in the library: index it first with "
                                               "'vade index FOLDER'");
}

int OpenDocuments(const Context& context, const ChatFlags& flags, OpenedLibrary& library,
                  retriever::SearchOptions& search) {
  int code = kOk;
  library.store = OpenStore(context, {.read_only = true, .create = false}, &code);
  if (library.store == nullptr) return code;
  library.embedder = OpenEmbedder(context, library.store.get(), &code);
  if (library.embedder == nullptr) return code;
  library.reranker = OpenReranker(context, flags.rerank, &code);
  if (code != kOk) return code;
  search.rerank = flags.rerank.top;
  search.k = flags.count;
  search.filter.collections = flags.collections;
  for (const std::string& folder : flags.folders) {
    const auto names = CollectionsIn(*library.store, folder);
    if (!names) return FailQuestion(names.error());
    search.filter.collections.insert(search.filter.collections.end(), names->begin(), names->end());
  }
  return kOk;
}

int RunChat(const Context& context, const ChatFlags& flags) {
  ChatOptions options;
  options.history_tokens = flags.history_tokens;
  auto generate = ToModelRequest(flags.sampling);
  if (!generate) return FailInput(generate.error());
  options.generate = *std::move(generate);
  if (flags.plain && flags.model.path.empty()) {
    return FailUsage("--plain talks to a language model: name one with -m");
  }
  if (flags.tools && flags.model.path.empty()) {
    return FailUsage("--tools are for a language model: name one with -m");
  }
  auto tools = MakeChatTools(context.global.tools, flags.allowed);
  if (!tools) return FailUsage(tools.error().message);
  OpenedLibrary library;
  if (!flags.plain) {
    if (const int code = OpenDocuments(context, flags, library, options.search)) return code;
  }
  ModelFlags model = flags.model;
  model.spare_tokens = flags.plain ? 0 : kRewritingTokens;
  std::unique_ptr<engine::LanguageModel> language_model;
  if (!model.path.empty()) {
    int code = kOk;
    language_model = OpenLanguageModel(context, model, &code);
    if (language_model == nullptr) return code;
  }
  ChatLoop loop(context, library.store.get(), library.embedder.get(), std::move(language_model),
                model, std::move(options), library.reranker.get());
  loop.SetTools(*std::move(tools), flags.tools);
  if (!flags.load.empty()) {
    if (const auto loaded = loop.Load(flags.load); !loaded) return FailInput(loaded.error());
  }
  const auto lines = LineReader::ForStdin("> ");
  return loop.Run(*lines);
}

}  // namespace

void RegisterChat(CLI::App& app, Context& context) {
  auto flags = std::make_shared<ChatFlags>();
  CLI::App* command =
      app.add_subcommand("chat", "A conversation about the documents; questions may be piped in");
  command->add_option("folders", flags->folders, "Only these indexed folders")->type_name("FOLDER");
  command->add_option("-c,--collection", flags->collections, "Only this collection (repeatable)")
      ->type_name("NAME");
  command->add_option("--count", flags->count, "Passages to read for an answer")
      ->check(CLI::Range(size_t{1}, size_t{100}))
      ->capture_default_str();
  AddRerankFlags(*command, flags->rerank);
  AddModelFlags(*command, flags->model, false);
  command->add_flag("--plain", flags->plain,
                    "Talk to the model without the documents: nothing it says is proven");
  command->add_flag("--tools", flags->tools,
                    "Let the model search the library, read pages, calculate, convert units, tell "
                    "the time, and use the servers of [tools] in the configuration");
  command
      ->add_option("--allow-tool", flags->allowed,
                   "A tool that may leave this machine without being asked about (repeatable)")
      ->type_name("NAME");
  command->add_option("--history", flags->history_tokens,
                      "Most tokens of the conversation in a prompt (default: half of the context)");
  command->add_option("--load", flags->load, "Go on with a saved conversation")->type_name("FILE");
  flags->sampling.sampling.temperature = 0;  // the likeliest words, and the same each time
  AddSamplingFlags(*command, flags->sampling, "-n,--max-tokens");
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunChat(context, *flags); }; });
}

}  // namespace vade::qa
