// What must hold for any decoder whatever its weights: the same sequence gives the same logits
// however it is cut, mixed with others, forked or shared out.
#include "engine/model/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/support/tiny_decoder.h"

namespace vade::model {
namespace {

using ::testing::HasSubstr;
using vade::testing::TinyDecoder;

constexpr float kTolerance = 2e-4f;  // f32 sums in another order

std::vector<int32_t> RandomIds(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int32_t> id(0, static_cast<int32_t>(TinyDecoder::kVocab) - 1);
  std::vector<int32_t> ids(count);
  for (int32_t& x : ids) x = id(random);
  return ids;
}

struct Setup {
  DecoderLimits limits = {.cache_tokens = 1000, .kv_type = KvType::kF32};
  size_t num_threads = 1;
};

class Machine {
 public:
  explicit Machine(const TinyDecoder& tiny, const Setup& setup = {})
      : bytes_(tiny.ToBytes()),
        pool_(setup.num_threads),
        team_(setup.num_threads == 1 ? Team() : Team(pool_)) {
    auto file = vade::testing::ParseGguf(bytes_);
    auto decoder = Decoder::Load(std::move(*file), setup.limits, kernels::ActiveKernels(), team_);
    EXPECT_TRUE(decoder) << decoder.error().message;
    decoder_.emplace(std::move(*decoder));
    cache_.emplace(decoder_->MakeCache());
    scratch_ = decoder_->MakeScratch(team_.size());
  }

  KvCache& cache() { return *cache_; }
  const Decoder& decoder() { return *decoder_; }

  Result<std::vector<float>> Forward(std::span<const BatchToken> batch,
                                     const CancelToken* cancel = nullptr) {
    size_t num_wanted = 0;
    for (const BatchToken& row : batch) num_wanted += row.wants_logits ? 1 : 0;
    std::vector<float> logits(num_wanted * TinyDecoder::kVocab);
    VADE_CHECK_OK(decoder_->Forward(batch, *cache_, team_, scratch_, logits, cancel));
    return logits;
  }

  // Appends ids; the logits after the last.
  std::vector<float> Feed(SequenceId sequence, std::span<const int32_t> ids) {
    std::vector<BatchToken> batch;
    for (const int32_t id : ids) batch.push_back({sequence, id, false});
    batch.back().wants_logits = true;
    auto logits = Forward(batch);
    EXPECT_TRUE(logits) << logits.error().message;
    return logits.value_or(std::vector<float>(TinyDecoder::kVocab));
  }

  std::vector<float> Fresh(std::span<const int32_t> ids) {
    const SequenceId sequence = cache_->Add();
    auto logits = Feed(sequence, ids);
    cache_->Remove(sequence);
    return logits;
  }

 private:
  const std::string bytes_;
  ThreadPool pool_;
  Team team_;
  std::optional<Decoder> decoder_;
  std::optional<KvCache> cache_;
  DecoderScratch scratch_;
};

float Distance(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  float worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

TEST(Decoder, AnySplitEqualsTheWhole) {
  Machine machine{TinyDecoder()};
  const auto ids = RandomIds(70, 1);
  const auto whole = machine.Fresh(ids);
  for (const size_t split : {1u, 31u, 32u, 33u, 69u}) {
    const SequenceId sequence = machine.cache().Add();
    machine.Feed(sequence, std::span(ids).first(split));
    EXPECT_LT(Distance(machine.Feed(sequence, std::span(ids).subspan(split)), whole), kTolerance);
  }
}

TEST(Decoder, SmallPassesAndATeamEqualOneLargePassAlone) {
  const auto ids = RandomIds(90, 2);
  const auto whole = Machine(TinyDecoder()).Fresh(ids);
  Machine other(TinyDecoder(), {{.batch_tokens = 7, .kv_type = KvType::kF32}, 3});
  EXPECT_LT(Distance(other.Fresh(ids), whole), kTolerance);
}

TEST(Decoder, SeveralSequencesInOneBatchEqualOneByOne) {
  Machine machine{TinyDecoder()};
  const std::vector<std::vector<int32_t>> texts = {RandomIds(40, 3), RandomIds(1, 4),
                                                   RandomIds(23, 5)};
  std::vector<SequenceId> sequences;
  std::vector<BatchToken> batch;
  for (size_t i = 0; i < texts.size(); ++i) sequences.push_back(machine.cache().Add());
  for (size_t at = 0; at < 40; ++at) {  // the sequences' rows take turns
    for (size_t i = 0; i < texts.size(); ++i) {
      if (at >= texts[i].size()) continue;
      batch.push_back({sequences[i], texts[i][at], at + 1 == texts[i].size()});
    }
  }
  const auto logits = machine.Forward(batch);
  ASSERT_TRUE(logits) << logits.error().message;
  const std::vector<size_t> in_batch_order = {1, 2, 0};  // the shortest ends first
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto row = std::span(*logits).subspan(i * TinyDecoder::kVocab, TinyDecoder::kVocab);
    EXPECT_LT(Distance(row, machine.Fresh(texts[in_batch_order[i]])), kTolerance);
  }
}

TEST(Decoder, LogitsOfChosenRowsEqualThoseOfTheirPrefixes) {
  Machine machine{TinyDecoder()};
  const auto ids = RandomIds(20, 6);
  const SequenceId sequence = machine.cache().Add();
  std::vector<BatchToken> batch;
  for (size_t i = 0; i < ids.size(); ++i) batch.push_back({sequence, ids[i], i == 4 || i == 13});
  const auto logits = machine.Forward(batch);
  ASSERT_EQ(logits->size(), 2 * TinyDecoder::kVocab);
  const auto first = std::span(*logits).first(TinyDecoder::kVocab);
  const auto second = std::span(*logits).last(TinyDecoder::kVocab);
  EXPECT_LT(Distance(first, machine.Fresh(std::span(ids).first(5))), kTolerance);
  EXPECT_LT(Distance(second, machine.Fresh(std::span(ids).first(14))), kTolerance);
  EXPECT_GT(Distance(first, second), 100 * kTolerance);
}

TEST(Decoder, ForksContinueAsIfTheyHadBeenComputedAlone) {
  Machine machine{TinyDecoder()};
  const auto ids = RandomIds(50, 7);
  const auto other = RandomIds(8, 8);
  const SequenceId trunk = machine.cache().Add();
  machine.Feed(trunk, ids);
  const SequenceId fork = machine.cache().Fork(trunk, 40);  // in the middle of a page
  auto joined = std::vector<int32_t>(ids.begin(), ids.begin() + 40);
  joined.insert(joined.end(), other.begin(), other.end());
  EXPECT_LT(Distance(machine.Feed(fork, other), machine.Fresh(joined)), kTolerance);
  // The trunk is untouched by what its fork wrote into the shared page.
  auto longer = ids;
  longer.insert(longer.end(), other.begin(), other.end());
  EXPECT_LT(Distance(machine.Feed(trunk, other), machine.Fresh(longer)), kTolerance);
}

TEST(Decoder, TruncatedSequencesForget) {
  Machine machine{TinyDecoder()};
  const auto ids = RandomIds(50, 9);
  const SequenceId sequence = machine.cache().Add();
  machine.Feed(sequence, ids);
  machine.cache().Truncate(sequence, 10);
  EXPECT_LT(Distance(machine.Feed(sequence, std::span(ids).subspan(10, 5)),
                     machine.Fresh(std::span(ids).first(15))),
            kTolerance);
}

TEST(Decoder, AWindowHidesWhatIsFurtherBack) {
  TinyDecoder tiny("gemma2");
  tiny.counts["block_count"] = 1;  // the first layer has the window
  tiny.counts["attention.sliding_window"] = 5;
  tiny.tensors["blk.0.post_attention_norm.weight"] = {TinyDecoder::kWidth};
  tiny.tensors["blk.0.post_ffw_norm.weight"] = {TinyDecoder::kWidth};
  std::erase_if(tiny.tensors, [](const auto& entry) { return entry.first.starts_with("blk.1."); });
  Machine machine(tiny);
  auto ids = RandomIds(80, 10);
  const auto before = machine.Fresh(ids);
  const auto change = [&](size_t back) {  // the token that many places before the last
    auto changed = ids;
    int32_t& id = changed[changed.size() - 1 - back];
    id = (id + 1) % static_cast<int32_t>(TinyDecoder::kVocab);
    return Distance(machine.Fresh(changed), before);
  };
  EXPECT_GT(change(4), 100 * kTolerance);  // the window is five tokens, the last one included
  EXPECT_EQ(change(5), 0.0f);
  EXPECT_EQ(change(60), 0.0f);
}

TEST(Decoder, CompressedCachesStayNear) {
  const auto ids = RandomIds(100, 11);
  const auto exact = Machine(TinyDecoder()).Fresh(ids);
  const auto half = Machine(TinyDecoder(), {{.kv_type = KvType::kF16}}).Fresh(ids);
  const auto eight = Machine(TinyDecoder(), {{.kv_type = KvType::kQ8_0}}).Fresh(ids);
  EXPECT_GT(Distance(half, exact), 0.0f);
  EXPECT_LT(Distance(half, exact), 0.02f);
  EXPECT_LT(Distance(eight, exact), 0.4f);  // logits have a deviation near 12
}

TEST(Decoder, EqualExpertsAreTheDenseModel) {
  const auto ids = RandomIds(40, 12);
  const auto dense = Machine(TinyDecoder()).Fresh(ids);
  TinyDecoder mixture;
  mixture.MakeMixture(6, 3);
  const auto different = Machine(mixture).Fresh(ids);
  mixture.equal_experts = true;
  EXPECT_LT(Distance(Machine(mixture).Fresh(ids), dense), kTolerance);
  EXPECT_GT(Distance(different, dense), 100 * kTolerance);
}

TEST(Decoder, MixturesSplitAndMixAsDenseModelsDo) {
  TinyDecoder tiny;
  tiny.MakeMixture(6, 2);
  const auto ids = RandomIds(70, 13);
  Machine alone(tiny);
  const auto whole = alone.Fresh(ids);
  Machine team(tiny, {{.batch_tokens = 11, .kv_type = KvType::kF32}, 3});
  EXPECT_LT(Distance(team.Fresh(ids), whole), kTolerance);
}

TEST(Decoder, ABatchThatFailsLeavesNoTrace) {
  Machine machine(TinyDecoder(), {{.ctx_len = 64, .cache_tokens = 96, .kv_type = KvType::kF32}});
  const auto ids = RandomIds(60, 14);
  const SequenceId sequence = machine.cache().Add();
  const SequenceId other = machine.cache().Add();
  machine.Feed(sequence, ids);
  const auto error_of = [&](std::vector<BatchToken> batch) {
    const auto logits = machine.Forward(batch);
    EXPECT_EQ(machine.cache().Length(sequence), 60u);
    EXPECT_EQ(machine.cache().Length(other), 0u);
    return logits ? Error{ErrorCode::kInternal, "worked"} : logits.error();
  };
  const Error overflow = error_of(std::vector<BatchToken>(5, {sequence, 1, false}));
  EXPECT_EQ(overflow.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(overflow.message, HasSubstr("context overflow: 60 tokens and 5 more"));
  const Error full = error_of(std::vector<BatchToken>(33, {other, 1, false}));
  EXPECT_EQ(full.code, ErrorCode::kResource);
  EXPECT_THAT(full.message, HasSubstr("room for 32"));
  EXPECT_THAT(error_of({{sequence, 50, true}}).message, HasSubstr("token id 50, expected 0 to 49"));
  EXPECT_THAT(error_of({{sequence, -1, true}}).message, HasSubstr("token id -1"));
  EXPECT_THAT(error_of({{77, 1, true}}).message, HasSubstr("no sequence 77"));
  CancelToken cancel;
  cancel.Cancel();
  const std::vector<BatchToken> batch = {{sequence, 1, true}};
  EXPECT_EQ(machine.Forward(batch, &cancel).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(machine.cache().Length(sequence), 60u);
}

TEST(Decoder, AWeightThatIsNotFiniteIsReported) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    TinyDecoder tiny;
    tiny.MakeMixture(4, 2);
    tiny.overwritten["blk.0.attn_k.weight"] = {70, bad};
    Machine machine(tiny);
    const std::vector<BatchToken> batch = {{machine.cache().Add(), 1, false},
                                           {machine.cache().Add(), 1, true}};
    const auto logits = machine.Forward(std::span(batch).last(1));
    ASSERT_FALSE(logits);
    EXPECT_THAT(logits.error().message, HasSubstr("non-finite logits"));
  }
}

TEST(Decoder, ARowThatWantsNothingStillFillsTheCache) {
  Machine machine{TinyDecoder()};
  const auto ids = RandomIds(12, 15);
  const SequenceId sequence = machine.cache().Add();
  std::vector<BatchToken> silent;
  for (const int32_t id : ids) silent.push_back({sequence, id, false});
  ASSERT_TRUE(machine.Forward(silent));
  EXPECT_EQ(machine.cache().Length(sequence), 12u);
  auto longer = ids;
  longer.push_back(3);
  EXPECT_LT(Distance(machine.Feed(sequence, std::vector<int32_t>{3}), machine.Fresh(longer)),
            kTolerance);
}

}  // namespace
}  // namespace vade::model
