// Reader of zip containers whose entries are stored as they are, as torch writes them. Nothing in
// them is trusted. Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::import {

/// Views the bytes it was parsed from.
class StoredZip {
 public:
  /// Whether bytes begin as a zip container does.
  [[nodiscard]] static bool LooksLike(std::span<const std::byte> bytes) noexcept;

  /// Errors: kCorruptData for a directory or an entry outside the file, or a name twice;
  /// kUnsupported for compressed or encrypted entries and containers of several volumes.
  [[nodiscard]] static Result<StoredZip> Parse(std::span<const std::byte> bytes,
                                               const std::string& name);

  /// By name.
  [[nodiscard]] const std::map<std::string, std::span<const std::byte>, std::less<>>& entries()
      const noexcept {
    return entries_;
  }

 private:
  std::map<std::string, std::span<const std::byte>, std::less<>> entries_;
};

}  // namespace vade::import
