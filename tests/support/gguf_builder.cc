// Vocabulary and tensors of the small images.
#include "tests/support/gguf_builder.h"

#include <cstring>
#include <utility>

namespace vade::testing {

Result<gguf::File> ParseGguf(std::string_view bytes) {
  return gguf::File::Parse(std::as_bytes(std::span(bytes)), "test.gguf");
}

void AddF32Tensor(gguf::Writer& writer, std::string name, std::vector<uint64_t> dims,
                  std::vector<float> values) {
  writer.AddTensor(std::move(name), quant::TensorType::kF32, std::move(dims),
                   [values = std::move(values)]() -> Result<std::vector<std::byte>> {
                     std::vector<std::byte> out(values.size() * sizeof(float));
                     std::memcpy(out.data(), values.data(), out.size());
                     return out;
                   });
}

void AddBertVocabulary(gguf::Writer& writer, std::span<const std::string> more) {
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  const size_t num_special = tokens.size();
  for (char c = 'a'; c <= 'z'; ++c) {
    tokens.push_back(std::string("\xE2\x96\x81") + c);
    tokens.push_back(std::string(1, c));
  }
  tokens.insert(tokens.end(), more.begin(), more.end());
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  std::vector<int32_t> types(tokens.size(), 1);
  std::fill_n(types.begin(), num_special, 3);
  writer.Add("tokenizer.ggml.model", "bert");
  writer.AddArray<std::string_view>("tokenizer.ggml.tokens", views);
  writer.AddArray<int32_t>("tokenizer.ggml.token_type", types);
  writer.Add("tokenizer.ggml.padding_token_id", uint32_t{0});
  writer.Add("tokenizer.ggml.unknown_token_id", uint32_t{1});
  writer.Add("tokenizer.ggml.cls_token_id", uint32_t{2});
  writer.Add("tokenizer.ggml.seperator_token_id", uint32_t{3});
  writer.Add("tokenizer.ggml.mask_token_id", uint32_t{4});
}

}  // namespace vade::testing
