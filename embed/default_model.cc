#include <array>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include "embed/embedder.h"

namespace vade::embed {
namespace {

constexpr std::string_view kFileName = "all-MiniLM-L6-v2.Q8_0.gguf";

// Where the installed program keeps its models: PREFIX/share/vade/models for PREFIX/bin/vade.
std::filesystem::path InstalledModels() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return {};
  return self.parent_path().parent_path() / "share" / "vade" / "models";
}

}  // namespace

Result<std::filesystem::path> FindDefaultModel() {
  std::error_code error;
  if (const char* model = std::getenv("VADE_MODEL"); model != nullptr && *model != '\0') {
    if (std::filesystem::exists(model, error)) return model;
    return Fail(ErrorCode::kNotFound, "VADE_MODEL: no such file: '" + std::string(model) + "'");
  }
  std::vector<std::filesystem::path> folders;
  if (const char* data = std::getenv("VADE_DATA"); data != nullptr && *data != '\0') {
    folders.emplace_back(data);
  }
  if (auto installed = InstalledModels(); !installed.empty()) folders.push_back(installed);
  folders.emplace_back(VADE_SOURCE_MODELS);
  std::string tried;
  for (const std::filesystem::path& folder : folders) {
    const std::filesystem::path file = folder / kFileName;
    if (std::filesystem::exists(file, error)) return file;
    tried += (tried.empty() ? "" : ", ") + folder.string();
  }
  return Fail(ErrorCode::kNotFound, "no embedding model: " + std::string(kFileName) +
                                        " is not in " + tried + "; set VADE_MODEL or --model");
}

}  // namespace vade::embed
