// Tensors are converted in batches of rows, the rows of a batch side by side on all threads.
#include "engine/import/requantize.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/base/utf8.h"
#include "engine/quant/quantize.h"

namespace vade::import {
namespace {

using quant::TensorType;

constexpr uint64_t kBatchValues = uint64_t{1} << 21;  // 8 MB as F32: some 0.1 s of one thread

bool IsFloat(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kBf16;
}

uint64_t NumRows(const gguf::TensorInfo& tensor) { return tensor.num_values / tensor.dims[0]; }

TensorType TargetOf(const gguf::TensorInfo& tensor, FileType wanted, const ModelShape& shape) {
  const TensorType target = StoredType(tensor.name, tensor.dims[0], NumRows(tensor), wanted, shape);
  const bool is_quantised = !IsFloat(tensor.type);
  const bool readable = quant::InfoOf(tensor.type).dequantize != nullptr;
  if (!readable) return tensor.type;
  if (is_quantised && !IsFloat(target) && tensor.type != TensorType::kQ8_0) return tensor.type;
  return target;
}

// One tensor on its way from one type to another.
class Conversion {
 public:
  Conversion(const gguf::TensorInfo& tensor, TensorType target, ThreadPool& pool)
      : tensor_(tensor),
        source_(quant::InfoOf(tensor.type)),
        target_(quant::InfoOf(target)),
        row_values_(tensor.dims[0]),
        source_row_bytes_(row_values_ / source_.block_values * source_.block_bytes),
        target_row_bytes_(row_values_ / target_.block_values * target_.block_bytes),
        pool_(pool),
        scratch_(pool.num_threads()) {
    for (std::vector<float>& row : scratch_) row.resize(row_values_);
  }

  Result<void> Run(const gguf::ByteSink& sink, const CancelToken* cancel) {
    const uint64_t num_rows = NumRows(tensor_);
    const uint64_t batch_rows = std::max<uint64_t>(1, kBatchValues / row_values_);
    for (uint64_t row = 0; row < num_rows; row += batch_rows) {
      if (cancel != nullptr && cancel->cancelled()) {
        return Fail(ErrorCode::kCancelled, "cancelled; nothing was written");
      }
      VADE_CHECK_OK(RunBatch(row, std::min(batch_rows, num_rows - row)));
      VADE_CHECK_OK(sink(out_));
    }
    return {};
  }

 private:
  Result<void> RunBatch(uint64_t first_row, uint64_t num_rows) {
    out_.resize(num_rows * target_row_bytes_);
    std::atomic<uint64_t> next{0};
    pool_.Run([&](size_t thread_idx) {
      for (uint64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < num_rows;) {
        auto done = ConvertRow(first_row + i, scratch_[thread_idx],
                               std::span(out_).subspan(i * target_row_bytes_, target_row_bytes_));
        if (!done) Remember(first_row + i, std::move(done).error());
      }
    });
    if (first_error_) return tl::unexpected(std::move(first_error_->error));
    return {};
  }

  Result<void> ConvertRow(uint64_t row, std::span<float> values, std::span<std::byte> out) const {
    source_.dequantize(tensor_.data.data() + row * source_row_bytes_, values.data(), values.size());
    return quant::QuantizeTo(target_.type, values, out);
  }

  // The first in the tensor, whichever thread met it: messages do not depend on timing.
  void Remember(uint64_t row, Error error) {
    const std::lock_guard lock(error_mutex_);
    if (first_error_ && first_error_->row < row) return;
    error.message = "row " + std::to_string(row) + ": " + error.message;
    first_error_ = {row, std::move(error)};
  }

  struct RowError {
    uint64_t row;
    Error error;
  };

  const gguf::TensorInfo& tensor_;
  const quant::TensorTypeInfo& source_;
  const quant::TensorTypeInfo& target_;
  uint64_t row_values_;
  uint64_t source_row_bytes_;
  uint64_t target_row_bytes_;
  ThreadPool& pool_;
  std::vector<std::vector<float>> scratch_;  // one row per thread
  std::vector<std::byte> out_;
  std::mutex error_mutex_;
  std::optional<RowError> first_error_;
};

void CopyMetadata(const gguf::File& in, gguf::Writer& writer) {
  for (const gguf::KeyValue& entry : in.metadata()) {
    const bool rewritten = entry.key == "general.file_type" ||
                           entry.key == "general.quantization_version" ||
                           entry.key == "general.alignment" || entry.key.starts_with("split.");
    if (!rewritten) writer.Copy(entry);
  }
}

// A file of which not one matrix can take the type is the wrong file to start from.
Result<void> CheckAnyConverts(const gguf::File& in, FileType wanted, const ModelShape& shape) {
  const gguf::TensorInfo* kept = nullptr;
  for (const gguf::TensorInfo& tensor : in.tensors()) {
    const TensorType ideal =
        StoredType(tensor.name, tensor.dims[0], NumRows(tensor), wanted, shape);
    if (ideal == TensorType::kF32 && wanted != FileType::kF32) continue;  // never quantised
    if (TargetOf(tensor, wanted, shape) == ideal) return {};
    if (kept == nullptr) kept = &tensor;
  }
  if (kept == nullptr) return {};
  return Fail(ErrorCode::kUnsupported,
              in.name() + ": tensor " + utf8::Escape(kept->name) + " is " +
                  std::string(quant::InfoOf(kept->type).name) +
                  ", and quantising twice only loses: start from a f32, f16, bf16 or q8_0 file");
}

}  // namespace

Result<void> Requantize(const gguf::File& in, const std::filesystem::path& out,
                        const WriteOptions& options) {
  VADE_TRY(const ModelShape shape, ShapeOf(in));
  VADE_CHECK_OK(CheckAnyConverts(in, options.type, shape));
  gguf::Writer writer;
  AddFileType(writer, options.type);
  CopyMetadata(in, writer);
  ThreadPool pool(options.num_threads);
  for (const gguf::TensorInfo& tensor : in.tensors()) {
    const TensorType target = TargetOf(tensor, options.type, shape);
    writer.AddStreamedTensor(
        std::string(tensor.name), target,
        {tensor.dims.begin(), tensor.dims.begin() + tensor.num_dims},
        [&in, &tensor, &pool, &options, target](const gguf::ByteSink& sink) -> Result<void> {
          if (target == tensor.type) return sink(tensor.data);
          auto done = Conversion(tensor, target, pool).Run(sink, options.cancel);
          if (done || done.error().code == ErrorCode::kCancelled) return done;
          return Fail(in.name() + ": tensor " + utf8::Escape(tensor.name), std::move(done).error());
        });
  }
  return writer.WriteTo(out, options.replace, options.on_tensor);
}

}  // namespace vade::import
