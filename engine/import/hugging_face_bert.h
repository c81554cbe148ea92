// Imports a BERT encoder from a Hugging Face folder (config.json, model.safetensors, tokenizer
// files, sentence-transformers modules) into a GGUF file with llama.cpp's names.
#pragma once

#include <filesystem>

#include "engine/base/result.h"
#include "engine/import/import_options.h"

namespace vade::import {

/// Errors: kNotFound for a missing file; kUnsupported naming the setting that is not BERT as we run
/// it (architecture, activation, pooling, extra modules); kCorruptData for tensors that are missing
/// or shaped otherwise than config.json says. Nothing is written on failure.
[[nodiscard]] Result<void> ImportHuggingFaceBert(const std::filesystem::path& folder,
                                                 const std::filesystem::path& out,
                                                 const ImportOptions& options);

}  // namespace vade::import
