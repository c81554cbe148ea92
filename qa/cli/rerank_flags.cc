#include "qa/cli/rerank_flags.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "engine/remote/model_address.h"
#include "qa/cli/model_files.h"
#include "retriever/local_reranker.h"
#include "retriever/remote_reranker.h"

namespace vade::qa {

void AddRerankFlags(CLI::App& command, RerankFlags& flags) {
  command
      .add_option("--rerank", flags.model,
                  "Have a reranker order the best passages: a GGUF file, its name in the models "
                  "folder, or openai://host[:port][/v1]/name")
      ->type_name("MODEL");
  command.add_option("--rerank-top", flags.top, "Chunks that the reranker reads")
      ->check(CLI::Range(size_t{1}, size_t{1000}))
      ->capture_default_str();
}

std::unique_ptr<retriever::Reranker> OpenReranker(const Context& context, const RerankFlags& flags,
                                                  int* exit_code) {
  if (flags.model.empty()) return nullptr;
  const auto open = [&]() -> Result<std::unique_ptr<retriever::Reranker>> {
    if (remote::IsModelAddress(flags.model)) return retriever::RemoteReranker::Open(flags.model);
    return retriever::LocalReranker::Load(FindModel(context, flags.model), context.global.threads);
  };
  auto reranker = open();
  if (!reranker) {
    *exit_code = FailInput(reranker.error());
    return nullptr;
  }
  return *std::move(reranker);
}

}  // namespace vade::qa
