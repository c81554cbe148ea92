// Whole files beside those llama.cpp made of the same weights: types tensor by tensor, and errors.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "engine/import/requantize.h"
#include "tests/support/golden.h"

namespace vade::import {
namespace {

std::vector<float> Values(const gguf::TensorInfo& tensor) {
  std::vector<float> values(tensor.num_values);
  quant::InfoOf(tensor.type).dequantize(tensor.data.data(), values.data(), values.size());
  return values;
}

double RmsError(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0;
  for (size_t i = 0; i < a.size(); ++i) error += std::pow(double{a[i]} - double{b[i]}, 2);
  return std::sqrt(error / static_cast<double>(a.size()));
}

class RequantizeReference : public ::testing::TestWithParam<std::string> {};

TEST_P(RequantizeReference, SameTypesAndNoMoreError) {
  const auto source_path = testing::SharedGoldenPath("quants/llama-q-F32.gguf");
  const auto reference_path = testing::SharedGoldenPath("quants/llama-q-" + GetParam() + ".gguf");
  if (!std::filesystem::exists(reference_path)) GTEST_SKIP() << "no reference files here";
  const gguf::File source = gguf::File::Open(source_path).value();
  const gguf::File reference = gguf::File::Open(reference_path).value();
  const auto path = std::filesystem::path(::testing::TempDir()) / ("vade_ref_" + GetParam());
  const FileType type = ParseFileType(GetParam()).value();
  ASSERT_TRUE(Requantize(source, path, {.type = type, .replace = true}));
  const gguf::File ours = gguf::File::Open(path).value();
  EXPECT_EQ(ours.Require<uint32_t>("general.file_type").value(),
            reference.Require<uint32_t>("general.file_type").value());
  ASSERT_EQ(ours.tensors().size(), reference.tensors().size());
  for (const gguf::TensorInfo& theirs : reference.tensors()) {
    SCOPED_TRACE(theirs.name);
    const gguf::TensorInfo* mine = ours.FindTensor(theirs.name);
    ASSERT_NE(mine, nullptr);
    EXPECT_EQ(quant::InfoOf(mine->type).name, quant::InfoOf(theirs.type).name);
    const auto exact = Values(*source.FindTensor(theirs.name));
    EXPECT_LE(RmsError(Values(*mine), exact), 1.01 * RmsError(Values(theirs), exact));
  }
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Types, RequantizeReference,
                         ::testing::Values("F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_1", "Q5_0",
                                           "Q4_K_M", "Q4_1", "Q4_0", "IQ4_NL"));

}  // namespace
}  // namespace vade::import
