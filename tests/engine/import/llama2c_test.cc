// llama2.c checkpoints: the imported model's logits against a plain float forward pass written
// here, over a checkpoint made here and over the one real model that is at hand; broken files.
#include "engine/import/llama2c.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "engine/base/file.h"
#include "engine/decoder_engine.h"

namespace vade::import {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kStories =
    std::string(VADE_SOURCE_DIR) + "/../shared/models/stories260K.bin";

struct Sizes {
  int32_t dim = 0, hidden = 0, layers = 0, heads = 0, kv_heads = 0, vocab = 0, positions = 0;
};

// The model as its format's paper trail has it: everything in the order of the formulas, in double.
class Reference {
 public:
  // `weights`: what follows the header of a version 0 checkpoint.
  Reference(const Sizes& sizes, std::vector<float> weights)
      : s_(sizes), weights_(std::move(weights)) {
    const float* at = weights_.data();
    const auto take = [&](int64_t count) { return std::exchange(at, at + count); };
    const int64_t d = s_.dim, l = s_.layers, kv = d / s_.heads * s_.kv_heads;
    tokens_ = take(d * std::abs(s_.vocab));
    attention_norm_ = take(l * d);
    q_ = take(l * d * d);
    k_ = take(l * d * kv);
    v_ = take(l * d * kv);
    o_ = take(l * d * d);
    ffn_norm_ = take(l * d);
    gate_ = take(l * d * s_.hidden);
    down_ = take(l * d * s_.hidden);
    up_ = take(l * d * s_.hidden);
    output_norm_ = take(d);
    take(s_.positions * (d / s_.heads));
    output_ = s_.vocab < 0 ? take(d * -s_.vocab) : tokens_;
    EXPECT_EQ(at, weights_.data() + weights_.size());
  }

  std::vector<double> Logits(const std::vector<int32_t>& ids) {
    keys_.assign(static_cast<size_t>(s_.layers), {});
    values_ = keys_;
    std::vector<double> x;
    for (size_t t = 0; t < ids.size(); ++t) {
      const float* row = tokens_ + int64_t{ids[t]} * s_.dim;
      x.assign(row, row + s_.dim);
      for (int layer = 0; layer < s_.layers; ++layer) {
        Add(x, Attention(layer, static_cast<double>(t), Norm(x, attention_norm_, layer)));
        Add(x, Ffn(layer, Norm(x, ffn_norm_, layer)));
      }
    }
    return Product(output_, std::abs(s_.vocab), Norm(x, output_norm_, 0));
  }

 private:
  using Vector = std::vector<double>;

  static void Add(Vector& x, const Vector& y) {
    for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  }
  static Vector Product(const float* matrix, int64_t rows, const Vector& x) {
    Vector y;
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (const double value : x) sum += value * double{*matrix++};
      y.push_back(sum);
    }
    return y;
  }
  static Vector Norm(const Vector& x, const float* weight, int layer) {
    double squares = 0;
    for (const double value : x) squares += value * value;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + 1e-5);
    Vector y;
    weight += layer * static_cast<int64_t>(x.size());
    for (const double value : x) y.push_back(value * scale * double{*weight++});
    return y;
  }
  void Rotate(Vector& x, double position) const {
    const int head_dim = s_.dim / s_.heads;
    for (size_t i = 0; i < x.size(); i += 2) {
      const double exponent = static_cast<double>(static_cast<int>(i) % head_dim) / head_dim;
      const double angle = position * std::pow(10000.0, -exponent);
      const double a = x[i], b = x[i + 1];
      x[i] = a * std::cos(angle) - b * std::sin(angle);
      x[i + 1] = a * std::sin(angle) + b * std::cos(angle);
    }
  }
  Vector Attention(int layer, double position, const Vector& x) {
    const int64_t d = s_.dim, head_dim = d / s_.heads, kv = head_dim * s_.kv_heads;
    Vector q = Product(q_ + layer * d * d, d, x);
    Vector k = Product(k_ + layer * d * kv, kv, x);
    Rotate(q, position);
    Rotate(k, position);
    auto& keys = keys_[static_cast<size_t>(layer)];
    auto& values = values_[static_cast<size_t>(layer)];
    keys.push_back(k);
    values.push_back(Product(v_ + layer * d * kv, kv, x));
    Vector out;
    for (int64_t head = 0; head < s_.heads; ++head) {
      const int64_t kv_at = head / (s_.heads / s_.kv_heads) * head_dim;
      Vector weights;
      double total = 0;
      for (const Vector& key : keys) {
        double score = 0;
        for (int64_t i = 0; i < head_dim; ++i) {
          score +=
              q[static_cast<size_t>(head * head_dim + i)] * key[static_cast<size_t>(kv_at + i)];
        }
        weights.push_back(std::exp(score / std::sqrt(static_cast<double>(head_dim))));
        total += weights.back();
      }
      for (int64_t i = 0; i < head_dim; ++i) {
        double sum = 0;
        for (size_t t = 0; t < values.size(); ++t) {
          sum += weights[t] / total * values[t][static_cast<size_t>(kv_at + i)];
        }
        out.push_back(sum);
      }
    }
    return Product(o_ + layer * d * d, d, out);
  }
  Vector Ffn(int layer, const Vector& x) const {
    const int64_t size = int64_t{s_.dim} * s_.hidden;
    Vector gate = Product(gate_ + layer * size, s_.hidden, x);
    const Vector up = Product(up_ + layer * size, s_.hidden, x);
    for (size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
    return Product(down_ + layer * size, s_.dim, gate);
  }

  Sizes s_;
  std::vector<float> weights_;
  const float *tokens_, *attention_norm_, *q_, *k_, *v_, *o_, *ffn_norm_, *gate_, *down_, *up_,
      *output_norm_, *output_;
  std::vector<std::vector<Vector>> keys_, values_;  // [layers][positions][kv]
};

int64_t NumWeights(const Sizes& s) {
  const int64_t d = s.dim, kv = d / s.heads * s.kv_heads, vocab = std::abs(s.vocab);
  return d * vocab * (s.vocab < 0 ? 2 : 1) +
         s.layers * (2 * d + 2 * d * d + 2 * d * kv + 3 * d * s.hidden) + d +
         s.positions * (d / s.heads);
}

std::vector<float> RandomWeights(const Sizes& sizes) {
  std::mt19937 random(7);
  std::normal_distribution<float> value(0.0f, 0.3f);
  std::vector<float> weights(static_cast<size_t>(NumWeights(sizes)));
  for (float& weight : weights) weight = value(random);
  return weights;
}

template <typename T>
std::string Bytes(const T* data, size_t count) {
  return {reinterpret_cast<const char*>(data), count * sizeof(T)};
}

std::string Checkpoint(const Sizes& sizes, const std::vector<float>& weights) {
  static_assert(sizeof(Sizes) == 28);
  return Bytes(&sizes, 1) + Bytes(weights.data(), weights.size());
}

class Llama2cTest : public ::testing::Test {
 protected:
  Llama2cTest()
      : folder_(std::filesystem::path(::testing::TempDir()) / "vade_llama2c"),
        in_(folder_ / "tiny.bin"),
        out_(folder_ / "tiny.gguf") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~Llama2cTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, bytes));
  }
  std::unique_ptr<engine::DecoderEngine> Import(const std::filesystem::path& checkpoint) {
    const auto done = ImportLlama2c(checkpoint, out_, {});
    EXPECT_TRUE(done) << done.error().message;
    auto engine =
        engine::DecoderEngine::Load(out_, {.num_threads = 1, .kv_type = engine::KvType::kF32});
    EXPECT_TRUE(engine) << engine.error().message;
    return engine ? std::move(*engine) : nullptr;
  }
  static void ExpectEqualLogits(engine::DecoderEngine& engine, Reference reference,
                                const std::vector<int32_t>& ids, double tolerance) {
    const auto sequence = engine.NewSequence();
    std::vector<engine::BatchToken> batch;
    for (const int32_t id : ids) batch.push_back({sequence, id, false});
    batch.back().wants_logits = true;
    const auto logits = engine.Forward(batch);
    ASSERT_TRUE(logits) << logits.error().message;
    const std::vector<double> want = reference.Logits(ids);
    ASSERT_EQ(logits->size(), want.size());
    double worst = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      worst = std::max(worst, std::abs(double{(*logits)[i]} - want[i]));
    }
    EXPECT_LT(worst, tolerance);
    RecordProperty("max_difference", std::to_string(worst));
    engine.Remove(sequence);
  }
  void ExpectRefused(const std::string& bytes, const std::string& reason) {
    Write("tiny.bin", bytes);
    const auto done = ImportLlama2c(in_, out_, {});
    ASSERT_FALSE(done) << "want: " << reason;
    EXPECT_THAT(done.error().message, HasSubstr(reason));
    EXPECT_FALSE(std::filesystem::exists(out_));
  }

  std::filesystem::path folder_;
  std::filesystem::path in_;
  std::filesystem::path out_;
};

constexpr Sizes kTied = {32, 48, 2, 4, 2, 300, 40};
constexpr Sizes kUntied = {32, 48, 2, 4, 4, -40, 40};

TEST_F(Llama2cTest, LogitsAreTheReferences) {
  for (const Sizes& sizes : {kTied, kUntied}) {
    SCOPED_TRACE(sizes.vocab);
    const std::vector<float> weights = RandomWeights(sizes);
    Write("tiny.bin", Checkpoint(sizes, weights));
    const auto engine = Import(in_);
    ASSERT_NE(engine, nullptr);
    EXPECT_EQ(engine->vocab_size(), static_cast<size_t>(std::abs(sizes.vocab)));
    EXPECT_EQ(engine->trained_context_length(), 40u);
    EXPECT_EQ(engine->name(), "tiny");
    ExpectEqualLogits(*engine, {sizes, weights}, {1, 7, 39, 0, 7, 20, 11}, 2e-5);
    std::filesystem::remove(out_);
  }
}

TEST_F(Llama2cTest, StoriesModelGivesTheReferencesLogits) {
  if (!std::filesystem::exists(kStories)) GTEST_SKIP() << "no model at hand";
  const std::string bytes = ReadFile(kStories).value();
  Sizes sizes;
  std::memcpy(&sizes, bytes.data(), sizeof sizes);
  std::vector<float> weights((bytes.size() - sizeof sizes) / sizeof(float));
  std::memcpy(weights.data(), bytes.data() + sizeof sizes, weights.size() * sizeof(float));
  const auto engine = Import(kStories);
  ASSERT_NE(engine, nullptr);
  const Reference reference(sizes, weights);
  ExpectEqualLogits(*engine, reference, {1}, 1e-4);
  ExpectEqualLogits(*engine, reference, {1, 403, 407, 261, 378, 432, 383, 285}, 1e-4);
  std::vector<int32_t> many;
  for (int32_t i = 0; i < 100; ++i) many.push_back(i * 37 % 512);
  ExpectEqualLogits(*engine, reference, many, 1e-4);
}

TEST_F(Llama2cTest, VersionOneHasItsOwnOrder) {
  const std::vector<float> weights = RandomWeights(kTied);
  const auto slice = [&](int64_t begin, int64_t count) {
    return Bytes(weights.data() + begin, static_cast<size_t>(count));
  };
  constexpr int64_t d = kTied.dim, l = kTied.layers, kv = d / kTied.heads * kTied.kv_heads;
  constexpr int64_t tokens = d * kTied.vocab, attention = l * (2 * d * d + 2 * d * kv),
                    ffn = l * 3 * d * kTied.hidden;
  const uint32_t start[2] = {0x616b3432, 1};
  std::string bytes = Bytes(start, 2) + Bytes(&kTied, 1) + '\1';
  bytes.resize(256);
  bytes += slice(tokens, l * d);                            // attention norms
  bytes += slice(tokens + l * d + attention, l * d);        // ffn norms
  bytes += slice(tokens + 2 * l * d + attention + ffn, d);  // output norm
  bytes += slice(0, tokens);
  bytes += slice(tokens + l * d, attention);
  bytes += slice(tokens + 2 * l * d + attention, ffn);
  Write("tiny.bin", bytes);
  const auto engine = Import(in_);
  ASSERT_NE(engine, nullptr);
  ExpectEqualLogits(*engine, {kTied, weights}, {1, 7, 299, 0}, 2e-5);
}

std::string TokenizerFile(const std::vector<std::pair<std::string, float>>& tokens) {
  const uint32_t longest = 8;
  std::string out = Bytes(&longest, 1);
  for (const auto& [text, score] : tokens) {
    const auto size = static_cast<uint32_t>(text.size());
    out += Bytes(&score, 1) + Bytes(&size, 1) + text;
  }
  return out;
}

TEST_F(Llama2cTest, TokenizerBesideTheCheckpointIsUsed) {
  Sizes sizes = kTied;
  sizes.vocab = 8;
  Write("tiny.bin", Checkpoint(sizes, RandomWeights(sizes)));
  const std::vector<std::pair<std::string, float>> tokens = {
      {"<unk>", 0}, {"\n<s>\n", 0}, {"\n</s>\n", 0}, {" ", -5},
      {"a", -6},    {"b", -7},      {"ab", -1},      {" ab", -2}};
  Write("tok8.bin", TokenizerFile(tokens));
  const auto engine = Import(in_);
  ASSERT_NE(engine, nullptr);
  EXPECT_EQ(engine->tokenizer().Encode("ab ab", true, false), (std::vector<int32_t>{1, 7, 7}));
  EXPECT_EQ(engine->tokenizer().TokenText(7), " ab");
  std::filesystem::remove(out_);

  Write("tok8.bin", TokenizerFile({tokens.begin(), tokens.end() - 1}));
  EXPECT_THAT(ImportLlama2c(in_, out_, {}).error().message, HasSubstr("tok8.bin: "));
  auto more = tokens;
  more.emplace_back("c", 0.0f);
  Write("tok8.bin", TokenizerFile(more));
  EXPECT_THAT(ImportLlama2c(in_, out_, {}).error().message,
              HasSubstr("has more than the checkpoint's 8 tokens"));
}

TEST_F(Llama2cTest, HostileHeaders) {
  const std::string good = Checkpoint(kTied, RandomWeights(kTied));
  ExpectRefused("", "truncated");
  ExpectRefused(good.substr(0, 27), "truncated");
  ExpectRefused(good.substr(0, good.size() - 4), "want " + std::to_string(good.size()));
  ExpectRefused(good + "abcd", "want " + std::to_string(good.size()));
  const auto changed = [&](size_t field, int32_t value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + field * 4, &value, 4);
    return bytes;
  };
  ExpectRefused(changed(0, 0), "dim 0");
  ExpectRefused(changed(0, -32), "dim -32");
  ExpectRefused(changed(0, 34), "do not divide");
  ExpectRefused(changed(2, 1025), "n_layers 1025");
  ExpectRefused(changed(3, 32), "odd head size");
  ExpectRefused(changed(4, 3), "do not divide");
  ExpectRefused(changed(5, INT32_MIN), "vocab_size -2147483648");
  ExpectRefused(changed(5, -300), "truncated");  // an output matrix that is not there
  ExpectRefused(changed(1, 1 << 24), "truncated");
  ExpectRefused(changed(0, 0x616b3432), "version 48");
  ExpectRefused("<html>" + std::string(100, 'x'), "not a llama2.c checkpoint?");
}

}  // namespace
}  // namespace vade::import
