// The encoder family against llama.cpp's reference embeddings and scores, on every instruction set
// the host has, alone and with a team, in one batch and one by one.
//
// GELU: without a hidden_activation key we compute the exact erf form, which the original models
// use; llama.cpp computes the tanh form. So bert models are compared with variants.gelu_erf.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/encoder.h"
#include "tests/support/base64.h"
#include "tests/support/golden.h"

namespace vade::model {
namespace {

constexpr double kEmbeddingTolerance = 1e-5;  // of unit vectors; tests/golden/README.md
constexpr double kScoreTolerance = 1e-4;

struct Case {
  std::string model;
  kernels::Isa isa;
};

class EncoderModels : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!kernels::IsSupported(GetParam().isa)) GTEST_SKIP() << "not on this CPU";
    const std::string stem = "models/" + GetParam().model;
    const auto file = gguf::File::Open(testing::GoldenPath(stem + ".gguf"));
    ASSERT_TRUE(file) << file.error().message;
    auto encoder = Encoder::Load(*file, kernels::KernelsFor(GetParam().isa));
    ASSERT_TRUE(encoder) << encoder.error().message;
    encoder_.emplace(std::move(*encoder));
    json_ = nlohmann::json::parse(ReadFile(testing::GoldenPath(stem + ".json")).value());
    for (const auto& prompt : json_.at("prompts")) {
      prompts_.push_back(prompt.at("tokens").get<std::vector<TokenId>>());
    }
    ASSERT_GE(prompts_.size(), 4u);
  }

  [[nodiscard]] bool is_rank() const { return encoder_->config().pooling == Pooling::kRank; }

  // The pooled outputs of a batch: unit vectors, or raw scores.
  [[nodiscard]] std::vector<std::vector<float>> Outputs(const TokenBatch& batch,
                                                        const Team& team) const {
    EncoderScratch scratch;
    encoder_->Reserve(batch.num_tokens(), batch.longest(), team.size(), scratch);
    encoder_->Forward(batch, team, scratch);
    const size_t d = encoder_->config().d_model;
    std::vector<std::vector<float>> outputs;
    for (size_t i = 0; i < batch.num_sequences(); ++i) {
      std::vector<float> out(encoder_->output_dim());
      encoder_->Pool({scratch.hidden.data() + batch.starts[i] * d, batch.length(i) * d}, out);
      double squares = 0;
      for (const float x : out) squares += double{x} * double{x};
      for (float& x : out) x = is_rank() ? x : static_cast<float>(x / std::sqrt(squares));
      outputs.push_back(std::move(out));
    }
    return outputs;
  }

  [[nodiscard]] std::vector<float> Reference(size_t i) const {
    const char* field = is_rank() ? "rank_raw" : "embedding";
    const auto& variants = json_.at("variants");
    const bool erf = variants.contains("gelu_erf");
    const auto& line = erf ? variants.at("gelu_erf").at(i) : json_.at("prompts").at(i);
    return testing::DecodeBase64Floats(line.at(field).get<std::string>());
  }

  void ExpectNear(const std::vector<float>& got, const std::vector<float>& want) const {
    ASSERT_EQ(got.size(), want.size());
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      worst = std::max(worst, std::abs(double{got[i]} - double{want[i]}));
    }
    EXPECT_LT(worst, is_rank() ? kScoreTolerance : kEmbeddingTolerance);
  }

  std::optional<Encoder> encoder_;
  nlohmann::json json_;
  std::vector<std::vector<TokenId>> prompts_;
};

TEST_P(EncoderModels, OneByOne) {
  for (size_t i = 0; i < prompts_.size(); ++i) {
    SCOPED_TRACE(prompts_[i].size());
    TokenBatch batch;
    batch.Add(prompts_[i]);
    ExpectNear(Outputs(batch, Team()).at(0), Reference(i));
  }
}

TEST_P(EncoderModels, InOneBatchWithATeam) {
  ThreadPool pool(3);
  TokenBatch batch;
  for (const auto& prompt : prompts_) batch.Add(prompt);
  const auto outputs = Outputs(batch, Team(pool));
  for (size_t i = 0; i < prompts_.size(); ++i) {
    SCOPED_TRACE(prompts_[i].size());
    ExpectNear(outputs[i], Reference(i));
  }
}

// Every token's vector, before pooling. The references of the bert models are of the tanh form; on
// raw values of size 1 the two forms differ by up to a few thousandths.
TEST_P(EncoderModels, TokenVectors) {
  const auto& variants = json_.at("variants");
  if (!variants.contains("pooling_none")) GTEST_SKIP() << "no token vectors";
  const bool erf = variants.contains("pooling_none_erf");
  const double tolerance = variants.contains("gelu_erf") && !erf ? 5e-3 : 5e-5;
  const auto& line = variants.at(erf ? "pooling_none_erf" : "pooling_none").at(0);
  const auto want = testing::DecodeBase64Floats(line.at("token_embeddings").get<std::string>());
  TokenBatch batch;
  batch.Add(prompts_.at(1));
  EncoderScratch scratch;
  encoder_->Reserve(batch.num_tokens(), batch.longest(), 1, scratch);
  encoder_->Forward(batch, Team(), scratch);
  ASSERT_EQ(want.size(), batch.num_tokens() * encoder_->config().d_model);
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(scratch.hidden[i], want[i], tolerance) << i;
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* model :
       {"bert", "bert-cls", "bert-reranker", "nomic-bert", "jina-bert-v2", "jina-bert-v2-code",
        "jina-bert-v2-reranker", "modern-bert", "modern-bert-reranker"}) {
    for (const auto isa : {kernels::Isa::kScalar, kernels::Isa::kAvx2, kernels::Isa::kAvx512}) {
      cases.push_back({model, isa});
    }
  }
  return cases;
}

std::string CaseName(const ::testing::TestParamInfo<Case>& test) {
  std::string name = test.param.model + "_" + std::string(kernels::IsaName(test.param.isa));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, EncoderModels, ::testing::ValuesIn(Cases()), CaseName);

}  // namespace
}  // namespace vade::model
