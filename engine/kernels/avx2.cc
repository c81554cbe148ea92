// The AVX2 kernels (AVX2, FMA). Compiled without -mavx2: only the code between the target markers
// may use these instructions, and no shared inline function is instantiated there.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/panel_format.h"
#include "engine/kernels/row_pack.h"
#include "engine/kernels/tables.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

namespace vade::kernels {
namespace {

#include "engine/kernels/gemm_inl.h"
#include "engine/kernels/row_ops_inl.h"
// After the two above, whose parts they use.
#include "engine/kernels/decoder_ops_inl.h"
#include "engine/kernels/gemm_half_inl.h"
#include "engine/kernels/gemm_i8_inl.h"
#include "engine/kernels/gemv_i8_inl.h"
#include "engine/kernels/v8_inl.h"

}  // namespace

const KernelTable& Avx2Table() noexcept {
  static constexpr KernelTable kTable = {
      GemmFloat<V8>,  GemmInteger<V8>,       QuantizeI16<V8>,
      LayerNorm<V8>,  GeluErf<V8>,           GeluTanh<V8>,
      Silu<V8>,       Softmax<V8>,           Add<V8>,
      Multiply<V8>,   RmsNorm<V8>,           RopeNormal<V8>,
      RopeNeox<V8>,   SiluMultiply<V8>,      GeluTanhMultiply<V8>,
      SoftCap<V8>,    F32ToF16<V8>,          F16ToF32<V8>,
      GemmI8Rows<V8>, GemmHalf<V8, GemmF16>, GemmHalf<V8, GemmBf16>,
      QuantizeI8<V8>, F32ToBf16<V8>};
  return kTable;
}

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
