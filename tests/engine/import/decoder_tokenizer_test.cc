// The tokenizer files of decoder folders as GGUF metadata, read back by the tokenizer itself.
#include "engine/import/decoder_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/tokenizer/tokenizer.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/model_folder.h"

namespace vade::import {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ids = std::vector<int32_t>;

constexpr uint64_t kVocab = 300;

// Protocol buffer fields.
std::string Varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string Bytes(uint32_t field, const std::string& bytes) {
  return Varint(field << 3 | 2) + Varint(bytes.size()) + bytes;
}
std::string Number(uint32_t field, uint64_t value) { return Varint(field << 3) + Varint(value); }
std::string Piece(const std::string& text, float score, uint64_t type = 1) {
  std::string bits(4, '\0');
  std::memcpy(bits.data(), &score, 4);
  return Bytes(1, Bytes(1, text) + Varint(2 << 3 | 5) + bits + Number(3, type));
}

class DecoderTokenizerTest : public ::testing::Test {
 protected:
  DecoderTokenizerTest() : folder_("vade_decoder_tokenizer") {}

  Result<void> Add(const std::string& architecture = "llama", const std::string& pre = "") {
    gguf::Writer writer;
    writer.Add("general.architecture", architecture);
    VADE_CHECK_OK(AddDecoderTokenizer(folder_.path(), {architecture, kVocab, pre}, writer));
    bytes_ = writer.ToBytes().value();
    file_.emplace(testing::ParseGguf(bytes_).value());
    auto loaded = tokenizer::Tokenizer::Load(*file_);
    if (!loaded) return tl::unexpected(loaded.error());
    tokenizer_ = std::move(*loaded);
    return {};
  }
  void ExpectAdded() {
    const auto done = Add();
    ASSERT_TRUE(done) << done.error().message;
  }
  void ExpectRefused(const std::string& reason) {
    const auto done = Add();
    ASSERT_FALSE(done) << "want: " << reason;
    EXPECT_THAT(done.error().message, HasSubstr(reason));
  }
  std::string Text(const char* key) {
    return std::string(file_->Require<std::string_view>(key).value());
  }

  testing::ModelFolder folder_;
  std::string bytes_;
  std::optional<gguf::File> file_;
  std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
};

TEST_F(DecoderTokenizerTest, ByteLevelVocabulary) {
  json root = testing::ByteLevelTokenizer();
  const auto th = root["model"]["vocab"]["th"].get<int32_t>();
  root["added_tokens"].push_back({{"id", 270}, {"content", "<|im_end|>"}, {"special", false}});
  root["added_tokens"].push_back({{"id", 271}, {"content", "<tool>"}, {"special", false}});
  root["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {{{"type", "ByteLevel"}},
        {{"type", "TemplateProcessing"},
         {"single",
          {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}}, {{"Sequence", {{"id", "A"}}}}}}}}}};
  folder_.WriteJson("tokenizer.json", root);
  folder_.WriteJson("tokenizer_config.json", json{{"bos_token", "<s>"},
                                                  {"eos_token", {{"content", "</s>"}}},
                                                  {"chat_template", "{{ messages }}"}});
  folder_.WriteJson("generation_config.json", json{{"eos_token_id", {1, 270}}});
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.ggml.pre"), "gpt-2");
  EXPECT_EQ(Text("tokenizer.chat_template"), "{{ messages }}");
  EXPECT_EQ(tokenizer_->vocab_size(), kVocab);
  EXPECT_EQ(tokenizer_->Encode("th", true, false), (Ids{0, th}));
  EXPECT_EQ(tokenizer_->Encode("<tool>", false, false), (Ids{271}));
  EXPECT_TRUE(tokenizer_->IsControl(270));
  EXPECT_TRUE(tokenizer_->IsEndOfGeneration(270));
  EXPECT_TRUE(tokenizer_->IsEndOfGeneration(1));
  EXPECT_EQ(tokenizer_->special_ids().bos, 0);
  EXPECT_EQ(tokenizer_->special_ids().eos, 1);
  EXPECT_EQ(tokenizer_->TokenText(299), "");  // filled up
}

TEST_F(DecoderTokenizerTest, FlagsOfTheConfigurationCount) {
  folder_.WriteJson("tokenizer.json", testing::ByteLevelTokenizer());
  folder_.WriteJson("tokenizer_config.json", json{{"bos_token", "<s>"},
                                                  {"eos_token", "</s>"},
                                                  {"add_bos_token", true},
                                                  {"add_eos_token", true}});
  ExpectAdded();
  EXPECT_EQ(tokenizer_->Encode("", true, false), (Ids{0, 1}));
}

TEST_F(DecoderTokenizerTest, TemplatesComeFromThreePlaces) {
  folder_.WriteJson("tokenizer.json", testing::ByteLevelTokenizer());
  folder_.WriteJson("chat_template.json", json{{"chat_template", "from json"}});
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.chat_template"), "from json");
  folder_.Write("chat_template.jinja", std::string_view("from jinja"));
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.chat_template"), "from jinja");
  folder_.WriteJson("tokenizer_config.json",
                    json{{"chat_template",
                          {{{"name", "rag"}, {"template", "other"}},
                           {{"name", "default"}, {"template", "from list"}}}}});
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.chat_template"), "from list");
}

TEST_F(DecoderTokenizerTest, PreTokenizersAreRecognised) {
  const std::string llama3 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+)"
      R"([\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  std::string qwen2 = llama3;
  qwen2.erase(qwen2.find("{1,3}"), 5);
  const auto split = [](const std::string& regex) {
    return json{{"type", "Sequence"},
                {"pretokenizers",
                 {{{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}},
                  {{"type", "ByteLevel"}, {"use_regex", false}}}}};
  };
  const auto name_of = [&](const json& steps, bool whole_words = false) {
    json root = testing::ByteLevelTokenizer();
    root["pre_tokenizer"] = steps;
    root["model"]["ignore_merges"] = whole_words;
    folder_.WriteJson("tokenizer.json", root);
    const auto done = Add();
    return done ? Text("tokenizer.ggml.pre") : done.error().message;
  };
  EXPECT_EQ(name_of(split(qwen2)), "qwen2");
  EXPECT_EQ(name_of(split(llama3), true), "llama-bpe");
  EXPECT_EQ(name_of(split(llama3), false), "dbrx");
  EXPECT_EQ(name_of({{"type", "Sequence"},
                     {"pretokenizers",
                      {{{"type", "Digits"}, {"individual_digits", true}},
                       {{"type", "ByteLevel"}, {"use_regex", true}}}}}),
            "starcoder");
  for (const char* line_breaks : {"[\r\n]", R"([\r\n])"}) {
    EXPECT_EQ(name_of({{"type", "Sequence"},
                       {"pretokenizers",
                        {split(line_breaks), split(R"(\s?\p{L}+)"), split(R"(\s?\p{P}+)")}}}),
              "deepseek-coder");
  }
  EXPECT_THAT(name_of(split("[a-z]+")), HasSubstr("no known name splits text by "
                                                  "\"Split([a-z]+,Isolated)\" (--pre gives one)"));
  ASSERT_TRUE(Add("llama", "qwen2"));
  EXPECT_EQ(Text("tokenizer.ggml.pre"), "qwen2");
}

// "<unk>", "<s>", "</s>", two bytes, and pieces that merge to "▁ab".
std::string SentencePieces(uint64_t model_type) {
  return Piece("<unk>", 0, 2) + Piece("<s>", 0, 3) + Piece("</s>", 0, 3) + Piece("<0x41>", 0, 6) +
         Piece("<0x42>", 0, 6) + Piece("\xE2\x96\x81", -4) + Piece("a", -5) + Piece("b", -6) +
         Piece("ab", -1) +
         Piece(
             "\xE2\x96\x81"
             "ab",
             -2) +
         Bytes(2, Number(3, model_type) + Number(40, 0) + Number(41, 1) + Number(42, 2)) +
         Bytes(3, Number(3, 1) + Number(4, 0));
}

TEST_F(DecoderTokenizerTest, SentencePieceModel) {
  folder_.Write("tokenizer.model", std::string_view(SentencePieces(2)));
  folder_.WriteJson(
      "tokenizer_config.json",
      json{{"added_tokens_decoder", {{"20", {{"content", "<|end|>"}, {"special", true}}}}}});
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.ggml.model"), "llama");
  EXPECT_EQ(tokenizer_->Encode("abA", true, false), (Ids{1, 9, 3}));
  EXPECT_TRUE(tokenizer_->IsControl(20));
  EXPECT_EQ(tokenizer_->special_ids().eos, 2);
  folder_.Write("tokenizer.model", std::string_view(SentencePieces(1)));
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.ggml.model"), "t5");
  folder_.Write("tokenizer.model", std::string_view(SentencePieces(3)));
  ExpectRefused("model type 3, want unigram (1) or BPE (2)");
}

TEST_F(DecoderTokenizerTest, EveryCutOfASentencePieceModel) {
  const std::string whole = SentencePieces(2);
  for (size_t size = 0; size < whole.size(); ++size) {
    folder_.Write("tokenizer.model", std::string_view(whole).substr(0, size));
    (void)Add();  // whatever it says, it does not crash
  }
  folder_.Write("tokenizer.model", std::string_view("<!DOCTYPE html>"));
  ExpectRefused("not a SentencePiece model?");
  folder_.Write("tokenizer.model", std::string_view(Varint(1 << 3 | 2) + Varint(~0ull) + "x"));
  ExpectRefused("truncated field");
  folder_.Write("tokenizer.model", std::string_view(Piece("a", NAN)));
  ExpectRefused("a score is not finite");
  folder_.Write("tokenizer.model", std::string_view(Piece("a\xFF", 0)));
  ExpectRefused("not valid UTF-8");
}

// The same vocabulary as tokenizer.json has it: merges in the order of the scores.
TEST_F(DecoderTokenizerTest, MergesStandForScores) {
  const std::string word = "\xE2\x96\x81";
  const json root = {
      {"model",
       {{"type", "BPE"},
        {"byte_fallback", true},
        {"unk_token", "<unk>"},
        {"vocab",
         {{"<unk>", 0},
          {"<s>", 1},
          {"</s>", 2},
          {"<0x41>", 3},
          {"<0x42>", 4},
          {word, 5},
          {"a", 6},
          {"b", 7},
          {"ab", 8},
          {word + "ab", 9}}},
        {"merges", json::array({json::array({"a", "b"}), json::array({word, "ab"})})}}},
      {"normalizer",
       {{"type", "Sequence"},
        {"normalizers",
         {{{"type", "Prepend"}, {"prepend", word}},
          {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", word}}}}}},
      {"added_tokens",
       {{{"id", 0}, {"content", "<unk>"}, {"special", true}},
        {{"id", 1}, {"content", "<s>"}, {"special", true}},
        {{"id", 2}, {"content", "</s>"}, {"special", true}}}}};
  folder_.WriteJson("tokenizer.json", root);
  folder_.WriteJson("tokenizer_config.json", json{{"bos_token", "<s>"}, {"eos_token", "</s>"}});
  ExpectAdded();
  EXPECT_EQ(Text("tokenizer.ggml.model"), "llama");
  EXPECT_EQ(tokenizer_->Encode("abA", false, false), (Ids{9, 3}));
}

TEST_F(DecoderTokenizerTest, OldFoldersHaveTwoFiles) {
  folder_.WriteJson("vocab.json", testing::ByteLevelTokenizer()["model"]["vocab"]);
  folder_.Write("merges.txt", std::string_view("#version: 0.2\nt h\r\n"));
  ASSERT_TRUE(Add("gpt2"));
  EXPECT_EQ(Text("tokenizer.ggml.pre"), "gpt-2");
  EXPECT_EQ(tokenizer_->Encode("th", false, false).size(), 1u);
  ExpectRefused("does not say how text is split (--pre names it)");
}

TEST_F(DecoderTokenizerTest, WhatIsNotATokenizer) {
  ExpectRefused("no tokenizer.json, tokenizer.model or vocab.json");
  const json good = testing::ByteLevelTokenizer();
  const auto expect = [&](const json::json_pointer& at, const json& value,
                          const std::string& reason) {
    json root = good;
    root[at] = value;
    folder_.WriteJson("tokenizer.json", root);
    ExpectRefused(reason);
  };
  using Pointer = json::json_pointer;
  expect(Pointer("/model/type"), "WordLevel", "want plain BPE");
  expect(Pointer("/model/end_of_word_suffix"), "</w>", "want plain BPE");
  expect(Pointer("/model/vocab/a"), -1, "is not a number");
  expect(Pointer("/model/vocab/a"), 1u << 30, "limit 16777216");
  expect(Pointer("/model/vocab/a"), 300, "the embedding has 300 rows");
  expect(Pointer("/model/merges"), json::array({7}), "a merge is not two strings");
  expect(Pointer("/normalizer"), {{"type", "Lowercase"}}, "normalizer Lowercase");
  expect(Pointer("/added_tokens"), json::array({{{"id", "x"}, {"content", "y"}}}),
         "without id or content");
  expect(Pointer("/model"), 7, "not an object");
}

}  // namespace
}  // namespace vade::import
