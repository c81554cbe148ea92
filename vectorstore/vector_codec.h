// Stored forms of a vector: int8 codes with one scale per row, and f16.
#pragma once

#include <cstdint>
#include <span>

namespace vade::vectorstore {

/// codes[i] = round(vector[i] / scale), in [-127, 127]. Returns the scale, max|vector| / 127.
float QuantizeInt8(std::span<const float> vector, std::span<int8_t> codes) noexcept;

/// IEEE half precision, round to nearest even; above 65,504 becomes infinity.
[[nodiscard]] uint16_t F16FromF32(float value) noexcept;
[[nodiscard]] float F32FromF16(uint16_t half) noexcept;

/// True if every component is finite and the length is 1 within 1 %.
[[nodiscard]] bool IsUnitVector(std::span<const float> vector) noexcept;

}  // namespace vade::vectorstore
