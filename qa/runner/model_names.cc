#include "qa/runner/model_names.h"

#include <algorithm>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 200;
constexpr std::string_view kLatest = ":latest";

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

}  // namespace

std::vector<KeptModel> KeptModels(const fs::path& folder) {
  std::vector<KeptModel> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() != ".gguf" || !at->is_regular_file(ignored)) continue;
    out.push_back({at->path().filename().native(), at->file_size(ignored)});
  }
  std::ranges::sort(out, {}, &KeptModel::file);
  return out;
}

fs::path FindKeptModel(const fs::path& folder, std::string_view name) {
  if (folder.empty() || !IsName(name)) return {};
  const std::string plain(name);
  std::error_code ignored;
  for (const std::string& file : {plain, plain + ".gguf"}) {
    if (fs::is_regular_file(folder / file, ignored)) return folder / file;
  }
  for (const KeptModel& kept : KeptModels(folder)) {
    if (kept.file.starts_with(plain + "-00001-of-")) return folder / kept.file;
  }
  return {};
}

Result<fs::path> ModelNames::Find(std::string_view name) const {
  std::string_view plain = name;
  if (plain.ends_with(kLatest)) plain.remove_suffix(kLatest.size());
  for (const std::string_view wanted : {name, plain}) {
    if (const auto found = named.find(std::string(wanted)); found != named.end()) {
      return found->second;
    }
    if (fs::path path = FindKeptModel(folder, wanted); !path.empty()) return path;
  }
  return Fail(ErrorCode::kNotFound,
              "model '" + utf8::Escape(name.substr(0, kMaxNameBytes)) + "' not found");
}

}  // namespace vade::qa
