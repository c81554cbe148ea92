// Tensors on their way into a GGUF file: read as float rows from whatever the source stores, and
// written in the type the file wants, a batch of rows at a time on all threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/base/thread_pool.h"
#include "engine/gguf/writer.h"
#include "engine/import/file_type.h"
#include "engine/quant/tensor_type.h"

namespace vade::import {

/// A matrix as float rows, computed when asked for.
struct FloatRows {
  uint64_t row_values = 0;
  uint64_t num_rows = 0;
  /// Fills out [row_values] f32. REQUIRES row < num_rows. Threads: safe for distinct out.
  std::function<void(uint64_t row, std::span<float> out)> read;
};

/// Rows stored one after the other in a type that can be read. REQUIRES data outlives them and has
/// num_rows * row_values values in whole blocks.
[[nodiscard]] FloatRows StoredFloatRows(quant::TensorType type, std::span<const std::byte> data,
                                        uint64_t row_values, uint64_t num_rows);

/// Hands the rows to `sink` as `target`. Memory: a few megabytes, whatever the tensor's size.
/// Errors: kCorruptData for NaN or infinity, naming the row; kCancelled; of the sink.
[[nodiscard]] Result<void> WriteRows(const FloatRows& rows, quant::TensorType target,
                                     ThreadPool& pool, const CancelToken* cancel,
                                     const gguf::ByteSink& sink);

/// Adds tensors to one file, each in the type StoredType() chooses. What it is given outlives the
/// writing.
struct RowWriter {
  gguf::Writer& file;
  FileType type;
  ModelShape shape;
  ThreadPool& pool;
  const CancelToken* cancel = nullptr;
  std::string source;  // name of the file read, for messages

  /// dims: in file order; the first is rows.row_values, the product of the others rows.num_rows.
  void Add(std::string name, std::vector<uint64_t> dims, FloatRows rows) const;
};

}  // namespace vade::import
