// Round-trip error beside llama.cpp's quantisers, on the blocks they made.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/quant/quantize.h"
#include "engine/quant/tensor_type.h"
#include "tests/support/base64.h"
#include "tests/support/golden.h"

namespace vade::quant {
namespace {

double SquaredError(const std::vector<float>& x, const std::vector<float>& y) {
  double error = 0;
  for (size_t i = 0; i < x.size(); ++i) error += std::pow(double{x[i]} - double{y[i]}, 2);
  return error;
}

TEST(QuantizeReference, ErrorIsNotAboveLlamaCpps) {
  size_t num_types = 0;
  for (const auto& line : testing::ReadJsonLines(testing::GoldenPath("quants/dequant.jsonl"))) {
    const TensorTypeInfo& info = *FindTensorType(line.at("ggml_type").get<uint32_t>());
    if (line.at("origin") != "quantised" || !CanQuantize(info.type)) continue;
    SCOPED_TRACE(info.name);
    const auto source = testing::DecodeBase64Floats(line.at("source_values").get<std::string>());
    const auto theirs = testing::DecodeBase64Floats(line.at("values").get<std::string>());
    const auto bytes = Quantize(info.type, source).value();
    std::vector<float> ours(source.size());
    info.dequantize(bytes.data(), ours.data(), ours.size());
    EXPECT_LE(std::sqrt(SquaredError(source, ours)),
              1.0001 * std::sqrt(SquaredError(source, theirs)));
    ++num_types;
  }
  EXPECT_EQ(num_types, 13u);  // every type that can be written, f32 apart
}

}  // namespace
}  // namespace vade::quant
