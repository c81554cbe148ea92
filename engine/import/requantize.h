// Writing a GGUF file again with its tensors in other formats.
#pragma once

#include <filesystem>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/gguf/writer.h"
#include "engine/import/file_type.h"

namespace vade::import {

struct WriteOptions {
  FileType type = FileType::kQ8_0;
  bool replace = false;                 // overwrite an existing output
  size_t num_threads = 0;               // 0: all cores
  gguf::TensorProgress on_tensor;       // may be empty
  const CancelToken* cancel = nullptr;  // checked every few million values
};

/// Writes `in` as options.type to `out`; metadata is copied. Memory: a few megabytes, whatever the
/// model's size. A tensor of a quantised type other than Q8_0 (whose error is small beside that of
/// the narrower types) is kept as it is, never quantised twice; any readable type becomes a float.
/// Errors: kUnsupported if no matrix can be converted; kCorruptData for NaN or infinity, naming the
/// place; kCancelled.
[[nodiscard]] Result<void> Requantize(const gguf::File& in, const std::filesystem::path& out,
                                      const WriteOptions& options);

}  // namespace vade::import
