// The stored form of a document's text: one zstd frame and the XXH3 checksum of the plain bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::vectorstore {

[[nodiscard]] Result<std::string> CompressText(std::string_view text);

/// kCorruptData unless `frame` holds exactly `size` bytes with this checksum.
[[nodiscard]] Result<std::string> DecompressText(std::string_view frame, uint64_t size,
                                                 uint64_t checksum);

}  // namespace vade::vectorstore
