// Decoders as embedding models and rerankers against llama.cpp's pooled vectors and scores, on
// every instruction set the host has: one by one and in one call.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "engine/base/file.h"
#include "engine/encoder_engine.h"
#include "engine/kernels/isa.h"
#include "tests/support/base64.h"
#include "tests/support/golden.h"

namespace vade::engine {
namespace {

using nlohmann::json;

constexpr double kEmbeddingTolerance = 1e-5;  // of unit vectors; tests/golden/README.md
constexpr double kScoreTolerance = 1e-4;
constexpr double kTokenTolerance = 5e-5;

struct Case {
  std::string model;
  kernels::Isa isa;
};

class PooledDecoders : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!kernels::IsSupported(GetParam().isa)) GTEST_SKIP() << "not on this CPU";
    setenv("VADE_KERNELS", std::string(kernels::IsaName(GetParam().isa)).c_str(), 1);
    const std::string stem = "models/" + GetParam().model;
    path_ = testing::GoldenPath(stem + ".gguf");
    if (!std::filesystem::exists(path_)) path_ = testing::SharedGoldenPath(stem + ".gguf");
    if (!std::filesystem::exists(path_)) GTEST_SKIP() << "no reference data";
    auto beside = path_;
    json_ = json::parse(ReadFile(beside.replace_extension(".json")).value());
    for (const auto& prompt : json_.at("prompts")) {
      prompts_.push_back(prompt.at("tokens").get<std::vector<TokenId>>());
    }
  }
  void TearDown() override { unsetenv("VADE_KERNELS"); }

  void Expect(const std::string& pooling, const json& lines, const char* field,
              double tolerance) const {
    auto engine = EncoderEngine::Load(path_, {.num_threads = 2, .pooling = pooling});
    ASSERT_TRUE(engine) << engine.error().message;
    EXPECT_EQ((*engine)->pooling(), pooling);
    const size_t d = (*engine)->dimension();
    std::vector<float> all(prompts_.size() * d);
    const auto done = (*engine)->Embed(prompts_, all);
    ASSERT_TRUE(done) << done.error().message;
    for (size_t i = 0; i < prompts_.size(); ++i) {
      const auto want = testing::DecodeBase64Floats(lines.at(i).at(field).get<std::string>());
      ASSERT_EQ(want.size(), d);
      std::vector<float> one(d);
      ASSERT_TRUE((*engine)->Embed({&prompts_[i], 1}, one));
      // The reference's angles are f32, which shows in long prompts.
      const double highest = prompts_[i].size() > 33 ? 5 * tolerance : tolerance;
      for (size_t k = 0; k < d; ++k) {
        ASSERT_NEAR(one[k], want[k], highest) << pooling << " " << prompts_[i].size();
        ASSERT_NEAR(all[i * d + k], want[k], highest) << pooling << " " << prompts_[i].size();
      }
    }
  }

  std::filesystem::path path_;
  json json_;
  std::vector<std::vector<TokenId>> prompts_;
};

TEST_P(PooledDecoders, EveryPooling) {
  size_t compared = 0;
  for (const std::string pooling : {"mean", "cls", "last"}) {
    const auto found = json_.at("variants").find("pooling_" + pooling);
    if (found == json_.at("variants").end()) continue;
    Expect(pooling, *found, "embedding", kEmbeddingTolerance);
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

TEST_P(PooledDecoders, Scores) {
  if (!json_.at("prompts").at(0).contains("rank_raw")) GTEST_SKIP() << "no reranker";
  Expect("rank", json_.at("prompts"), "rank_raw", kScoreTolerance);
}

TEST_P(PooledDecoders, TokenVectors) {
  const auto found = json_.at("variants").find("pooling_none");
  if (found == json_.at("variants").end()) GTEST_SKIP() << "no token vectors";
  auto engine = EncoderEngine::Load(path_, {.num_threads = 1});
  ASSERT_TRUE(engine) << engine.error().message;
  const auto got = (*engine)->TokenVectors(prompts_.at(1));
  ASSERT_TRUE(got) << got.error().message;
  const auto want =
      testing::DecodeBase64Floats(found->at(0).at("token_embeddings").get<std::string>());
  ASSERT_EQ(got->size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR((*got)[i], want[i], kTokenTolerance) << i;
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* model : {"qwen3-reranker", "qwen3", "llama"}) {
    for (const auto isa : {kernels::Isa::kScalar, kernels::Isa::kAvx2, kernels::Isa::kAvx512}) {
      cases.push_back({model, isa});
    }
  }
  return cases;
}

std::string CaseName(const ::testing::TestParamInfo<Case>& test) {
  std::string name = test.param.model + "_" + std::string(kernels::IsaName(test.param.isa));
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, PooledDecoders, ::testing::ValuesIn(Cases()), CaseName);

}  // namespace
}  // namespace vade::engine
