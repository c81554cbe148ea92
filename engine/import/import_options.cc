#include "engine/import/import_options.h"

#include "engine/base/utf8.h"

namespace vade::import {

std::string NameOfSource(const std::filesystem::path& path) {
  const auto clean = std::filesystem::absolute(path).lexically_normal();
  const auto last = clean.has_filename() ? clean : clean.parent_path();
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(last, ignored);
  return utf8::Repair((is_folder ? last.filename() : last.stem()).native());
}

}  // namespace vade::import
