// libFuzzer target: any bytes as a GGUF file, read the way a loader reads it.
//   cmake -B build-fuzz -DCMAKE_CXX_COMPILER=clang++-14 -DVADE_FUZZ=ON && ninja -C build-fuzz
//   gguf_fuzz build-fuzz/tests/fuzz/gguf_fuzz -max_len=8192 -timeout=5 -rss_limit_mb=512 CORPUS
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "engine/gguf/file.h"
#include "engine/tokenizer/tokenizer.h"

namespace {

// Touches every byte the parser promised to be inside the file.
size_t ReadEverything(const vade::gguf::File& file) {
  size_t sum = 0;
  for (const vade::gguf::KeyValue& entry : file.metadata()) {
    sum += entry.value.ToDisplay(200).size();
    if (file.FindKey(entry.key) != &entry) std::abort();
  }
  for (const vade::gguf::TensorInfo& tensor : file.tensors()) {
    if (file.FindTensor(tensor.name) != &tensor) std::abort();
    for (const std::byte b : tensor.data) sum += static_cast<size_t>(b);
    const auto& type = vade::quant::InfoOf(tensor.type);
    if (type.dequantize == nullptr || tensor.num_values > 65536) continue;
    std::vector<float> values(tensor.num_values);
    type.dequantize(tensor.data.data(), values.data(), values.size());
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = vade::gguf::File::Parse(std::as_bytes(std::span(data, size)), "fuzz");
  if (!file) return 0;
  ReadEverything(*file);
  const auto tokenizer = vade::tokenizer::Tokenizer::Load(*file);
  if (!tokenizer) return 0;
  const std::string text = "Press [SEP] the \xED\x95\x9C pump e\xCC\x81 9.";
  const auto ids = (*tokenizer)->Encode(text, true, true);
  if ((*tokenizer)->Encode(text, false, false).size() != (*tokenizer)->Count(text)) std::abort();
  static_cast<void>((*tokenizer)->Decode(ids, {}));
  return 0;
}
