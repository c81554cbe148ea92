// The default model against sentence-transformers on the texts of tests/golden/minilm, on every
// instruction set the host has. Tolerances and their reasons: tests/golden/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "engine/encoder_engine.h"
#include "engine/kernels/isa.h"
#include "tests/support/base64.h"
#include "tests/support/golden.h"

namespace vade::engine {
namespace {

class MiniLm : public ::testing::TestWithParam<kernels::Isa> {
 protected:
  void SetUp() override {
    if (!kernels::IsSupported(GetParam())) GTEST_SKIP() << "not on this CPU";
    setenv("VADE_KERNELS", std::string(kernels::IsaName(GetParam())).c_str(), 1);
    for (const auto& line : testing::ReadJsonLines(testing::GoldenPath("minilm/reference.jsonl"))) {
      texts_.push_back(line.at("text").get<std::string>());
      ids_.push_back(line.at("ids").get<std::vector<TokenId>>());
      references_.push_back(testing::DecodeBase64Floats(line.at("embedding").get<std::string>()));
    }
    ASSERT_GE(texts_.size(), 200u);
    // The scalar kernels are the specification, not fast: a fifth of the texts is enough for them.
    if (GetParam() == kernels::Isa::kScalar) KeepEvery(5);
  }
  void TearDown() override { unsetenv("VADE_KERNELS"); }

  void KeepEvery(size_t step) {
    for (size_t i = 0; i * step < texts_.size(); ++i) {
      texts_[i] = texts_[i * step];
      ids_[i] = ids_[i * step];
      references_[i] = references_[i * step];
    }
    const size_t kept = (texts_.size() + step - 1) / step;
    texts_.resize(kept);
    ids_.resize(kept);
    references_.resize(kept);
  }

  // Cosine of every text to its reference; all at once, as an indexer would.
  void ExpectCosine(const std::filesystem::path& model, double lowest) const {
    auto engine = EncoderEngine::Load(model, {.num_threads = 2});
    ASSERT_TRUE(engine) << engine.error().message;
    const size_t d = (*engine)->dimension();
    std::vector<float> out(ids_.size() * d);
    const auto done = (*engine)->Embed(ids_, out);
    ASSERT_TRUE(done) << done.error().message;
    double least = 1;
    double sum = 0;
    for (size_t i = 0; i < ids_.size(); ++i) {
      ASSERT_EQ(references_[i].size(), d);
      const double cosine = std::inner_product(references_[i].begin(), references_[i].end(),
                                               out.begin() + static_cast<ptrdiff_t>(i * d), 0.0);
      EXPECT_GE(cosine, lowest) << texts_[i];
      least = std::min(least, cosine);
      sum += cosine;
    }
    RecordProperty("least", std::to_string(least));
    RecordProperty("mean", std::to_string(sum / static_cast<double>(ids_.size())));
    std::printf("%s: cosine least %.7f mean %.7f of %zu texts\n",
                std::string(kernels::IsaName(GetParam())).c_str(), least,
                sum / static_cast<double>(ids_.size()), ids_.size());
  }

  std::vector<std::string> texts_;
  std::vector<std::vector<TokenId>> ids_;
  std::vector<std::vector<float>> references_;
};

TEST_P(MiniLm, Q8_0) {
  ExpectCosine(std::filesystem::path(VADE_SOURCE_DIR) / "data/models/all-MiniLM-L6-v2.Q8_0.gguf",
               0.9995);
}

TEST_P(MiniLm, F32) {
  const char* model = std::getenv("VADE_F32_MODEL");
  if (model == nullptr) GTEST_SKIP() << "VADE_F32_MODEL is not set";
  ExpectCosine(model, 0.99999);
}

INSTANTIATE_TEST_SUITE_P(All, MiniLm,
                         ::testing::Values(kernels::Isa::kScalar, kernels::Isa::kAvx2,
                                           kernels::Isa::kAvx512),
                         [](const auto& test) {
                           return std::string(kernels::IsaName(test.param));
                         });

}  // namespace
}  // namespace vade::engine
