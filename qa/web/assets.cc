// Finding a file of the page; the table itself is written by embed.cmake.
#include "qa/web/assets.h"

#include <algorithm>

namespace vade::qa::web {

const Asset* FindAsset(std::string_view path) {
  const std::span<const Asset> assets = Assets();
  const auto found = std::ranges::lower_bound(assets, path, {}, &Asset::path);
  return found != assets.end() && found->path == path ? &*found : nullptr;
}

}  // namespace vade::qa::web
