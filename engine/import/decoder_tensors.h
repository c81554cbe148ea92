// The tensors of a decoder folder under their GGUF names and in GGUF's order of values.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/import/decoder_settings.h"
#include "engine/import/decoder_source.h"
#include "engine/import/row_writer.h"
#include "engine/import/weight_folder.h"

namespace vade::import {

struct MappedTensor {
  std::string name;
  std::vector<uint64_t> dims;  // fastest dimension first
  FloatRows rows;
};

/// All tensors of the model, which view `weights`.
/// Errors: kCorruptData for a tensor that is missing, or whose shape config.json does not allow;
/// kUnsupported for one that no rule names, because the model would be run wrongly without it.
[[nodiscard]] Result<std::vector<MappedTensor>> MapDecoderTensors(const WeightFolder& weights,
                                                                  const DecoderSource& source,
                                                                  const DecoderSettings& settings);

}  // namespace vade::import
