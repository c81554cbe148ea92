// McpTools: what a server of the Model Context Protocol offers; the session carries it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"

namespace vade::qa {

struct McpTool {
  std::string name;
  std::string title;
  std::string description;
  nlohmann::json input_schema;   // of the arguments object; what CheckArguments reads
  nlohmann::json output_schema;  // of McpOutput::structured
};

/// The same said twice: for programs, and for models that are given text.
struct McpOutput {
  nlohmann::json structured;
  std::string text;
};

/// How far a call is; `total` 0 when nobody knows. May be called from the call's thread only.
using McpProgress = std::function<void(double done, double total, const std::string& message)>;

struct McpResource {
  std::string uri;
  std::string name;
  std::string title;
  uint64_t bytes = 0;
};

struct McpResourcePage {
  std::vector<McpResource> resources;
  bool more = false;
};

/// Thread-safe.
class McpTools {
 public:
  virtual ~McpTools() = default;

  /// What the client is told about all of it.
  [[nodiscard]] virtual std::string Instructions() const = 0;
  [[nodiscard]] virtual const std::vector<McpTool>& tools() const = 0;
  /// REQUIRES a name from tools() and arguments that fit its schema. Errors are told to the client
  /// as the tool's; kCancelled when asked to stop.
  [[nodiscard]] virtual Result<McpOutput> Call(std::string_view name,
                                               const nlohmann::json& arguments,
                                               const McpProgress& progress,
                                               const CancelToken* cancel) const = 0;

  [[nodiscard]] virtual Result<McpResourcePage> ListResources(size_t begin, size_t count) const = 0;
  /// uri templates and what they name: {"uriTemplate", "name", ...}.
  [[nodiscard]] virtual nlohmann::json ResourceTemplates() const = 0;
  /// The text. kNotFound for what there is not, kInvalidArgument for what is no such URI.
  [[nodiscard]] virtual Result<std::string> ReadResource(std::string_view uri) const = 0;
};

}  // namespace vade::qa
