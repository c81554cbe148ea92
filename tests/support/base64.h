// Base64 decoding for golden files; input is ours, so a bad character is a test bug.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vade::testing {

[[nodiscard]] std::vector<std::byte> DecodeBase64(std::string_view text);

/// Little-endian float32 values.
[[nodiscard]] std::vector<float> DecodeBase64Floats(std::string_view text);

}  // namespace vade::testing
