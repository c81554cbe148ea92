// Matrices that GPTQ and AWQ have packed to four bits: 32-bit words of eight codes, a zero code and
// a scale for each group of inputs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/import/json_file.h"
#include "engine/import/row_writer.h"
#include "engine/import/weight_folder.h"

namespace vade::import {

struct Packing {
  enum class Method : uint8_t { kNone, kGptq, kAwq };
  Method method = Method::kNone;
  uint32_t group_size = 0;     // inputs that share a scale; 0: all
  bool zeros_less_one = true;  // GPTQ stores its zero codes less one, except in its version 2
};

/// quantization_config of config.json. Errors: kUnsupported naming another method or width.
[[nodiscard]] Result<Packing> ReadPacking(const JsonObject& config);

struct UnpackedMatrix {
  std::vector<uint64_t> shape;  // [out, in]
  FloatRows rows;
};

/// The names of a matrix's packed tensors, after "<name>.".
[[nodiscard]] std::vector<std::string> PackedParts();

/// The matrix "<name>.qweight" and its like, as rows of floats computed when read: scale * (code -
/// zero), in float. Errors: kCorruptData for parts that are missing or do not fit each other.
[[nodiscard]] Result<UnpackedMatrix> UnpackMatrix(const WeightFolder& weights,
                                                  const std::string& name, const Packing& packing);

}  // namespace vade::import
