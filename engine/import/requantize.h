// Storing the tensors of a model as another type: which tensors change, and a whole file at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/gguf/writer.h"
#include "engine/quant/tensor_type.h"

namespace vade::import {

struct WriteOptions {
  quant::TensorType type = quant::TensorType::kQ8_0;  // F32, F16, BF16 or Q8_0
  bool replace = false;                               // overwrite an existing output
  gguf::TensorProgress on_tensor;                     // may be empty
};

/// The type a tensor gets when a model is written as `wanted`: matrices take it (F16 where rows are
/// not whole blocks); vectors, norms, routers, position and token type embeddings stay F32, because
/// they are small and errors in them are not averaged out. An encoder's value projection stays F16:
/// it is 3 % of the file and more than a third of the error 8 bits would leave in an embedding.
[[nodiscard]] quant::TensorType StoredType(std::string_view tensor_name, uint64_t row_values,
                                           uint64_t num_rows, quant::TensorType wanted,
                                           bool is_encoder);

/// general.file_type and general.quantization_version for a model written as `type`.
void AddFileType(gguf::Writer& writer, quant::TensorType type);

/// "f32", "f16", "bf16" or "q8_0". Errors: kInvalidArgument naming the choices.
[[nodiscard]] Result<quant::TensorType> ParseOutputType(std::string_view name);

/// Writes `in` as options.type to `out`; metadata is copied. Tensors of a quantised type other than
/// Q8_0 are kept as they are rather than quantised twice.
/// Errors: kUnsupported for a tensor type that cannot be read; kCorruptData for NaN or infinity.
[[nodiscard]] Result<void> Requantize(const gguf::File& in, const std::filesystem::path& out,
                                      const WriteOptions& options);

}  // namespace vade::import
