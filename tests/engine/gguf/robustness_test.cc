// A small valid file cut at every byte and with every header byte changed: refused or read, never a
// crash. Run under the sanitizers in CI.
#include <gtest/gtest.h>

#include <memory>

#include "engine/gguf/file.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/gguf_builder.h"

namespace vade::gguf {
namespace {

struct Image {
  std::string bytes;
  size_t header_bytes;
};

Image SmallModel() {
  Writer writer;
  writer.Add("general.architecture", "bert");
  writer.Add("bert.block_count", uint32_t{1});
  writer.Add("bert.attention.layer_norm_epsilon", 1e-12f);
  writer.Add("flag", true);
  writer.Add("wide", int64_t{-5});
  testing::AddBertVocabulary(writer);
  testing::AddF32Tensor(writer, "token_embd.weight", {8, 4}, std::vector<float>(32, 0.5f));
  testing::AddF32Tensor(writer, "blk.0.attn_q.bias", {8}, std::vector<float>(8, 1.0f));
  std::string bytes = writer.ToBytes().value();
  const size_t header_bytes = bytes.size() - writer.tensor_bytes();
  return {std::move(bytes), header_bytes};
}

// Everything a loader would touch. An exact copy, so that the sanitizer sees a read past the end.
bool ReadAll(std::string_view image) {
  const auto copy = std::make_unique<char[]>(image.size() + 1);
  image.copy(copy.get(), image.size());
  const auto file = testing::ParseGguf({copy.get(), image.size()});
  if (!file) {
    EXPECT_FALSE(file.error().message.empty());
    return false;
  }
  size_t touched = 0;
  for (const KeyValue& entry : file->metadata()) touched += entry.value.ToDisplay(100).size();
  for (const TensorInfo& tensor : file->tensors()) {
    for (const std::byte b : tensor.data) touched += static_cast<size_t>(b);
  }
  const auto tokenizer = tokenizer::Tokenizer::Load(*file);
  if (tokenizer) touched += (*tokenizer)->Encode("some text [SEP]", true, true).size();
  return touched > 0;
}

TEST(Robustness, CutAtEveryByteIsRefused) {
  const Image image = SmallModel();
  ASSERT_TRUE(ReadAll(image.bytes));
  for (size_t size = 0; size < image.bytes.size(); ++size) {
    ASSERT_FALSE(ReadAll(std::string_view(image.bytes).substr(0, size))) << size;
  }
}

TEST(Robustness, EveryHeaderByteFlipped) {
  Image image = SmallModel();
  size_t refused = 0;
  for (size_t i = 0; i < image.header_bytes; ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      image.bytes[i] = static_cast<char>(image.bytes[i] ^ flip);
      refused += ReadAll(image.bytes) ? 0u : 1u;
      image.bytes[i] = static_cast<char>(image.bytes[i] ^ flip);
    }
  }
  EXPECT_GT(refused, image.header_bytes / 4);
  EXPECT_TRUE(ReadAll(image.bytes));
}

}  // namespace
}  // namespace vade::gguf
