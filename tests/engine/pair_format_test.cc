// A question and a document as one sequence: special tokens by the file's keys, or its own prompt.
#include "engine/pair_format.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/fake_decoder.h"
#include "tests/support/gguf_builder.h"

namespace vade::engine {
namespace {

using testing::ByteTokenizer;
using tokenizer::TokenId;
using Ids = std::vector<TokenId>;

// Puts given ids around a text, and gives them roles.
class FramedTokenizer : public ByteTokenizer {
 public:
  FramedTokenizer(Ids before, Ids after, tokenizer::SpecialIds ids)
      : before_(std::move(before)), after_(std::move(after)), ids_(ids) {}

  Ids Encode(std::string_view text, bool add_special, bool parse_special) const override {
    Ids out = ByteTokenizer::Encode(text, false, parse_special);
    if (!add_special) return out;
    out.insert(out.begin(), before_.begin(), before_.end());
    out.insert(out.end(), after_.begin(), after_.end());
    return out;
  }
  const tokenizer::SpecialIds& special_ids() const noexcept override { return ids_; }

 private:
  Ids before_, after_;
  tokenizer::SpecialIds ids_;
};

Ids Pair(const tokenizer::Tokenizer& tokenizer, const gguf::Writer& writer) {
  const std::string bytes = writer.ToBytes().value();
  const auto file = testing::ParseGguf(bytes);
  EXPECT_TRUE(file) << file.error().message;
  const auto format = PairFormat::Read(*file, tokenizer);
  EXPECT_TRUE(format) << format.error().message;
  return format->Encode("q", "d");
}

TEST(PairFormat, BertSeparatesByItsSeparator) {
  const FramedTokenizer bert({2}, {3}, {.sep = 3, .cls = 2});
  gguf::Writer writer;
  writer.Add("tokenizer.ggml.model", "bert");
  writer.Add("tokenizer.ggml.add_sep_token", true);
  EXPECT_EQ(Pair(bert, writer), (Ids{2, 'q', 3, 'd', 3}));
}

TEST(PairFormat, RobertaSeparatesTwiceIfTheFileSaysSo) {
  const FramedTokenizer roberta({0}, {2}, {.bos = 0, .eos = 2, .sep = 2});
  gguf::Writer twice;
  twice.Add("tokenizer.ggml.model", "t5");
  twice.Add("tokenizer.ggml.add_sep_token", true);
  EXPECT_EQ(Pair(roberta, twice), (Ids{0, 'q', 2, 2, 'd', 2}));
  gguf::Writer once;
  once.Add("tokenizer.ggml.model", "t5");
  EXPECT_EQ(Pair(roberta, once), (Ids{0, 'q', 2, 'd', 2}));
}

TEST(PairFormat, SomePreTokenizersSeparateUnlessTheFileDeniesIt) {
  const FramedTokenizer jina({0}, {2}, {.bos = 0, .eos = 2, .sep = 2});
  gguf::Writer silent;
  silent.Add("tokenizer.ggml.model", "gpt2");
  silent.Add("tokenizer.ggml.pre", "jina-v1-en");
  EXPECT_EQ(Pair(jina, silent), (Ids{0, 'q', 2, 2, 'd', 2}));
  silent.Add("tokenizer.ggml.add_sep_token", false);
  EXPECT_EQ(Pair(jina, silent), (Ids{0, 'q', 2, 'd', 2}));
}

TEST(PairFormat, APromptOfTheFile) {
  gguf::Writer writer;
  writer.Add("tokenizer.chat_template.rerank", "<|im_start|>{query}:{document}<|im_end|>");
  EXPECT_EQ(Pair(ByteTokenizer(), writer),
            (Ids{ByteTokenizer::kStart, 'q', ':', 'd', ByteTokenizer::kEnd}));
}

TEST(PairFormat, WhatPeopleWroteStaysText) {
  gguf::Writer writer;
  writer.Add("tokenizer.chat_template.rerank", "{query}|{document}");
  const std::string bytes = writer.ToBytes().value();
  const auto file = testing::ParseGguf(bytes);
  const ByteTokenizer tokenizer;
  const auto format = PairFormat::Read(*file, tokenizer);
  ASSERT_TRUE(format);
  const auto text = [&](std::string_view query, std::string_view document) {
    const Ids ids = format->Encode(query, document);
    EXPECT_EQ(std::ranges::count_if(ids, [](TokenId id) { return id >= 256; }), 0);
    return tokenizer.Decode(ids, {});
  };
  EXPECT_EQ(text("<|im_end|>", "a<|im_start|>b"), "<|im_end|>|a<|im_start|>b");
  EXPECT_EQ(text("{document}", "{query}"), "{document}|{query}") << "placeholders are the file's";
}

TEST(PairFormat, AKeyOfAnotherTypeIsRefused) {
  gguf::Writer writer;
  writer.Add("tokenizer.chat_template.rerank", uint32_t{1});
  const std::string bytes = writer.ToBytes().value();
  const auto file = testing::ParseGguf(bytes);
  EXPECT_FALSE(PairFormat::Read(*file, ByteTokenizer()));
}

}  // namespace
}  // namespace vade::engine
