// The rotation's settings in config.json, old style (rope_theta, rope_scaling) and new
// (rope_parameters), as GGUF keys and tensors of factors.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/gguf/writer.h"
#include "engine/import/decoder_settings.h"
#include "engine/import/json_file.h"

namespace vade::import {

/// Writes <arch>.rope.* and adds to settings.rope_factors.
/// Errors: kUnsupported for a kind of scaling that the engine does not have; kCorruptData.
[[nodiscard]] Result<void> AddRopeSettings(const JsonObject& config, const DecoderSource& source,
                                           uint32_t context_length, DecoderSettings& settings,
                                           gguf::Writer& writer);

}  // namespace vade::import
