// LibraryMcp: the library as tools of the Model Context Protocol: search, ask, get and status, and
// its documents as resources. It only reads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/language_model.h"
#include "qa/mcp/mcp_tools.h"
#include "retriever/retriever.h"
#include "vectorstore/document_address.h"
#include "vectorstore/store.h"

namespace vade::qa {

/// Answers a question as JSON: ToJson(Answer) or ToJson(ModelAnswer). Thread-safe.
using McpAsk = std::function<Result<nlohmann::json>(
    const std::string& question, const retriever::SearchOptions& search,
    const McpProgress& progress, const CancelToken* cancel)>;

/// The answer composed of the documents' sentences, without a model.
[[nodiscard]] McpAsk ComposedMcpAsk(const vectorstore::Store* store, embed::Embedder* embedder);

/// The answer that a model writes, each sentence checked; told as progress are the tokens read and
/// the sentences written.
[[nodiscard]] McpAsk ModelMcpAsk(const vectorstore::Store* store, embed::Embedder* embedder,
                                 engine::LanguageModel* model);

struct LibraryMcpOptions {
  std::vector<std::string> collections;  // only these can be seen; empty: all
  std::string model;                     // that `ask` answers with, for `status`; empty: none
};

/// Thread-safe as its parts. Does not own them.
class LibraryMcp final : public McpTools {
 public:
  LibraryMcp(const vectorstore::Store* store, embed::Embedder* embedder, McpAsk ask,
             LibraryMcpOptions options = {});

  [[nodiscard]] std::string Instructions() const override;
  [[nodiscard]] const std::vector<McpTool>& tools() const override { return tools_; }
  [[nodiscard]] Result<McpOutput> Call(std::string_view name, const nlohmann::json& arguments,
                                       const McpProgress& progress,
                                       const CancelToken* cancel) const override;
  [[nodiscard]] Result<McpResourcePage> ListResources(size_t begin, size_t count) const override;
  [[nodiscard]] nlohmann::json ResourceTemplates() const override;
  [[nodiscard]] Result<std::string> ReadResource(std::string_view uri) const override;

 private:
  [[nodiscard]] Result<McpOutput> Search(const nlohmann::json& arguments,
                                         const McpProgress& progress) const;
  [[nodiscard]] Result<McpOutput> Ask(const nlohmann::json& arguments, const McpProgress& progress,
                                      const CancelToken* cancel) const;
  [[nodiscard]] Result<McpOutput> Get(const nlohmann::json& arguments) const;
  [[nodiscard]] Result<McpOutput> Status() const;
  [[nodiscard]] Result<retriever::SearchOptions> SearchOptionsOf(
      const nlohmann::json& arguments) const;
  /// Documents that may be seen.
  [[nodiscard]] Result<std::vector<vectorstore::DocumentRecord>> Documents() const;
  [[nodiscard]] Result<vectorstore::Excerpt> ReadPage(vectorstore::DocumentId id,
                                                      std::string_view page) const;

  const vectorstore::Store* store_;
  embed::Embedder* embedder_;
  McpAsk ask_;
  LibraryMcpOptions options_;
  std::vector<McpTool> tools_;
};

/// Names, descriptions and schemas of the four tools.
[[nodiscard]] std::vector<McpTool> LibraryMcpTools();

}  // namespace vade::qa
