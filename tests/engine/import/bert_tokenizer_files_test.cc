// Tests of engine/import/bert_tokenizer_files.
#include "engine/import/bert_tokenizer_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/file.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/gguf_builder.h"

namespace vade::import {
namespace {

using ::testing::HasSubstr;

class BertTokenizerFilesTest : public ::testing::Test {
 protected:
  BertTokenizerFilesTest()
      : folder_(std::filesystem::path(::testing::TempDir()) / "vade_bert_tokenizer_files") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~BertTokenizerFilesTest() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, text));
  }
  void WriteTokenizerJson(const std::string& normalizer, const std::string& vocab) const {
    Write("tokenizer.json", R"({"normalizer":{"type":"BertNormalizer")" + normalizer +
                                R"(},"pre_tokenizer":{"type":"BertPreTokenizer"},)" +
                                R"("model":{"type":"WordPiece","vocab":{)" + vocab + "}}}");
  }
  std::filesystem::path folder_;
};

constexpr std::string_view kVocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\r\n";

TEST_F(BertTokenizerFilesTest, VocabTxtToATokenizerThatWorks) {
  Write("vocab.txt", kVocab);
  const auto files = ReadBertTokenizer(folder_);
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->tokens.size(), 7u);
  EXPECT_TRUE(files->lowercase);
  gguf::Writer writer;
  ASSERT_TRUE(AddBertTokenizer(*files, 9, 2, writer));
  const std::string bytes = writer.ToBytes().value();
  const auto tokenizer = tokenizer::Tokenizer::Load(testing::ParseGguf(bytes).value());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->vocab_size(), 9u);
  EXPECT_EQ((*tokenizer)->Encode("THEs", true, false),
            (std::vector<tokenizer::TokenId>{2, 5, 6, 3}));
}

TEST_F(BertTokenizerFilesTest, TokenizerConfigSetsCase) {
  Write("vocab.txt", kVocab);
  Write("tokenizer_config.json", R"({"do_lower_case":false})");
  const auto files = ReadBertTokenizer(folder_);
  ASSERT_TRUE(files);
  EXPECT_FALSE(files->lowercase);
  EXPECT_FALSE(files->strip_accents);
}

TEST_F(BertTokenizerFilesTest, TokenizerJsonWinsAndGapsAreUnused) {
  Write("vocab.txt", kVocab);
  WriteTokenizerJson(R"(,"lowercase":true,"strip_accents":false)",
                     R"("[UNK]":0,"[CLS]":1,"[SEP]":2,"a":4)");
  const auto files = ReadBertTokenizer(folder_);
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->tokens, (std::vector<std::string>{"[UNK]", "[CLS]", "[SEP]", "", "a"}));
  EXPECT_FALSE(files->strip_accents);
}

TEST_F(BertTokenizerFilesTest, Refusals) {
  EXPECT_EQ(ReadBertTokenizer(folder_).error().code, ErrorCode::kNotFound);
  WriteTokenizerJson(R"(,"clean_text":false)", R"("a":0)");
  EXPECT_THAT(ReadBertTokenizer(folder_).error().message, HasSubstr("\"clean_text\" is false"));
  Write("tokenizer.json", R"({"model":{"type":"BPE"}})");
  EXPECT_THAT(ReadBertTokenizer(folder_).error().message,
              HasSubstr("\"type\" is \"BPE\", want \"WordPiece\""));
  WriteTokenizerJson("", R"("a":4294967296)");
  EXPECT_THAT(ReadBertTokenizer(folder_).error().message, HasSubstr("token id 4294967296"));
  WriteTokenizerJson("", R"("a":"b")");
  EXPECT_THAT(ReadBertTokenizer(folder_).error().message, HasSubstr("is not a number"));
}

TEST_F(BertTokenizerFilesTest, TooManyTokensOrNoSpecialOnes) {
  BertTokenizerFiles files;
  files.tokens = {"a", "b"};
  files.special = {false, false};
  gguf::Writer writer;
  EXPECT_THAT(AddBertTokenizer(files, 1, 2, writer).error().message,
              HasSubstr("has 2 tokens, the model's vocab_size is 1"));
  EXPECT_THAT(AddBertTokenizer(files, 2, 2, writer).error().message, HasSubstr("no [UNK] token"));
}

}  // namespace
}  // namespace vade::import
