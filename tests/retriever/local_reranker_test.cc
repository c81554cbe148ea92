// LocalReranker over an engine whose score is a rule.
#include "retriever/local_reranker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace vade::retriever {
namespace {

using ::testing::ElementsAre;

// A token a byte, at most 16 of a pair; the score is the number of "x".
class ByteEngine : public engine::EncoderEngine {
 public:
  explicit ByteEngine(std::string pooling) : pooling_(std::move(pooling)) {}
  size_t dimension() const override { return 1; }
  size_t context_length() const override { return 16; }
  size_t max_text_tokens() const override { return 16; }
  std::string_view name() const override { return "bytes"; }
  std::string_view pooling() const override { return pooling_; }
  uint64_t weights_hash() const override { return 0; }
  size_t special_tokens() const override { return 0; }
  std::vector<engine::TokenId> TokenizePair(std::string_view query,
                                            std::string_view document) const override {
    std::vector<engine::TokenId> ids(query.begin(), query.end());
    ids.insert(ids.end(), document.begin(), document.end());
    return ids;
  }
  std::vector<engine::TokenId> Tokenize(std::string_view text, bool, bool) const override {
    return {text.begin(), text.end()};
  }
  size_t CountTokens(std::string_view text) const override { return text.size(); }
  std::optional<engine::TokenId> unknown_token() const override { return std::nullopt; }
  std::string Detokenize(std::span<const engine::TokenId>) const override { return ""; }
  Result<void> Embed(std::span<const std::vector<engine::TokenId>> sequences, std::span<float> out,
                     const CancelToken*) override {
    for (size_t i = 0; i < sequences.size(); ++i) {
      if (sequences[i].size() > 16) return Fail(ErrorCode::kInvalidArgument, "too long");
      out[i] = static_cast<float>(std::ranges::count(sequences[i], 'x'));
    }
    return {};
  }
  Result<std::vector<float>> TokenVectors(const std::vector<engine::TokenId>&,
                                          const CancelToken*) override {
    return std::vector<float>();
  }

 private:
  std::string pooling_;
};

TEST(LocalReranker, LongPassagesAreReadInParts) {
  auto reranker = LocalReranker::Make(std::make_unique<ByteEngine>("rank"));
  ASSERT_TRUE(reranker);
  const std::vector<std::string_view> passages = {"a x", "none",
                                                  "aaaa bbbb cccc dddd eeee xxx ffff xx", ""};
  const auto scores = (*reranker)->Score("who?", passages, nullptr);
  ASSERT_TRUE(scores) << scores.error().message;
  EXPECT_THAT(*scores, ElementsAre(1, 0, 5, 0));
}

TEST(LocalReranker, AQuestionThatLeavesNoRoomIsRefused) {
  auto reranker = LocalReranker::Make(std::make_unique<ByteEngine>("rank"));
  const std::vector<std::string_view> passages = {"some text"};
  const auto scores = (*reranker)->Score(std::string(40, 'q'), passages, nullptr);
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().code, ErrorCode::kInvalidArgument);
}

TEST(LocalReranker, AnEmbeddingModelIsNone) {
  const auto made = LocalReranker::Make(std::make_unique<ByteEngine>("mean"));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace vade::retriever
