// Every block format against values computed by llama.cpp, bit for bit.
#include "engine/quant/dequantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

#include "engine/quant/tensor_type.h"
#include "tests/support/base64.h"
#include "tests/support/golden.h"

namespace vade::quant {
namespace {

TEST(Dequantize, MatchesTheReferenceBitForBit) {
  std::set<std::string> seen;
  for (const auto& line : testing::ReadJsonLines(testing::GoldenPath("quants/dequant.jsonl"))) {
    const auto name = line.at("type").get<std::string>();
    SCOPED_TRACE(name + " " + line.at("origin").get<std::string>());
    const TensorTypeInfo* info = FindTensorType(line.at("ggml_type").get<uint32_t>());
    ASSERT_NE(info, nullptr);
    EXPECT_EQ(info->name, name);
    EXPECT_EQ(info->block_values, line.at("block_values").get<uint32_t>());
    EXPECT_EQ(info->block_bytes, line.at("block_bytes").get<uint32_t>());
    if (info->dequantize == nullptr) continue;
    const auto blocks = testing::DecodeBase64(line.at("blocks").get<std::string>());
    const auto want = testing::DecodeBase64Floats(line.at("values").get<std::string>());
    ASSERT_EQ(StoredBytes(*info, want.size()), blocks.size());
    std::vector<float> got(want.size());
    info->dequantize(blocks.data(), got.data(), got.size());
    for (size_t i = 0; i < want.size(); ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(want[i]))
          << "value " << i << ": got " << got[i] << ", want " << want[i];
    }
    seen.insert(name);
  }
  const std::set<std::string> promised = {
      "f16",   "bf16",  "q8_0",    "q4_0",   "q4_1",   "q5_0",    "q5_1",  "q2_K",  "q3_K",
      "q4_K",  "q5_K",  "q6_K",    "iq4_nl", "iq4_xs", "mxfp4",   "nvfp4", "tq1_0", "tq2_0",
      "iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s",  "iq3_xxs", "iq3_s"};
  for (const std::string& name : promised) EXPECT_TRUE(seen.contains(name)) << name;
}

}  // namespace
}  // namespace vade::quant
