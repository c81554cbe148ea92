// The codebooks of the IQ1, IQ2 and IQ3 formats: which vectors of eight (or four) levels an index
// names. Constants of the formats, found by ggml's authors by clustering; see iq_grids.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vade::quant {

/// Entry i holds the levels of index i, first value first.
template <size_t kEntries, size_t kValues>
using Grid = std::array<std::array<int8_t, kValues>, kEntries>;

extern const Grid<2048, 8> kIq1Grid;    // IQ1_S and IQ1_M: -1, 0, 1
extern const Grid<256, 8> kIq2XxsGrid;  // the IQ2 grids: 8, 25, 43
extern const Grid<512, 8> kIq2XsGrid;
extern const Grid<1024, 8> kIq2SGrid;
extern const Grid<256, 4> kIq3XxsGrid;  // 4, 12, 20, 28, 36, 44, 52, 62
extern const Grid<512, 4> kIq3SGrid;    // 1, 3, 5, ..., 15

}  // namespace vade::quant
