// A tiny BERT folder written here, imported and read back; and folders with one thing wrong.
#include "engine/import/hugging_face_bert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/gguf/names.h"

namespace vade::import {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr uint64_t kD = 4, kFf = 8, kVocab = 6, kPositions = 16;

class HuggingFaceBertTest : public ::testing::Test {
 protected:
  HuggingFaceBertTest()
      : folder_(std::filesystem::path(::testing::TempDir()) / "vade_tiny_bert"),
        out_(folder_ / "out.gguf") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "1_Pooling");
    config_ = {{"model_type", "bert"},     {"architectures", {"BertModel"}},
               {"hidden_act", "gelu"},     {"hidden_size", kD},
               {"intermediate_size", kFf}, {"num_hidden_layers", 1},
               {"num_attention_heads", 2}, {"max_position_embeddings", kPositions},
               {"vocab_size", kVocab},     {"layer_norm_eps", 1e-12}};
    Linear("encoder.layer.0.attention.self.query", kD, kD);
    Linear("encoder.layer.0.attention.self.key", kD, kD);
    Linear("encoder.layer.0.attention.self.value", kD, kD);
    Linear("encoder.layer.0.attention.output.dense", kD, kD);
    Linear("encoder.layer.0.intermediate.dense", kFf, kD);
    Linear("encoder.layer.0.output.dense", kD, kFf);
    for (const char* norm : {"embeddings.LayerNorm", "encoder.layer.0.attention.output.LayerNorm",
                             "encoder.layer.0.output.LayerNorm"}) {
      shapes_[std::string(norm) + ".weight"] = {kD};
      shapes_[std::string(norm) + ".bias"] = {kD};
    }
    shapes_["embeddings.word_embeddings.weight"] = {kVocab, kD};
    shapes_["embeddings.position_embeddings.weight"] = {kPositions, kD};
    shapes_["embeddings.token_type_embeddings.weight"] = {2, kD};
  }
  ~HuggingFaceBertTest() override { std::filesystem::remove_all(folder_); }

  void Linear(const std::string& name, uint64_t out, uint64_t in) {
    shapes_[name + ".weight"] = {out, in};
    shapes_[name + ".bias"] = {out};
  }

  // Values count up through the file, so that every tensor is different.
  void WriteFolder() {
    json header;
    std::vector<float> data;
    for (const auto& [name, shape] : shapes_) {
      uint64_t count = 1;
      for (const uint64_t dim : shape) count *= dim;
      header[name] = {{"dtype", "F32"},
                      {"shape", shape},
                      {"data_offsets", {data.size() * 4, (data.size() + count) * 4}}};
      for (uint64_t i = 0; i < count; ++i) data.push_back(static_cast<float>(data.size()));
    }
    const std::string text = header.dump();
    const uint64_t size = text.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &size, 8);
    bytes += text;
    bytes.append(reinterpret_cast<const char*>(data.data()), data.size() * 4);
    Write("model.safetensors", bytes);
    Write("config.json", config_.dump());
    Write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n");
    Write("1_Pooling/config.json", pooling_.dump());
    Write("sentence_bert_config.json", R"({"max_seq_length": 12})");
    Write("modules.json", modules_.dump());
  }
  void Write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, text));
  }
  void ExpectRefused(const std::string& reason) {
    WriteFolder();
    const auto done = ImportHuggingFaceBert(folder_, out_, {.name = "tiny"});
    ASSERT_FALSE(done) << "want: " << reason;
    EXPECT_THAT(done.error().message, HasSubstr(reason));
    EXPECT_FALSE(std::filesystem::exists(out_));
  }

  std::filesystem::path folder_;
  std::filesystem::path out_;
  json config_;
  json pooling_ = {{"pooling_mode_mean_tokens", true}, {"pooling_mode_cls_token", false}};
  json modules_ = {{{"type", "sentence_transformers.models.Transformer"}},
                   {{"type", "sentence_transformers.models.Pooling"}}};
  std::map<std::string, std::vector<uint64_t>> shapes_;
};

TEST_F(HuggingFaceBertTest, NamesShapesAndSettings) {
  WriteFolder();
  const auto done = ImportHuggingFaceBert(folder_, out_, {.name = "tiny", .license = "mit"});
  ASSERT_TRUE(done) << done.error().message;
  const gguf::File file = gguf::File::Open(out_).value();
  EXPECT_EQ(file.Require<std::string_view>("general.architecture").value(), "bert");
  EXPECT_EQ(file.Require<std::string_view>("general.license").value(), "mit");
  EXPECT_EQ(file.Require<uint32_t>("bert.pooling_type").value(), 1u);
  EXPECT_EQ(file.Require<uint32_t>("bert.context_length").value(), kPositions);
  EXPECT_EQ(file.Require<uint32_t>(gguf::kMaxSequenceLengthKey).value(), 12u);
  EXPECT_EQ(file.Require<std::string_view>(gguf::kHiddenActivationKey).value(), "gelu");
  EXPECT_FALSE(file.Require<bool>("bert.attention.causal").value());
  EXPECT_EQ(file.tensors().size(), 5u + 16u);
  const auto up = file.RequireTensor("blk.0.ffn_up.weight", std::vector<uint64_t>{kD, kFf});
  EXPECT_TRUE(up) << up.error().message;
}

TEST_F(HuggingFaceBertTest, DataIsThatOfTheSourceTensor) {
  shapes_ = [this] {  // BertForX models prefix every name
    std::map<std::string, std::vector<uint64_t>> prefixed;
    for (const auto& [name, shape] : shapes_) prefixed["bert." + name] = shape;
    return prefixed;
  }();
  WriteFolder();
  ASSERT_TRUE(ImportHuggingFaceBert(folder_, out_, {}));
  const gguf::File file = gguf::File::Open(out_).value();
  // First in name order, so its values begin at 0: embeddings.LayerNorm.bias.
  float values[kD];
  std::memcpy(values, file.FindTensor("token_embd_norm.bias")->data.data(), sizeof values);
  EXPECT_THAT(values, ::testing::ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(file.Require<std::string_view>("general.name").value(), "vade_tiny_bert");
}

TEST_F(HuggingFaceBertTest, ClsPoolingAndRerankers) {
  pooling_ = {{"pooling_mode_cls_token", true}};
  WriteFolder();
  ASSERT_TRUE(ImportHuggingFaceBert(folder_, out_, {.write = {.replace = true}}));
  EXPECT_EQ(gguf::File::Open(out_)->Require<uint32_t>("bert.pooling_type").value(), 2u);
  config_["architectures"] = {"BertForSequenceClassification"};
  Linear("pooler.dense", kD, kD);
  Linear("classifier", 1, kD);
  WriteFolder();
  ASSERT_TRUE(ImportHuggingFaceBert(folder_, out_, {.write = {.replace = true}}));
  const gguf::File file = gguf::File::Open(out_).value();
  EXPECT_EQ(file.Require<uint32_t>("bert.pooling_type").value(), 4u);
  EXPECT_NE(file.FindTensor("cls.output.weight"), nullptr);
}

TEST_F(HuggingFaceBertTest, RefusesToOverwrite) {
  WriteFolder();
  ASSERT_TRUE(ImportHuggingFaceBert(folder_, out_, {}));
  EXPECT_THAT(ImportHuggingFaceBert(folder_, out_, {}).error().message,
              HasSubstr("exists already"));
}

TEST_F(HuggingFaceBertTest, RefusesOtherArchitectures) {
  config_["model_type"] = "roberta";
  ExpectRefused("model_type \"roberta\", want \"bert\"");
}

TEST_F(HuggingFaceBertTest, RefusesOtherActivations) {
  config_["hidden_act"] = "relu";
  ExpectRefused("hidden_act \"relu\"");
}

TEST_F(HuggingFaceBertTest, RefusesRelativePositions) {
  config_["position_embedding_type"] = "relative_key";
  ExpectRefused("position_embedding_type");
}

TEST_F(HuggingFaceBertTest, Fault13Sizes) {
  for (const auto& [key, value, reason] :
       {std::tuple("num_attention_heads", 0, "not a multiple of 0 heads"),
        std::tuple("num_attention_heads", 3, "not a multiple of 3 heads"),
        std::tuple("num_hidden_layers", 1000000, "num_hidden_layers 1000000"),
        std::tuple("hidden_size", 0, "a size is 0"),
        std::tuple("vocab_size", 7, "word_embeddings.weight: got [6,4]"),
        std::tuple("vocab_size", 5, "the tokenizer has 6 tokens")}) {
    const json before = config_;
    config_[key] = value;
    ExpectRefused(reason);
    config_ = before;
  }
  config_["layer_norm_eps"] = 0;
  ExpectRefused("layer_norm_eps");
}

TEST_F(HuggingFaceBertTest, RefusesOtherPoolingAndModules) {
  pooling_ = {{"pooling_mode_max_tokens", true}};
  ExpectRefused("want mean or cls pooling alone");
  pooling_ = {{"pooling_mode_mean_tokens", true}, {"pooling_mode_cls_token", true}};
  ExpectRefused("want mean or cls pooling alone");
  pooling_ = {{"pooling_mode_mean_tokens", true}};
  modules_.push_back({{"type", "sentence_transformers.models.Dense"}});
  ExpectRefused("module sentence_transformers.models.Dense is not supported");
}

TEST_F(HuggingFaceBertTest, MissingTensor) {
  shapes_.erase("encoder.layer.0.output.dense.bias");
  ExpectRefused("tensor encoder.layer.0.output.dense.bias: missing");
}

}  // namespace
}  // namespace vade::import
