// The kinds of file a model can be written as, and which tensor gets which block format in each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/base/result.h"
#include "engine/gguf/file.h"
#include "engine/gguf/writer.h"
#include "engine/quant/tensor_type.h"

namespace vade::import {

/// Numbers as in general.file_type. The mixtures (_M) give six bits to the tensors in which errors
/// hurt most.
enum class FileType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ8_0 = 7,
  kQ5_0 = 8,
  kQ5_1 = 9,
  kQ4KM = 15,
  kQ5KM = 17,
  kQ6K = 18,
  kIq4Nl = 25,
  kBf16 = 32,
};

/// What the choice depends on besides the tensor itself.
struct ModelShape {
  bool is_encoder = false;
  bool has_output = true;  // false: the token embedding is the output matrix too
  size_t num_layers = 0;
  uint32_t num_experts = 0;
};

/// Errors: kCorruptData for metadata of a wrong type.
[[nodiscard]] Result<ModelShape> ShapeOf(const gguf::File& file);

/// The type a tensor gets. Matrices take the file's; vectors, norms, routers, position and token
/// type embeddings stay F32, because they are small and errors in them are not averaged out.
/// As in llama.cpp: the output matrix takes Q6_K in files below 8 bits; so do, in a mixture, the
/// value and down projections of the first and last eighth of the layers and of every third
/// between; with eight experts the shared attention gets more. Rows that are not whole blocks take
/// the next format with smaller blocks, at worst F16. An encoder's value projection stays F16: it
/// is 3 % of the file and more than a third of the error 8 bits would leave in an embedding.
[[nodiscard]] quant::TensorType StoredType(std::string_view tensor_name, uint64_t row_values,
                                           uint64_t num_rows, FileType wanted,
                                           const ModelShape& shape);

/// general.file_type and general.quantization_version.
void AddFileType(gguf::Writer& writer, FileType type);

/// By name, case-insensitive: "f16", "q4_K_M". Errors: kInvalidArgument naming the choices.
[[nodiscard]] Result<FileType> ParseFileType(std::string_view name);

/// "f32, f16, ...": the names ParseFileType takes.
[[nodiscard]] std::string_view FileTypeNames() noexcept;

}  // namespace vade::import
