// Compile-time row numbers for register tiles; types only, no code.
//
// A tile's accumulators must never reach memory. g++ 12 unrolls a plain loop over an array of
// vectors only after it has decided to keep the array on the stack, and then stores every
// accumulator in every step (seen in its output); a pack expansion gives it constant indices from
// the start.
#pragma once

#include <cstddef>

namespace vade::kernels {

template <size_t... kRow>
struct RowPack {};

template <size_t kCount, size_t... kRow>
struct RowsOf : RowsOf<kCount - 1, kCount - 1, kRow...> {};
template <size_t... kRow>
struct RowsOf<0, kRow...> {
  using Type = RowPack<kRow...>;  // 0, 1, ... kCount - 1
};

}  // namespace vade::kernels
