// Rows of a batch are converted side by side; batches go to the file in order.
#include "engine/import/row_writer.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/utf8.h"
#include "engine/quant/quantize.h"

namespace vade::import {
namespace {

using quant::TensorType;

constexpr uint64_t kBatchValues = uint64_t{1} << 21;  // 8 MB as F32: some 0.1 s of one thread

// One tensor on its way to another type.
class Conversion {
 public:
  Conversion(const FloatRows& rows, TensorType target, ThreadPool& pool)
      : rows_(rows),
        target_(quant::InfoOf(target)),
        target_row_bytes_(rows.row_values / target_.block_values * target_.block_bytes),
        pool_(pool),
        scratch_(pool.num_threads()) {
    for (std::vector<float>& row : scratch_) row.resize(rows.row_values);
  }

  Result<void> Run(const gguf::ByteSink& sink, const CancelToken* cancel) {
    const uint64_t batch_rows = std::max<uint64_t>(1, kBatchValues / rows_.row_values);
    for (uint64_t row = 0; row < rows_.num_rows; row += batch_rows) {
      if (cancel != nullptr && cancel->cancelled()) {
        return Fail(ErrorCode::kCancelled, "cancelled; nothing was written");
      }
      VADE_CHECK_OK(RunBatch(row, std::min(batch_rows, rows_.num_rows - row)));
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
        const std::span<float> values = scratch_[thread_idx];
        rows_.read(first_row + i, values);
        auto done =
            quant::QuantizeTo(target_.type, values,
                              std::span(out_).subspan(i * target_row_bytes_, target_row_bytes_));
        if (!done) Remember(first_row + i, std::move(done).error());
      }
    });
    if (first_error_) return tl::unexpected(std::move(first_error_->error));
    return {};
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

  const FloatRows& rows_;
  const quant::TensorTypeInfo& target_;
  uint64_t target_row_bytes_;
  ThreadPool& pool_;
  std::vector<std::vector<float>> scratch_;  // one row per thread
  std::vector<std::byte> out_;
  std::mutex error_mutex_;
  std::optional<RowError> first_error_;
};

}  // namespace

FloatRows StoredFloatRows(TensorType type, std::span<const std::byte> data, uint64_t row_values,
                          uint64_t num_rows) {
  const quant::TensorTypeInfo& info = quant::InfoOf(type);
  const uint64_t row_bytes = row_values / info.block_values * info.block_bytes;
  VADE_CHECK(info.dequantize != nullptr && data.size() == row_bytes * num_rows);
  return {row_values, num_rows, [&info, data, row_bytes](uint64_t row, std::span<float> out) {
            info.dequantize(data.data() + row * row_bytes, out.data(), out.size());
          }};
}

Result<void> WriteRows(const FloatRows& rows, TensorType target, ThreadPool& pool,
                       const CancelToken* cancel, const gguf::ByteSink& sink) {
  return Conversion(rows, target, pool).Run(sink, cancel);
}

void RowWriter::Add(std::string name, std::vector<uint64_t> dims, FloatRows rows) const {
  const TensorType target = StoredType(name, rows.row_values, rows.num_rows, type, shape);
  std::string where = source + ": tensor " + utf8::Escape(name);
  file.AddStreamedTensor(std::move(name), target, std::move(dims),
                         [rows = std::move(rows), where = std::move(where), target, &team = pool,
                          stop = cancel](const gguf::ByteSink& sink) -> Result<void> {
                           auto done = WriteRows(rows, target, team, stop, sink);
                           if (done || done.error().code == ErrorCode::kCancelled) return done;
                           return Fail(where, std::move(done).error());
                         });
}

}  // namespace vade::import
