// On-disk layout of the quantised blocks of GGUF files: little-endian, packed, no behaviour.
// Format: ggml's block formats; the meaning of each field is in dequantize.cc and
// dequantize_iq.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vade::quant {

inline constexpr size_t kBlock = 32;        // values in a simple block
inline constexpr size_t kSuperBlock = 256;  // values in a K block

using Half = uint16_t;  // IEEE binary16 bits

// The sixteen non-uniform levels of IQ4_NL and IQ4_XS.
inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

// The E2M1 values of MXFP4 and NVFP4, doubled, so that they are integers; the scale is halved.
inline constexpr int8_t kFp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

#pragma pack(push, 1)

struct BlockQ4_0 {
  Half scale;
  uint8_t nibbles[kBlock / 2];  // value i low, value i + 16 high
};
struct BlockQ4_1 {
  Half scale;
  Half min;
  uint8_t nibbles[kBlock / 2];
};
struct BlockQ5_0 {
  Half scale;
  uint32_t high_bits;  // bit i: fifth bit of value i
  uint8_t nibbles[kBlock / 2];
};
struct BlockQ5_1 {
  Half scale;
  Half min;
  uint32_t high_bits;
  uint8_t nibbles[kBlock / 2];
};
struct BlockQ8_0 {
  Half scale;
  int8_t values[kBlock];
};
struct BlockQ2K {
  uint8_t scales[kSuperBlock / 16];  // low nibble scale, high nibble min, per 16 values
  uint8_t crumbs[kSuperBlock / 4];
  Half scale;
  Half min;
};
struct BlockQ3K {
  uint8_t high_mask[kSuperBlock / 8];
  uint8_t crumbs[kSuperBlock / 4];
  uint8_t scales[12];  // sixteen 6-bit scales
  Half scale;
};
struct BlockQ4K {
  Half scale;
  Half min;
  uint8_t scales[12];  // eight pairs of 6-bit scale and min
  uint8_t nibbles[kSuperBlock / 2];
};
struct BlockQ5K {
  Half scale;
  Half min;
  uint8_t scales[12];
  uint8_t high_bits[kSuperBlock / 8];
  uint8_t nibbles[kSuperBlock / 2];
};
struct BlockQ6K {
  uint8_t low_nibbles[kSuperBlock / 2];
  uint8_t high_crumbs[kSuperBlock / 4];
  int8_t scales[kSuperBlock / 16];
  Half scale;
};
struct BlockIq4Nl {
  Half scale;
  uint8_t nibbles[kBlock / 2];  // indices into kIq4Values
};
struct BlockIq4Xs {
  Half scale;
  uint16_t scales_high;  // two high bits of each of eight 6-bit scales
  uint8_t scales_low[kSuperBlock / 64];
  uint8_t nibbles[kSuperBlock / 2];
};
struct BlockMxfp4 {
  uint8_t exponent;  // E8M0
  uint8_t nibbles[kBlock / 2];
};
struct BlockNvfp4 {
  uint8_t scales[4];  // UE4M3, one per 16 values
  uint8_t nibbles[32];
};
struct BlockTq1_0 {
  uint8_t base3[(kSuperBlock - 4 * kSuperBlock / 64) / 5];  // five ternary digits a byte
  uint8_t base3_tail[kSuperBlock / 64];                     // four digits a byte
  Half scale;
};
struct BlockTq2_0 {
  uint8_t crumbs[kSuperBlock / 4];
  Half scale;
};

// The codebook formats; grids are in iq_grids.h. A part is eight values, a group four parts.
struct BlockIq1S {
  Half scale;
  uint8_t indices[kSuperBlock / 8];                     // low byte of each part's index
  uint16_t high_bits_and_scales[kSuperBlock / kBlock];  // 4 x 3 bits of index, scale, shift
};
struct BlockIq1M {
  uint8_t indices[kSuperBlock / 8];
  uint8_t high_bits[kSuperBlock / 16];  // per part: three bits of index, shift
  uint16_t scales[kSuperBlock / 64];    // 4 x 3 bits, and four bits of the block's scale
};
struct BlockIq2Xxs {
  Half scale;
  struct Group {
    uint8_t indices[4];
    uint32_t signs_and_scale;  // 4 x 7 bits, 4 bits
  } groups[kSuperBlock / kBlock];
};
struct BlockIq2Xs {
  Half scale;
  uint16_t indices_and_signs[kSuperBlock / 8];  // 9 bits, 7 bits
  uint8_t scales[kSuperBlock / kBlock];         // a nibble per two parts
};
struct BlockIq2S {
  Half scale;
  uint8_t indices[kSuperBlock / 8];
  uint8_t signs[kSuperBlock / 8];
  uint8_t high_bits[kSuperBlock / kBlock];  // two bits of index per part
  uint8_t scales[kSuperBlock / kBlock];
};
struct BlockIq3Xxs {
  Half scale;
  uint8_t indices[kSuperBlock / 4];                 // two per part
  uint32_t signs_and_scales[kSuperBlock / kBlock];  // 4 x 7 bits, 4 bits
};
struct BlockIq3S {
  Half scale;
  uint8_t indices[kSuperBlock / 4];
  uint8_t high_bits[kSuperBlock / kBlock];  // one bit per index
  uint8_t signs[kSuperBlock / 8];
  uint8_t scales[kSuperBlock / 64];  // a nibble per group
};

#pragma pack(pop)

static_assert(sizeof(BlockQ4_0) == 18);
static_assert(sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22);
static_assert(sizeof(BlockQ5_1) == 24);
static_assert(sizeof(BlockQ8_0) == 34);
static_assert(sizeof(BlockQ2K) == 84);
static_assert(sizeof(BlockQ3K) == 110);
static_assert(sizeof(BlockQ4K) == 144);
static_assert(sizeof(BlockQ5K) == 176);
static_assert(sizeof(BlockQ6K) == 210);
static_assert(sizeof(BlockIq4Nl) == 18);
static_assert(sizeof(BlockIq4Xs) == 136);
static_assert(sizeof(BlockMxfp4) == 17);
static_assert(sizeof(BlockNvfp4) == 36);
static_assert(sizeof(BlockTq1_0) == 54);
static_assert(sizeof(BlockTq2_0) == 66);
static_assert(sizeof(BlockIq1S) == 50);
static_assert(sizeof(BlockIq1M) == 56);
static_assert(sizeof(BlockIq2Xxs) == 66);
static_assert(sizeof(BlockIq2Xs) == 74);
static_assert(sizeof(BlockIq2S) == 82);
static_assert(sizeof(BlockIq3Xxs) == 98);
static_assert(sizeof(BlockIq3S) == 110);

}  // namespace vade::quant
