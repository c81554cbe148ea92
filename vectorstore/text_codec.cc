#include "vectorstore/text_codec.h"

#include <zstd.h>

#include <algorithm>

#include "engine/base/hash.h"

namespace vade::vectorstore {
namespace {

constexpr int kLevel = 3;                              // zstd's default: 300 MB/s, ratio about 3
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 31;  // refused before anything is allocated

}  // namespace

Result<std::string> CompressText(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Fail(ErrorCode::kResource, "text of " + std::to_string(text.size()) + " bytes, limit " +
                                          std::to_string(kMaxTextBytes));
  }
  std::string frame(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress(frame.data(), frame.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0) {
    return Fail(ErrorCode::kResource, std::string("zstd: ") + ZSTD_getErrorName(size));
  }
  frame.resize(size);
  return frame;
}

Result<std::string> DecompressText(std::string_view frame, uint64_t size, uint64_t checksum) {
  if (size > kMaxTextBytes || ZSTD_getFrameContentSize(frame.data(), frame.size()) != size) {
    return Fail(ErrorCode::kCorruptData, "stored text: its size disagrees with its record");
  }
  std::string text(size, '\0');
  const size_t done = ZSTD_decompress(text.data(), text.size(), frame.data(), frame.size());
  if (ZSTD_isError(done) != 0 || done != size) {
    return Fail(ErrorCode::kCorruptData, "stored text: damaged zstd frame");
  }
  if (Hash64(text) != checksum) {
    return Fail(ErrorCode::kCorruptData, "stored text: checksum mismatch");
  }
  return text;
}

}  // namespace vade::vectorstore
