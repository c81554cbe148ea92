// libFuzzer target: any bytes as a safetensors file.
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/import/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file =
      vade::import::SafeTensorsFile::Parse(std::as_bytes(std::span(data, size)), "fuzz");
  if (!file) return 0;
  for (const vade::import::SafeTensor& tensor : file->tensors()) {
    if (tensor.num_values < 65536) static_cast<void>(file->ToFloats(tensor));
  }
  return 0;
}
