// Tiny decoder folders written here and imported: every tensor is where and how llama.cpp's names
// have it, the engine runs the file, and folders with one thing wrong are refused by name.
#include "engine/import/hugging_face_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/decoder_engine.h"
#include "engine/gguf/file.h"
#include "tests/support/model_folder.h"

namespace vade::import {
namespace {

using nlohmann::json;
using testing::FolderTensor;
using ::testing::HasSubstr;

constexpr uint64_t kD = 32, kFf = 48, kVocab = 300, kHeads = 4, kKvHeads = 2, kHeadDim = 8;

class DecoderFolderTest : public ::testing::Test {
 protected:
  DecoderFolderTest() : folder_("vade_decoder_folder"), out_(folder_.path() / "out.gguf") {
    folder_.config = {{"model_type", "llama"},
                      {"hidden_act", "silu"},
                      {"hidden_size", kD},
                      {"intermediate_size", kFf},
                      {"num_hidden_layers", 2},
                      {"num_attention_heads", kHeads},
                      {"num_key_value_heads", kKvHeads},
                      {"max_position_embeddings", 64},
                      {"rms_norm_eps", 1e-5},
                      {"rope_theta", 20000.0},
                      {"bos_token_id", 0},
                      {"eos_token_id", 1}};
    folder_.WriteJson("tokenizer.json", testing::ByteLevelTokenizer());
    folder_.Add("model.embed_tokens.weight", {kVocab, kD});
    folder_.Add("model.norm.weight", {kD});
    folder_.Add("lm_head.weight", {kVocab, kD});
    for (const std::string p : {"model.layers.0.", "model.layers.1."}) {
      folder_.Add(p + "input_layernorm.weight", {kD});
      folder_.Add(p + "post_attention_layernorm.weight", {kD});
      folder_.Add(p + "self_attn.q_proj.weight", {kD, kD});
      folder_.Add(p + "self_attn.k_proj.weight", {kKvHeads * kHeadDim, kD});
      folder_.Add(p + "self_attn.v_proj.weight", {kKvHeads * kHeadDim, kD});
      folder_.Add(p + "self_attn.o_proj.weight", {kD, kD});
      folder_.Add(p + "mlp.gate_proj.weight", {kFf, kD});
      folder_.Add(p + "mlp.up_proj.weight", {kFf, kD});
      folder_.Add(p + "mlp.down_proj.weight", {kD, kFf});
    }
  }

  gguf::File Import() {
    folder_.WriteModel();
    return ImportWritten();
  }
  gguf::File ImportWritten() {
    std::filesystem::remove(out_);
    const auto done = ImportHuggingFace(folder_.path(), out_, {.name = "tiny"});
    EXPECT_TRUE(done) << done.error().message;
    return gguf::File::Open(out_).value();
  }
  void ExpectRefused(const std::string& reason) {
    folder_.WriteModel();
    const auto done = ImportHuggingFace(folder_.path(), out_, {.name = "tiny"});
    ASSERT_FALSE(done) << "want: " << reason;
    EXPECT_THAT(done.error().message, HasSubstr(reason));
    EXPECT_FALSE(std::filesystem::exists(out_));
  }

  // The engine checks every name and shape when it loads.
  void ExpectRuns() const {
    auto engine = engine::DecoderEngine::Load(out_, {.num_threads = 1});
    ASSERT_TRUE(engine) << engine.error().message;
    const std::vector<engine::BatchToken> batch = {{(*engine)->NewSequence(), 5, true}};
    EXPECT_TRUE((*engine)->Forward(batch));
  }

  static void ExpectTensor(const gguf::File& file, const std::string& name,
                           const std::vector<float>& want) {
    const gguf::TensorInfo* tensor = file.FindTensor(name);
    ASSERT_NE(tensor, nullptr) << name;
    std::vector<float> got(tensor->num_values);
    quant::InfoOf(tensor->type).dequantize(tensor->data.data(), got.data(), got.size());
    EXPECT_EQ(got, want) << name;
  }
  void ExpectSame(const gguf::File& file, const std::string& name, const std::string& from) {
    ExpectTensor(file, name, folder_.tensors.at(from).values);
  }

  // Within a head of eight rows: 0 4 1 5 2 6 3 7.
  static std::vector<float> Interleaved(const FolderTensor& from) {
    std::vector<float> out;
    for (uint64_t head = 0; head < from.shape[0] / kHeadDim; ++head) {
      for (const uint64_t row : {0u, 4u, 1u, 5u, 2u, 6u, 3u, 7u}) {
        for (uint64_t i = 0; i < kD; ++i) out.push_back(from.At(head * kHeadDim + row, i));
      }
    }
    return out;
  }

  testing::ModelFolder folder_;
  std::filesystem::path out_;
};

TEST_F(DecoderFolderTest, LlamaHasItsHeadsInterleaved) {
  const gguf::File file = Import();
  EXPECT_EQ(file.Require<std::string_view>("general.architecture").value(), "llama");
  EXPECT_EQ(file.Require<uint32_t>("llama.context_length").value(), 64u);
  EXPECT_EQ(file.Require<uint32_t>("llama.rope.dimension_count").value(), kHeadDim);
  EXPECT_EQ(file.Require<float>("llama.rope.freq_base").value(), 20000.0f);
  EXPECT_EQ(file.tensors().size(), 21u);
  for (const std::string layer : {"0", "1"}) {
    const std::string from = "model.layers." + layer + ".";
    const std::string to = "blk." + layer + ".";
    ExpectTensor(file, to + "attn_q.weight",
                 Interleaved(folder_.tensors.at(from + "self_attn.q_proj.weight")));
    ExpectTensor(file, to + "attn_k.weight",
                 Interleaved(folder_.tensors.at(from + "self_attn.k_proj.weight")));
    ExpectSame(file, to + "attn_v.weight", from + "self_attn.v_proj.weight");
    ExpectSame(file, to + "attn_output.weight", from + "self_attn.o_proj.weight");
    ExpectSame(file, to + "attn_norm.weight", from + "input_layernorm.weight");
    ExpectSame(file, to + "ffn_norm.weight", from + "post_attention_layernorm.weight");
    ExpectSame(file, to + "ffn_gate.weight", from + "mlp.gate_proj.weight");
    ExpectSame(file, to + "ffn_up.weight", from + "mlp.up_proj.weight");
    ExpectSame(file, to + "ffn_down.weight", from + "mlp.down_proj.weight");
  }
  ExpectSame(file, "token_embd.weight", "model.embed_tokens.weight");
  ExpectSame(file, "output.weight", "lm_head.weight");
  ExpectRuns();
}

TEST_F(DecoderFolderTest, BiasesGoAlongAndATiedOutputStaysAway) {
  folder_.config["tie_word_embeddings"] = true;
  FolderTensor& bias = folder_.Add("model.layers.0.self_attn.k_proj.bias", {kKvHeads * kHeadDim});
  const gguf::File file = Import();
  std::vector<float> want;
  for (const uint64_t head : {0u, 8u}) {
    for (const uint64_t i : {0u, 4u, 1u, 5u, 2u, 6u, 3u, 7u}) want.push_back(bias.values[head + i]);
  }
  ExpectTensor(file, "blk.0.attn_k.bias", want);
  EXPECT_EQ(file.FindTensor("output.weight"), nullptr);
  ExpectRuns();
}

TEST_F(DecoderFolderTest, GemmasNormsAreStoredLessOne) {
  folder_.config["model_type"] = "gemma";
  folder_.config["hidden_act"] = "gelu";
  folder_.tensors.erase("lm_head.weight");
  const gguf::File file = Import();
  std::vector<float> want = folder_.tensors.at("model.norm.weight").values;
  for (float& value : want) value += 1;
  ExpectTensor(file, "output_norm.weight", want);
  ExpectSame(file, "blk.1.attn_q.weight", "model.layers.1.self_attn.q_proj.weight");
  ExpectRuns();
}

TEST_F(DecoderFolderTest, Gpt2IsTransposed) {
  folder_.config = {{"model_type", "gpt2"},
                    {"n_embd", kD},
                    {"n_head", kHeads},
                    {"n_layer", 1},
                    {"n_positions", 40},
                    {"layer_norm_epsilon", 1e-5},
                    {"activation_function", "gelu_new"}};
  folder_.tensors.clear();
  folder_.Add("wte.weight", {kVocab, kD});
  folder_.Add("wpe.weight", {40, kD});
  for (const std::string norm : {"ln_f", "h.0.ln_1", "h.0.ln_2"}) {
    folder_.Add(norm + ".weight", {kD});
    folder_.Add(norm + ".bias", {kD});
  }
  const auto conv = [&](const std::string& name, uint64_t in, uint64_t out) {
    folder_.Add(name + ".weight", {in, out});
    folder_.Add(name + ".bias", {out});
  };
  conv("h.0.attn.c_attn", kD, 3 * kD);
  conv("h.0.attn.c_proj", kD, kD);
  conv("h.0.mlp.c_fc", kD, 4 * kD);
  conv("h.0.mlp.c_proj", 4 * kD, kD);
  folder_.Add("h.0.attn.bias", {1, 1, 4, 4});  // a mask, not a bias
  const gguf::File file = Import();
  const FolderTensor& up = folder_.tensors.at("h.0.mlp.c_fc.weight");
  std::vector<float> want;
  for (uint64_t out = 0; out < 4 * kD; ++out) {
    for (uint64_t in = 0; in < kD; ++in) want.push_back(up.At(in, out));
  }
  ExpectTensor(file, "blk.0.ffn_up.weight", want);
  ExpectSame(file, "blk.0.attn_qkv.bias", "h.0.attn.c_attn.bias");
  ExpectSame(file, "position_embd.weight", "wpe.weight");
  ExpectRuns();
}

TEST_F(DecoderFolderTest, ExpertsAreStacked) {
  folder_.config["model_type"] = "qwen3_moe";
  folder_.config.update(json{{"num_experts", 3},
                             {"num_experts_per_tok", 2},
                             {"moe_intermediate_size", 16},
                             {"norm_topk_prob", true}});
  std::vector<float> want;
  for (const std::string p : {"model.layers.0.", "model.layers.1."}) {
    for (const char* name : {"gate", "up", "down"}) {
      folder_.tensors.erase(p + "mlp." + name + "_proj.weight");
    }
    folder_.Add(p + "mlp.gate.weight", {3, kD});
    folder_.Add(p + "self_attn.q_norm.weight", {kHeadDim});
    folder_.Add(p + "self_attn.k_norm.weight", {kHeadDim});
    for (const std::string expert : {"0", "1", "2"}) {
      const std::string e = p + "mlp.experts." + expert + ".";
      folder_.Add(e + "gate_proj.weight", {16, kD});
      folder_.Add(e + "up_proj.weight", {16, kD});
      const FolderTensor& down = folder_.Add(e + "down_proj.weight", {kD, 16});
      if (p == "model.layers.1.") want.insert(want.end(), down.values.begin(), down.values.end());
    }
  }
  const gguf::File file = Import();
  ExpectTensor(file, "blk.1.ffn_down_exps.weight", want);
  ExpectRuns();
  folder_.config["norm_topk_prob"] = false;
  std::filesystem::remove(out_);
  ExpectRefused("norm_topk_prob is false, want true");
}

TEST_F(DecoderFolderTest, InternLm2IsTakenApart) {
  folder_.config["model_type"] = "internlm2";
  std::map<std::string, FolderTensor> old = std::exchange(folder_.tensors, {});
  folder_.tensors["model.tok_embeddings.weight"] = old.at("model.embed_tokens.weight");
  folder_.tensors["model.norm.weight"] = old.at("model.norm.weight");
  folder_.tensors["output.weight"] = old.at("lm_head.weight");
  for (const std::string p : {"model.layers.0.", "model.layers.1."}) {
    const auto rename = [&](const std::string& to, const std::string& from) {
      folder_.tensors[p + to + ".weight"] = old.at(p + from + ".weight");
    };
    rename("attention_norm", "input_layernorm");
    rename("ffn_norm", "post_attention_layernorm");
    rename("attention.wo", "self_attn.o_proj");
    rename("feed_forward.w1", "mlp.gate_proj");
    rename("feed_forward.w3", "mlp.up_proj");
    rename("feed_forward.w2", "mlp.down_proj");
    FolderTensor all{{kD + 2 * kKvHeads * kHeadDim, kD}, {}};
    const auto append = [&](const char* name, uint64_t first, uint64_t rows) {
      const FolderTensor& from = old.at(p + "self_attn." + name + "_proj.weight");
      for (uint64_t i = first * kD; i < (first + rows) * kD; ++i)
        all.values.push_back(from.values[i]);
    };
    for (uint64_t group = 0; group < kKvHeads; ++group) {
      append("q", group * 16, 16);
      append("k", group * 8, 8);
      append("v", group * 8, 8);
    }
    folder_.tensors[p + "attention.wqkv.weight"] = all;
  }
  const gguf::File file = Import();
  ExpectTensor(file, "blk.1.attn_q.weight",
               Interleaved(old.at("model.layers.1.self_attn.q_proj.weight")));
  ExpectTensor(file, "blk.1.attn_k.weight",
               Interleaved(old.at("model.layers.1.self_attn.k_proj.weight")));
  ExpectTensor(file, "blk.1.attn_v.weight",
               old.at("model.layers.1.self_attn.v_proj.weight").values);
  ExpectRuns();
}

TEST_F(DecoderFolderTest, Llama3FactorsAreATensor) {
  folder_.config["rope_scaling"] = {{"rope_type", "llama3"},
                                    {"factor", 8.0},
                                    {"low_freq_factor", 1.0},
                                    {"high_freq_factor", 4.0},
                                    {"original_max_position_embeddings", 64}};
  const gguf::File file = Import();
  std::vector<float> want;
  for (int i = 0; i < 4; ++i) {  // by wavelengths, as the model's card has it
    const double wavelength = 2 * M_PI * std::pow(20000.0, i / 4.0);
    const double smooth = (64 / wavelength - 1) / (4 - 1);
    want.push_back(static_cast<float>(wavelength < 16   ? 1
                                      : wavelength > 64 ? 8
                                                        : 1 / ((1 - smooth) / 8 + smooth)));
  }
  const gguf::TensorInfo* factors = file.FindTensor("rope_freqs.weight");
  ASSERT_NE(factors, nullptr);
  std::vector<float> got(factors->num_values);
  std::memcpy(got.data(), factors->data.data(), factors->data.size());
  EXPECT_THAT(got, ::testing::Pointwise(::testing::FloatNear(1e-6f), want));
  ExpectRuns();
}

TEST_F(DecoderFolderTest, OtherScalingsAreKeys) {
  folder_.config["rope_scaling"] = {{"type", "linear"}, {"factor", 4.0}};
  EXPECT_EQ(Import().Require<float>("llama.rope.scaling.factor").value(), 4.0f);
  folder_.config["rope_scaling"] = {{"type", "yarn"},
                                    {"factor", 4.0},
                                    {"original_max_position_embeddings", 16},
                                    {"beta_fast", 8}};
  const gguf::File yarn = Import();
  EXPECT_EQ(yarn.Require<std::string_view>("llama.rope.scaling.type").value(), "yarn");
  EXPECT_EQ(yarn.Require<uint32_t>("llama.rope.scaling.original_context_length").value(), 16u);
  EXPECT_EQ(yarn.Require<float>("llama.rope.scaling.yarn_beta_fast").value(), 8.0f);
  std::filesystem::remove(out_);
  folder_.config["rope_scaling"] = {{"type", "spiral"}};
  ExpectRefused("rope_type \"spiral\"");
  folder_.config["rope_scaling"] = {{"type", "linear"}, {"factor", 0}};
  ExpectRefused("want above 0");
  folder_.config["rope_scaling"] = {{"type", "longrope"}, {"long_factor", {1, 2}}};
  ExpectRefused("want a list of 4 numbers");
}

TEST_F(DecoderFolderTest, ShardsAreOneModel) {
  folder_.WriteJson("config.json", folder_.config);
  std::map<std::string, FolderTensor> parts[2];
  json map;
  for (const auto& [name, tensor] : folder_.tensors) {
    const size_t part = name.size() % 2;
    parts[part][name] = tensor;
    map[name] = "part" + std::to_string(part) + ".safetensors";
  }
  for (size_t i = 0; i < 2; ++i) {
    folder_.Write("part" + std::to_string(i) + ".safetensors",
                  std::string_view(testing::SafeTensorsBytes(parts[i])));
  }
  folder_.WriteJson("model.safetensors.index.json", json{{"weight_map", map}});
  const gguf::File file = ImportWritten();
  EXPECT_EQ(file.tensors().size(), 21u);
  ExpectRuns();

  std::filesystem::remove(out_);
  const auto expect_refused = [&](const json& wrong, const std::string& reason) {
    folder_.WriteJson("model.safetensors.index.json", json{{"weight_map", wrong}});
    const auto done = ImportHuggingFace(folder_.path(), out_, {});
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr(reason));
  };
  json wrong = map;
  wrong["lm_head.weight"] = "../part0.safetensors";
  expect_refused(wrong, "not a file name");
  wrong["lm_head.weight"] = "absent.safetensors";
  expect_refused(wrong, "absent.safetensors: No such file");
  wrong = map;
  wrong["more"] = "part0.safetensors";
  expect_refused(wrong, "tensor more: not in part0.safetensors");
  folder_.Write("part1.safetensors", std::string_view(testing::SafeTensorsBytes(parts[0])));
  expect_refused(map, "also in part0.safetensors");
}

TEST_F(DecoderFolderTest, TensorsThatAreNotAsTheyShouldBe) {
  folder_.Add("model.layers.0.self_attn.rotary_emb.inv_freq", {4});  // computed anew: no harm
  folder_.Add("model.layers.0.self_attn.sinks.weight", {4});
  ExpectRefused("tensor model.layers.0.self_attn.sinks.weight [4]: not part of llama");
  folder_.tensors.erase("model.layers.0.self_attn.sinks.weight");
  folder_.Add("model.layers.0.self_attn.q_proj.weight", {kD - 8, kD});
  ExpectRefused("q_proj.weight: got [24,32], want 4 heads of 8");
  folder_.Add("model.layers.0.self_attn.q_proj.weight", {kD, kD}).values[3] = NAN;
  ExpectRefused("blk.0.attn_q.weight: row 0: ");
  folder_.tensors.erase("model.layers.0.self_attn.q_proj.weight");
  ExpectRefused("tensor model.layers.0.self_attn.q_proj.weight: missing");
}

TEST_F(DecoderFolderTest, SettingsTheEngineDoesNotCompute) {
  const json good = folder_.config;
  const auto expect_refused = [&](const char* key, const json& value, const std::string& reason) {
    folder_.config = good;
    folder_.config[key] = value;
    ExpectRefused(reason);
  };
  expect_refused("model_type", "mamba", "model_type \"mamba\", want bert or llama, mistral");
  expect_refused("hidden_act", "relu", "hidden_act \"relu\", want \"silu\"");
  expect_refused("num_attention_heads", 0, "\"num_attention_heads\": got 0, want 1 to");
  expect_refused("num_key_value_heads", 3, "does not divide");
  expect_refused("num_hidden_layers", 4000, "want 1 to 1024");
  expect_refused("num_hidden_layers", 3, "tensor model.layers.2.input_layernorm.weight: missing");
  expect_refused("partial_rotary_factor", 0.01, "partial_rotary_factor");
  expect_refused("rope_theta", -1, "rope_theta is not above 0");
  expect_refused("rms_norm_eps", nullptr, "no epsilon of the norms");
  expect_refused("hidden_size", -4, "\"hidden_size\": got number, want");
}

}  // namespace
}  // namespace vade::import
