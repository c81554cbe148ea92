// How a model's name finds its file: in the folder of pulled models, or among the names that the
// operator has given to paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace vade::qa {

struct KeptModel {
  std::string file;  // name in the folder
  uint64_t bytes = 0;
};

/// The GGUF files of a folder, by name; of a folder that cannot be read: none.
[[nodiscard]] std::vector<KeptModel> KeptModels(const std::filesystem::path& folder);

/// NAME or NAME.gguf in the folder (of a split model NAME-00001-of-N.gguf); empty if there is none.
/// The name may come from anybody: with a slash, a NUL, or a dot in front it names nothing.
[[nodiscard]] std::filesystem::path FindKeptModel(const std::filesystem::path& folder,
                                                  std::string_view name);

/// What may be asked for by name. A path is never a name.
struct ModelNames {
  std::filesystem::path folder;                        // may be empty
  std::map<std::string, std::filesystem::path> named;  // by the operator; looked at first

  /// NAME:latest is NAME. Errors: kNotFound, in the same words whatever is on the disk.
  [[nodiscard]] Result<std::filesystem::path> Find(std::string_view name) const;
};

}  // namespace vade::qa
