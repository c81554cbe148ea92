#include "qa/cli/model_files.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/cli/progress.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

struct Kept {
  std::string name;
  uint64_t bytes = 0;
};

// GGUF files of the folder, by name.
std::vector<Kept> KeptModels(const fs::path& folder) {
  std::vector<Kept> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() != ".gguf" || !at->is_regular_file(ignored)) continue;
    out.push_back({at->path().filename().native(), at->file_size(ignored)});
  }
  std::ranges::sort(out, {}, &Kept::name);
  return out;
}

}  // namespace

fs::path FindModel(const Context& context, const std::string& name) {
  std::error_code ignored;
  const fs::path& folder = context.global.models;
  const bool is_path = name.find('/') != std::string::npos || fs::exists(name, ignored);
  if (is_path || folder.empty() || name.empty()) return name;
  for (const std::string& file : {name, name + ".gguf"}) {
    if (fs::exists(folder / file, ignored)) return folder / file;
  }
  for (const Kept& kept : KeptModels(folder)) {
    if (kept.name.starts_with(name + "-00001-of-")) return folder / kept.name;
  }
  return name;
}

int RunModelList(const Context& context) {
  const std::vector<Kept> models = KeptModels(context.global.models);
  if (context.global.json) {
    nlohmann::json out = nlohmann::json::array();
    for (const Kept& kept : models) {
      out.push_back({{"name", utf8::Repair(kept.name)}, {"bytes", kept.bytes}});
    }
    std::cout << nlohmann::json{{"folder", utf8::Repair(context.global.models.native())},
                                {"models", out}}
                     .dump()
              << '\n';
    return kOk;
  }
  for (const Kept& kept : models) {
    std::cout << utf8::Escape(kept.name) << "  " << FormatBytes(kept.bytes) << '\n';
  }
  if (models.empty() && !context.global.quiet) {
    std::cout << "no models in " << utf8::Escape(context.global.models.native())
              << "; 'vade model pull' fetches one\n";
  }
  return kOk;
}

}  // namespace vade::qa
