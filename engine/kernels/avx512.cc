// The AVX-512 kernels (F, BW, VL, DQ, VNNI). Compiled without -mavx512f: only the code between
// the target markers may use these instructions, and no shared inline function is instantiated
// there.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/panel_format.h"
#include "engine/kernels/row_pack.h"
#include "engine/kernels/tables.h"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c"))), \
    apply_to = function)
#else
#pragma GCC push_options
// g++ 12 reports its own _mm256_undefined_pd() inside the intrinsics (GCC PR 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma,f16c,prefer-vector-width=512")
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
#include "engine/kernels/v16_inl.h"

constexpr KernelTable TableWith(void (*gemm_bf16)(const GemmBf16&) noexcept) noexcept {
  return {
      GemmFloat<V16>, GemmInteger<V16>, QuantizeI16<V16>, LayerNorm<V16>,    GeluErf<V16>,
      GeluTanh<V16>,  Silu<V16>,        Softmax<V16>,     Add<V16>,          Multiply<V16>,
      RmsNorm<V16>,   RopeNormal<V16>,  RopeNeox<V16>,    SiluMultiply<V16>, GeluTanhMultiply<V16>,
      SoftCap<V16>,   F32ToF16<V16>,    F16ToF32<V16>,    GemmI8Rows<V16>,   GemmHalf<V16, GemmF16>,
      gemm_bf16,      QuantizeI8<V16>,  F32ToBf16<V16>};
}

}  // namespace

const KernelTable& Avx512Table() noexcept {
  static constexpr KernelTable kPlain = TableWith(GemmHalf<V16, GemmBf16>);
  static constexpr KernelTable kWithBf16 = TableWith(GemmBf16Instructions);
  static const bool has_bf16 = UseBf16Instructions();
  return has_bf16 ? kWithBf16 : kPlain;
}

}  // namespace vade::kernels

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif  // __x86_64__
