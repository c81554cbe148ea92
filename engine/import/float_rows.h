// Views of float rows in another order: what model files of other programs need.
#pragma once

#include <functional>
#include <vector>

#include "engine/import/row_writer.h"

namespace vade::import {

/// Row r is row of_row(r) of `rows`. REQUIRES of_row gives rows there are.
[[nodiscard]] FloatRows PickRows(FloatRows rows, uint64_t num_rows,
                                 std::function<uint64_t(uint64_t)> of_row);

/// The values of single rows likewise.
[[nodiscard]] FloatRows PickValues(FloatRows rows, std::function<uint64_t(uint64_t)> of_value);

/// Below each other. REQUIRES at least one, all of one shape.
[[nodiscard]] FloatRows StackRows(std::vector<FloatRows> parts);

[[nodiscard]] FloatRows AddToRows(FloatRows rows, float summand);

/// The matrix stored the other way round in a type of single values (F32, F16, BF16): row r is
/// column r. REQUIRES data has row_values * num_rows values.
[[nodiscard]] FloatRows StoredColumns(quant::TensorType type, std::span<const std::byte> data,
                                      uint64_t row_values, uint64_t num_rows);

}  // namespace vade::import
