// Imports a decoder from a Hugging Face folder into a GGUF file with llama.cpp's names.
#pragma once

#include <filesystem>

#include "engine/base/result.h"
#include "engine/import/import_options.h"

namespace vade::import {

/// Errors: kNotFound for a missing file; kUnsupported naming the model type, setting, tensor or
/// tokenizer step that the engine does not have; kCorruptData for tensors that are missing or
/// shaped otherwise than config.json says. Nothing is written on failure.
[[nodiscard]] Result<void> ImportHuggingFaceDecoder(const std::filesystem::path& folder,
                                                    const std::filesystem::path& out,
                                                    const ImportOptions& options);

/// Any folder: a decoder if config.json names one that we know, else as an encoder.
[[nodiscard]] Result<void> ImportHuggingFace(const std::filesystem::path& folder,
                                             const std::filesystem::path& out,
                                             const ImportOptions& options);

}  // namespace vade::import
