// The trace shows what the pass computed: checked against attention worked out by hand.
#include "engine/model/decoder_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include "engine/model/decoder.h"
#include "tests/support/tiny_decoder.h"

namespace vade::model {
namespace {

using ::testing::HasSubstr;
using vade::testing::TinyDecoder;

constexpr size_t kWidth = TinyDecoder::kWidth;
constexpr size_t kHeadDim = TinyDecoder::kHeadDim;
constexpr float kEps = 1e-5f;

class Machine {
 public:
  explicit Machine(const TinyDecoder& tiny, size_t num_threads = 1)
      : bytes_(tiny.ToBytes()), pool_(num_threads), team_(pool_) {
    auto file = vade::testing::ParseGguf(bytes_);
    const DecoderLimits limits{.kv_type = KvType::kF32};
    auto decoder = Decoder::Load(std::move(*file), limits, kernels::ActiveKernels(), team_);
    EXPECT_TRUE(decoder) << decoder.error().message;
    decoder_.emplace(std::move(*decoder));
    scratch_ = decoder_->MakeScratch(team_.size());
  }

  const Decoder& decoder() const { return *decoder_; }

  std::vector<float> Forward(std::span<const int32_t> ids, PassObserver* observer) {
    KvCache cache = decoder_->MakeCache();
    const SequenceId sequence = cache.Add();
    std::vector<BatchToken> batch;
    for (const int32_t id : ids) batch.push_back({sequence, id, false});
    batch.back().wants_logits = true;
    std::vector<float> logits(TinyDecoder::kVocab);
    const auto done = decoder_->Forward(batch, cache, team_, scratch_, logits, nullptr, observer);
    EXPECT_TRUE(done) << done.error().message;
    return logits;
  }

  DecoderTrace Trace(std::span<const int32_t> ids) {
    auto recorder = TraceRecorder::Create(decoder_->config(), ids.size(), 512);
    EXPECT_TRUE(recorder) << recorder.error().message;
    std::vector<float> logits = Forward(ids, &*recorder);
    DecoderTrace trace = std::move(*recorder).Take();
    trace.logits = std::move(logits);
    return trace;
  }

  // A matrix of the file, [rows, columns].
  std::vector<float> Weight(const std::string& name) const {
    const gguf::TensorInfo* tensor = decoder_->file().FindTensor(name);
    std::vector<float> values(tensor->data.size() / sizeof(float));
    std::memcpy(values.data(), tensor->data.data(), tensor->data.size());
    return values;
  }

 private:
  const std::string bytes_;
  ThreadPool pool_;
  Team team_;
  std::optional<Decoder> decoder_;
  DecoderScratch scratch_;
};

const std::vector<int32_t> kIds = {7, 3, 3, 41, 0, 12, 49, 7, 20};

std::vector<double> Multiply(const std::vector<float>& w, const std::vector<double>& x) {
  std::vector<double> y(w.size() / x.size());
  for (size_t i = 0; i < w.size(); ++i) y[i / x.size()] += double{w[i]} * x[i % x.size()];
  return y;
}

// Neighbours turn by position * 10000^(-2 pair / kHeadDim).
void Rotate(std::vector<double>& heads, size_t position) {
  for (size_t i = 0; i < heads.size(); i += 2) {
    const double exponent = -static_cast<double>(i % kHeadDim) / double{kHeadDim};
    const double angle = static_cast<double>(position) * std::pow(10000.0, exponent);
    const double x = heads[i];
    const double y = heads[i + 1];
    heads[i] = x * std::cos(angle) - y * std::sin(angle);
    heads[i + 1] = x * std::sin(angle) + y * std::cos(angle);
  }
}

// Queries or keys of the first layer, from the file's weights alone.
std::vector<double> FirstLayer(const Machine& machine, size_t position, const std::string& name) {
  const auto tokens = machine.Weight("token_embd.weight");
  const auto norm = machine.Weight("blk.0.attn_norm.weight");
  const float* row = tokens.data() + static_cast<size_t>(kIds[position]) * kWidth;
  double squares = 0;
  for (size_t i = 0; i < kWidth; ++i) squares += double{row[i]} * double{row[i]};
  const double inverse = 1 / std::sqrt(squares / double{kWidth} + double{kEps});
  std::vector<double> x(kWidth);
  for (size_t i = 0; i < kWidth; ++i) x[i] = double{row[i]} * inverse * double{norm[i]};
  auto heads = Multiply(machine.Weight("blk.0." + name + ".weight"), x);
  Rotate(heads, position);
  return heads;
}

TEST(DecoderTrace, AttentionOfTheFirstLayerIsThatWorkedOutByHand) {
  const TinyDecoder tiny;
  Machine machine(tiny);
  const DecoderTrace trace = machine.Trace(kIds);
  ASSERT_EQ(trace.num_tokens, kIds.size());
  for (size_t head = 0; head < TinyDecoder::kHeads; ++head) {
    const size_t kv_head = head / (TinyDecoder::kHeads / TinyDecoder::kKvHeads);
    for (size_t token = 0; token < kIds.size(); ++token) {
      const auto query = FirstLayer(machine, token, "attn_q");
      std::vector<double> weights;
      for (size_t other = 0; other <= token; ++other) {
        const auto key = FirstLayer(machine, other, "attn_k");
        const double dot =
            std::inner_product(query.begin() + static_cast<ptrdiff_t>(head * kHeadDim),
                               query.begin() + static_cast<ptrdiff_t>((head + 1) * kHeadDim),
                               key.begin() + static_cast<ptrdiff_t>(kv_head * kHeadDim), 0.0);
        weights.push_back(std::exp(dot / std::sqrt(double{kHeadDim})));
      }
      const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
      const auto got = trace.Attention(0, head, token);
      ASSERT_EQ(got.size(), token + 1);
      for (size_t other = 0; other <= token; ++other) {
        EXPECT_NEAR(got[other], weights[other] / sum, 2e-5) << head << ' ' << token << ' ' << other;
      }
    }
  }
}

TEST(DecoderTrace, EveryRowSumsToOneInEveryHead) {
  Machine machine(TinyDecoder(), 3);
  const DecoderTrace trace = machine.Trace(kIds);
  ASSERT_EQ(trace.num_layers, 2u);
  ASSERT_EQ(trace.num_heads, TinyDecoder::kHeads);
  for (size_t layer = 0; layer < 2; ++layer) {
    for (size_t head = 0; head < trace.num_heads; ++head) {
      for (size_t token = 0; token < kIds.size(); ++token) {
        const auto row = trace.Attention(layer, head, token);
        EXPECT_EQ(row.size(), token + 1);
        EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1.0, 1e-6);
      }
    }
  }
}

TEST(DecoderTrace, WatchingDoesNotChangeTheLogits) {
  for (const size_t num_threads : {1u, 3u}) {
    Machine machine(TinyDecoder(), num_threads);
    EXPECT_EQ(machine.Trace(kIds).logits, machine.Forward(kIds, nullptr));
  }
}

TEST(DecoderTrace, EmbeddingsAreTheRowsOfTheTable) {
  Machine machine{TinyDecoder()};
  const DecoderTrace trace = machine.Trace(kIds);
  const auto tokens = machine.Weight("token_embd.weight");
  for (size_t token = 0; token < kIds.size(); ++token) {
    const auto row = trace.Embedding(token);
    EXPECT_TRUE(std::equal(row.begin(), row.end(),
                           tokens.begin() + kIds[token] * static_cast<ptrdiff_t>(kWidth)));
  }
  EXPECT_TRUE(trace.positions.empty());
  ASSERT_EQ(trace.rope.per_position.size(), kHeadDim / 2);
  EXPECT_DOUBLE_EQ(trace.rope.per_position[0], 1.0);
  EXPECT_NEAR(trace.rope.per_position[1], std::pow(10000.0, -2.0 / double{kHeadDim}), 1e-12);
}

TEST(DecoderTrace, AWindowLooksNoFurtherBack) {
  TinyDecoder tiny("gemma2");
  tiny.counts["attention.sliding_window"] = 4;
  for (const std::string p : {"blk.0.", "blk.1."}) {
    tiny.tensors[p + "post_attention_norm.weight"] = {kWidth};
    tiny.tensors[p + "post_ffw_norm.weight"] = {kWidth};
  }
  Machine machine(tiny);
  const DecoderTrace trace = machine.Trace(kIds);
  EXPECT_EQ(trace.layers[0].window, 4u);
  EXPECT_EQ(trace.layers[1].window, 0u);
  const auto near = trace.Attention(0, 1, 8);
  for (size_t other = 0; other < 9; ++other) {
    EXPECT_EQ(near[other] > 0, other >= 5) << other;
    EXPECT_GT(trace.Attention(1, 1, 8)[other], 0);
  }
  EXPECT_NEAR(std::accumulate(near.begin(), near.end(), 0.0), 1.0, 1e-6);
  EXPECT_NEAR(trace.Embedding(0)[0] / machine.Weight("token_embd.weight")[7 * kWidth],
              std::sqrt(float{kWidth}), 1e-4);
}

TEST(DecoderTrace, WhatIsTooLargeIsRefusedWithNumbers) {
  Machine machine{TinyDecoder()};
  const DecoderConfig& config = machine.decoder().config();
  const auto message = [](const auto& result) {
    return result ? "accepted" : result.error().message;
  };
  EXPECT_THAT(message(TraceRecorder::Create(config, 0, 512)), HasSubstr("no tokens"));
  EXPECT_THAT(message(TraceRecorder::Create(config, 257, 512)),
              HasSubstr("got 257 tokens, at most 256"));
  EXPECT_THAT(message(TraceRecorder::Create(config, 17, 16)),
              HasSubstr("got 17 tokens, at most 16"));
  DecoderConfig large = config;
  large.num_layers = 80;
  large.num_heads = 64;
  EXPECT_THAT(message(TraceRecorder::Create(large, 256, 512)),
              HasSubstr("256 tokens in 80 layers of 64 heads takes"));
}

}  // namespace
}  // namespace vade::model
