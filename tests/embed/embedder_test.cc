// The embedder: limits, prefixes, fingerprint, coverage, and where the default model comes from.
#include "embed/embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/tiny_decoder.h"
#include "tests/support/tiny_encoder.h"

namespace vade::embed {
namespace {

using ::testing::HasSubstr;
using vade::testing::TinyDecoder;
using vade::testing::TinyEncoder;

class EmbedderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("vade_embedder_test_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    model_ = folder_ / "tiny.gguf";
    std::ofstream(model_, std::ios::binary) << TinyEncoder().ToBytes();
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    unsetenv("VADE_MODEL");
    unsetenv("VADE_DATA");
  }

  std::unique_ptr<Embedder> Open(EmbedderOptions options = {}) {
    options.model = model_;
    options.num_threads = 2;
    auto embedder = Embedder::Open(options);
    EXPECT_TRUE(embedder) << embedder.error().message;
    return std::move(*embedder);
  }

  std::filesystem::path folder_;
  std::filesystem::path model_;
};

TEST_F(EmbedderTest, PassagesAndQueriesShareASpace) {
  const auto embedder = Open();
  EXPECT_EQ(embedder->dimension(), 64u);
  EXPECT_EQ(embedder->special_tokens(), 2u);
  EXPECT_EQ(embedder->max_tokens(), 40u);
  const std::vector<std::string_view> texts = {"a b c", "xyz", "", "a b c"};
  std::vector<float> out(4 * 64);
  ASSERT_TRUE(embedder->EmbedPassages(texts, out));
  const auto query = embedder->EmbedQuery("a b c");
  ASSERT_TRUE(query);
  for (size_t c = 0; c < 64; ++c) {
    EXPECT_NEAR((*query)[c], out[c], 1e-5);
    EXPECT_NEAR(out[c], out[3 * 64 + c], 1e-5);
  }
}

TEST_F(EmbedderTest, NothingIsTruncatedUnseen) {
  const auto embedder = Open({.max_tokens = 6});
  EXPECT_EQ(embedder->CountTokens("a b c d"), 4u);
  EXPECT_TRUE(embedder->EmbedQuery("a b c d"));
  const auto query = embedder->EmbedQuery("a b c d e");
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(query.error().message, HasSubstr("got 7 tokens, at most 6"));
  std::vector<float> out(2 * 64);
  const std::vector<std::string_view> texts = {"a", "a b c d e f g"};
  const auto passages = embedder->EmbedPassages(texts, out);
  ASSERT_FALSE(passages);
  EXPECT_THAT(passages.error().message, HasSubstr("text 1"));
}

TEST_F(EmbedderTest, MaxTokensMustFitTheModel) {
  for (const size_t max_tokens : {1u, 2u, 41u}) {
    const auto embedder = Embedder::Open({.model = model_, .max_tokens = max_tokens});
    ASSERT_FALSE(embedder);
    EXPECT_EQ(embedder.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(embedder.error().message, HasSubstr("expected 3 to 40"));
  }
}

TEST_F(EmbedderTest, PrefixesCountAndChangeTheVector) {
  const auto plain = Open();
  const auto prefixed = Open({.max_tokens = 6, .query_prefix = "q ", .passage_prefix = "p "});
  EXPECT_NE(*plain->EmbedQuery("a"), *prefixed->EmbedQuery("a"));
  EXPECT_FALSE(prefixed->EmbedQuery("a b c d"));  // five tokens with the prefix, two around
  std::vector<float> passage(64);
  const std::vector<std::string_view> text = {"a"};
  ASSERT_TRUE(prefixed->EmbedPassages(text, passage));
  EXPECT_NE(passage, *prefixed->EmbedQuery("a"));
}

TEST_F(EmbedderTest, FingerprintTellsWhatVectorsDependOn) {
  const std::string plain = Open()->fingerprint();
  EXPECT_EQ(plain, Open()->fingerprint());
  for (const char* part : {"tiny", "xxh3=", "dimension=64", "pooling=mean", "normalisation=l2"}) {
    EXPECT_THAT(plain, HasSubstr(part));
  }
  EXPECT_NE(plain, Open({.query_prefix = "q "})->fingerprint());
  EXPECT_NE(plain, Open({.passage_prefix = "q "})->fingerprint());
  EXPECT_NE(plain, Open({.max_tokens = 30})->fingerprint());
  // A prefix cannot imitate another field or break the line.
  EXPECT_THAT(Open({.query_prefix = "\"\n"})->fingerprint(), HasSubstr("\"\\\"\\x0a\""));
}

TEST_F(EmbedderTest, CoverageIsTheShareOfKnownWords) {
  TinyEncoder tiny;
  const auto embedder = Open();
  EXPECT_EQ(embedder->Coverage(""), 1.0);
  EXPECT_EQ(embedder->Coverage("42 - 17!"), 1.0);
  EXPECT_EQ(embedder->Coverage("a b"), 1.0);
  EXPECT_EQ(embedder->Coverage("word"), 0.0);  // this vocabulary has letters only
  EXPECT_EQ(embedder->Coverage("\xED\x8E\x8C\xED\x94\x84"), 0.0);
  EXPECT_DOUBLE_EQ(embedder->Coverage("a word"), 0.2);
}

TEST_F(EmbedderTest, CancellationAndWrongSizesAreReported) {
  const auto embedder = Open();
  const std::vector<std::string_view> texts(100, "a b c");
  std::vector<float> out(100 * 64);
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_EQ(embedder->EmbedPassages(texts, out, &cancel).error().code, ErrorCode::kCancelled);
  out.pop_back();
  EXPECT_EQ(embedder->EmbedPassages(texts, out).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(EmbedderTest, RerankersAreNotEmbedders) {
  TinyEncoder tiny;
  tiny.counts["pooling_type"] = 4;
  tiny.tensors["cls.output.weight"] = {64, 1};
  std::ofstream(model_, std::ios::binary) << tiny.ToBytes();
  const auto embedder = Embedder::Open({.model = model_});
  ASSERT_FALSE(embedder);
  EXPECT_THAT(embedder.error().message, HasSubstr("reranker"));
}

TEST_F(EmbedderTest, AModelKnownByNameGetsItsPrefixes) {
  const auto plain = Open();
  TinyEncoder tiny;
  tiny.model_name = "Multilingual E5 Tiny";
  std::ofstream(model_, std::ios::binary) << tiny.ToBytes();
  const auto known = Open();
  EXPECT_THAT(known->fingerprint(), HasSubstr("query_prefix=\"query: \""));
  EXPECT_EQ(known->special_tokens(), 2 + known->CountTokens("passage: ")) << "room they take";
  EXPECT_EQ(*known->EmbedQuery("a"), *plain->EmbedQuery("query: a"));
  const auto own = Open({.query_prefix = "q "});
  EXPECT_EQ(*own->EmbedQuery("a"), *plain->EmbedQuery("q a")) << "options win";
}

TEST_F(EmbedderTest, ModelsWithoutAPoolingAreNotEmbedders) {
  TinyEncoder tiny;
  tiny.counts["pooling_type"] = 0;
  std::ofstream(model_, std::ios::binary) << tiny.ToBytes();
  const auto none = Embedder::Open({.model = model_});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("pooling_type is none"));
}

TEST_F(EmbedderTest, ALanguageModelThatNamesAPoolingIsAnEmbedder) {
  TinyDecoder tiny;
  tiny.bert_vocabulary = true;
  tiny.tensors["token_embd.weight"] = {TinyDecoder::kWidth, 57};
  std::ofstream(model_, std::ios::binary) << tiny.ToBytes();
  EXPECT_FALSE(Embedder::Open({.model = model_}));
  tiny.counts["pooling_type"] = 3;
  std::ofstream(model_, std::ios::binary) << tiny.ToBytes();
  const auto embedder = Embedder::Open({.model = model_});
  ASSERT_TRUE(embedder) << embedder.error().message;
  EXPECT_EQ((*embedder)->dimension(), TinyDecoder::kWidth);
  EXPECT_THAT((*embedder)->fingerprint(), HasSubstr("pooling=last"));
  EXPECT_EQ((*embedder)->EmbedQuery("a b").value().size(), TinyDecoder::kWidth);
}

TEST_F(EmbedderTest, DefaultModelFollowsTheEnvironment) {
  setenv("VADE_MODEL", model_.c_str(), 1);
  EXPECT_EQ(FindDefaultModel().value(), model_);
  setenv("VADE_MODEL", (folder_ / "none.gguf").c_str(), 1);
  const auto missing = FindDefaultModel();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("none.gguf"));
  unsetenv("VADE_MODEL");
  const auto named = folder_ / "all-MiniLM-L6-v2.Q8_0.gguf";
  std::filesystem::copy_file(model_, named);
  setenv("VADE_DATA", folder_.c_str(), 1);
  EXPECT_EQ(FindDefaultModel().value(), named);
}

}  // namespace
}  // namespace vade::embed
