#include "engine/import/float_rows.h"

#include <utility>

#include "engine/base/check.h"

namespace vade::import {

FloatRows PickRows(FloatRows rows, uint64_t num_rows, std::function<uint64_t(uint64_t)> of_row) {
  return {rows.row_values, num_rows,
          [read = std::move(rows.read), of_row = std::move(of_row)](
              uint64_t row, std::span<float> out) { read(of_row(row), out); }};
}

FloatRows PickValues(FloatRows rows, std::function<uint64_t(uint64_t)> of_value) {
  return {rows.row_values, rows.num_rows,
          [read = std::move(rows.read), of_value = std::move(of_value)](uint64_t row,
                                                                        std::span<float> out) {
            std::vector<float> all(out.size());
            read(row, all);
            for (size_t i = 0; i < out.size(); ++i) out[i] = all[of_value(i)];
          }};
}

FloatRows StackRows(std::vector<FloatRows> parts) {
  VADE_CHECK(!parts.empty());
  const uint64_t each = parts.front().num_rows;
  return {parts.front().row_values, each * parts.size(),
          [parts, each](uint64_t row, std::span<float> out) {
            parts[row / each].read(row % each, out);
          }};
}

FloatRows AddToRows(FloatRows rows, float summand) {
  return {rows.row_values, rows.num_rows,
          [read = std::move(rows.read), summand](uint64_t row, std::span<float> out) {
            read(row, out);
            for (float& value : out) value += summand;
          }};
}

FloatRows StoredColumns(quant::TensorType type, std::span<const std::byte> data,
                        uint64_t row_values, uint64_t num_rows) {
  const quant::TensorTypeInfo& info = quant::InfoOf(type);
  VADE_CHECK(info.block_values == 1 && data.size() == row_values * num_rows * info.block_bytes);
  return {row_values, num_rows, [&info, data, num_rows](uint64_t row, std::span<float> out) {
            for (uint64_t i = 0; i < out.size(); ++i) {
              info.dequantize(data.data() + (i * num_rows + row) * info.block_bytes, &out[i], 1);
            }
          }};
}

}  // namespace vade::import
