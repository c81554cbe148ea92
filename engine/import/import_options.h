// What every import takes.
#pragma once

#include <filesystem>
#include <string>

#include "engine/import/requantize.h"

namespace vade::import {

struct ImportOptions {
  std::string name;     // general.name; empty: the folder's or file's name
  std::string license;  // general.license, an SPDX id such as "apache-2.0"; may be empty
  WriteOptions write{.type = FileType::kF32};
  std::filesystem::path tokenizer;  // llama2.c: the tokenizer file; empty: looked for
  std::string pre;                  // decoder folders: tokenizer.ggml.pre; empty: recognised
};

/// The name of a folder or, without its extension, of a file, as general.name.
[[nodiscard]] std::string NameOfSource(const std::filesystem::path& path);

}  // namespace vade::import
