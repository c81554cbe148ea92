// Imports a checkpoint of llama2.c: a header of seven numbers and float weights, tensor kind by
// tensor kind. Format: https://github.com/karpathy/llama2.c, export.py, versions 0 and 1.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "engine/base/result.h"
#include "engine/import/import_options.h"

namespace vade::import {

/// Whether the first bytes of a file could be a checkpoint's header: versions 0 and 1 of the
/// format, sizes that fit `file_bytes`.
[[nodiscard]] bool LooksLikeLlama2c(std::span<const std::byte> head, uint64_t file_bytes);

/// Writes a checkpoint as a GGUF file of architecture "llama". The token texts come from
/// options.tokenizer, else from "tokenizer.bin" or "tok<vocab size>.bin" beside the checkpoint,
/// else there are none: such a model takes and gives ids, and bytes as far as those are fixed.
/// Errors: kCorruptData for a header that disagrees with the file's size or a tokenizer of another
/// vocabulary; kUnsupported for version 2 (8-bit weights). Nothing is written on failure.
[[nodiscard]] Result<void> ImportLlama2c(const std::filesystem::path& checkpoint,
                                         const std::filesystem::path& out,
                                         const ImportOptions& options);

}  // namespace vade::import
