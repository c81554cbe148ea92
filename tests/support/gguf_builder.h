// Small GGUF images for tests: valid ones from typed calls, broken ones by raw bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf/file.h"
#include "engine/gguf/writer.h"

namespace vade::testing {

/// Appends little-endian numbers and length-prefixed strings: for images no writer would write.
class RawBytes {
 public:
  template <typename T>
  RawBytes& Add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  RawBytes& AddString(std::string_view text) {
    Add(static_cast<uint64_t>(text.size()));
    bytes_ += text;
    return *this;
  }
  RawBytes& AddRaw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  /// magic, version 3, counts
  RawBytes& Header(uint64_t num_tensors, uint64_t num_keys, uint32_t version = 3) {
    return AddRaw("GGUF").Add(version).Add(num_tensors).Add(num_keys);
  }
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

/// A File over a string that outlives it.
[[nodiscard]] Result<gguf::File> ParseGguf(std::string_view bytes);

/// Adds an F32 tensor with the given values (dims in file order).
void AddF32Tensor(gguf::Writer& writer, std::string name, std::vector<uint64_t> dims,
                  std::vector<float> values);

/// A complete small vocabulary of kind "bert": the special tokens, lower-case letters as word
/// starts and continuations, and the given further tokens (with their U+2581 if they start words).
void AddBertVocabulary(gguf::Writer& writer, std::span<const std::string> more = {});

}  // namespace vade::testing
