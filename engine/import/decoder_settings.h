// config.json of a decoder folder as GGUF metadata.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/writer.h"
#include "engine/import/decoder_source.h"
#include "engine/import/json_file.h"
#include "engine/import/packed_weights.h"

namespace vade::import {

/// What the tensors' way into the file depends on.
struct DecoderSettings {
  uint32_t num_layers = 0;
  uint32_t num_heads = 0;
  uint32_t num_kv_heads = 0;
  uint32_t head_dim = 0;
  uint32_t num_experts = 0;  // 0: a dense model
  bool tied = false;         // config.json says that the output is the embedding
  Packing packing;           // of matrices that are not stored as floats
  /// Tensors that the folder has as settings only: factors of the rotation's frequencies.
  std::vector<std::pair<std::string, std::vector<float>>> rope_factors;
};

/// Writes the keys of `source`'s architecture. `config`: with the text model's settings on top.
/// Errors: kUnsupported naming the setting that the engine does not compute; kCorruptData for
/// missing settings or sizes that make no sense.
[[nodiscard]] Result<DecoderSettings> AddDecoderSettings(const JsonObject& config,
                                                         const DecoderSource& source,
                                                         gguf::Writer& writer);

}  // namespace vade::import
