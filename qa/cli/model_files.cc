#include "qa/cli/model_files.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/cli/progress.h"
#include "qa/runner/model_names.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

}  // namespace

fs::path FindModel(const Context& context, const std::string& name) {
  std::error_code ignored;
  const fs::path& folder = context.global.models;
  const bool is_path = name.find('/') != std::string::npos || fs::exists(name, ignored);
  if (is_path || folder.empty() || name.empty()) return name;
  const fs::path kept = FindKeptModel(folder, name);
  return kept.empty() ? fs::path(name) : kept;
}

int RunModelList(const Context& context) {
  const std::vector<KeptModel> models = KeptModels(context.global.models);
  if (context.global.json) {
    nlohmann::json out = nlohmann::json::array();
    for (const KeptModel& kept : models) {
      out.push_back({{"name", utf8::Repair(kept.file)}, {"bytes", kept.bytes}});
    }
    std::cout << nlohmann::json{{"folder", utf8::Repair(context.global.models.native())},
                                {"models", out}}
                     .dump()
              << '\n';
    return kOk;
  }
  for (const KeptModel& kept : models) {
    std::cout << utf8::Escape(kept.file) << "  " << FormatBytes(kept.bytes) << '\n';
  }
  if (models.empty() && !context.global.quiet) {
    std::cout << "no models in " << utf8::Escape(context.global.models.native())
              << "; 'vade model pull' fetches one\n";
  }
  return kOk;
}

}  // namespace vade::qa
