#include "qa/indexer/scope.h"

#include <filesystem>
#include <system_error>

#include "engine/base/file.h"
#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

// The path of `inner` below `outer`: "" when equal; nothing when it is not inside.
std::optional<std::string> PathBelow(std::string_view outer, std::string_view inner) {
  if (inner == outer) return "";
  std::string folder(outer);
  if (!folder.ends_with('/')) folder += '/';
  if (!inner.starts_with(folder)) return std::nullopt;
  return std::string(inner.substr(folder.size()));
}

}  // namespace

Result<Scope> ResolveScope(const std::string& root, std::string_view name,
                           vectorstore::Store& store) {
  std::error_code failure;
  const fs::path absolute = fs::canonical(root, failure);
  if (failure) return tl::unexpected(ErrnoError(utf8::Escape(root), failure.value()));
  const bool is_folder = fs::is_directory(absolute, failure);
  const fs::path folder = is_folder ? absolute : absolute.parent_path();

  Scope scope;
  if (!is_folder) scope.single_file = absolute.filename().native();
  VADE_TRY(const auto collections, store.ListCollections());
  for (const vectorstore::Collection& known : collections) {
    const auto below = PathBelow(known.root, folder.native());
    if (!below) continue;
    scope.collection = known;
    scope.prefix = below->empty() ? "" : *below + "/";
    return scope;
  }
  std::string chosen(name);
  if (chosen.empty()) chosen = utf8::Repair(folder.filename().native());
  if (chosen.empty()) chosen = "root";
  VADE_TRY(scope.collection, store.AddCollection(folder.native(), chosen));
  for (const vectorstore::Collection& known : collections) {
    const auto below = PathBelow(folder.native(), known.root);
    if (!below || !is_folder) continue;
    VADE_CHECK_OK(store.MergeCollection(known.id, scope.collection.id, *below + "/"));
  }
  return scope;
}

}  // namespace vade::qa
