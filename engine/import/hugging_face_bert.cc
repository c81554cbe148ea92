// Settings checked one by one, then tensors by a table of names.
#include "engine/import/hugging_face_bert.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/import/bert_tokenizer_files.h"
#include "engine/import/json_file.h"
#include "engine/import/safetensors.h"
#include "engine/quant/quantize.h"

namespace vade::import {
namespace {

using quant::TensorType;

// Values of bert.pooling_type.
enum class Pooling : uint32_t { kMean = 1, kCls = 2, kRank = 4 };

constexpr uint32_t kMaxLayers = 1024;

struct BertConfig {
  uint32_t d_model = 0;
  uint32_t d_ff = 0;
  uint32_t num_layers = 0;
  uint32_t num_heads = 0;
  uint32_t num_positions = 0;
  uint32_t vocab_size = 0;
  uint32_t num_token_types = 0;
  uint32_t max_tokens = 0;  // what the sentence encoder was trained for
  double norm_epsilon = 0;
  std::string activation;
  Pooling pooling = Pooling::kMean;
  bool is_reranker = false;
};

tl::unexpected<Error> Unsupported(const JsonObject& file, const std::string& reason) {
  return Fail(ErrorCode::kUnsupported, file.name() + ": " + reason);
}

// An optional file of the folder.
Result<std::optional<JsonObject>> ReadOptional(const std::filesystem::path& path) {
  auto object = JsonObject::Read(path);
  if (object) return std::optional<JsonObject>(std::move(*object));
  if (object.error().code == ErrorCode::kNotFound) return std::optional<JsonObject>();
  return tl::unexpected(object.error());
}

Result<void> CheckSupported(const JsonObject& file, BertConfig& config) {
  VADE_TRY(const std::string model_type, file.GetString("model_type", std::nullopt));
  if (model_type != "bert") {
    return Unsupported(file, "model_type \"" + utf8::Escape(model_type) + "\", want \"bert\"");
  }
  VADE_TRY(const std::string positions, file.GetString("position_embedding_type", "absolute"));
  if (positions != "absolute") {
    return Unsupported(
        file, "position_embedding_type \"" + utf8::Escape(positions) + "\", want \"absolute\"");
  }
  VADE_TRY(config.activation, file.GetString("hidden_act", "gelu"));
  if (config.activation == "gelu_pytorch_tanh")
    config.activation = "gelu_new";  // the same function
  if (config.activation != "gelu" && config.activation != "gelu_new") {
    return Unsupported(file, "hidden_act \"" + utf8::Escape(config.activation) +
                                 "\", want \"gelu\" or \"gelu_new\"");
  }
  return {};
}

Result<void> CheckSizes(const JsonObject& file, const BertConfig& config) {
  const auto bad = [&](const std::string& reason) {
    return Fail(ErrorCode::kCorruptData, file.name() + ": " + reason);
  };
  if (config.d_model == 0 || config.d_ff == 0 || config.vocab_size == 0 ||
      config.num_positions == 0 || config.num_token_types == 0) {
    return bad("a size is 0");
  }
  if (config.num_layers == 0 || config.num_layers > kMaxLayers) {
    return bad("num_hidden_layers " + std::to_string(config.num_layers) + ", want 1 to " +
               std::to_string(kMaxLayers));
  }
  if (config.num_heads == 0 || config.d_model % config.num_heads != 0) {
    return bad("hidden_size " + std::to_string(config.d_model) + " is not a multiple of " +
               std::to_string(config.num_heads) + " heads");
  }
  if (!(config.norm_epsilon > 0 && config.norm_epsilon < 1)) {
    return bad("layer_norm_eps " + std::to_string(config.norm_epsilon));
  }
  return {};
}

Result<BertConfig> ReadConfig(const std::filesystem::path& folder) {
  VADE_TRY(const JsonObject file, JsonObject::Read(folder / "config.json"));
  BertConfig config;
  VADE_CHECK_OK(CheckSupported(file, config));
  VADE_TRY(config.d_model, file.GetUint("hidden_size", std::nullopt));
  VADE_TRY(config.d_ff, file.GetUint("intermediate_size", std::nullopt));
  VADE_TRY(config.num_layers, file.GetUint("num_hidden_layers", std::nullopt));
  VADE_TRY(config.num_heads, file.GetUint("num_attention_heads", std::nullopt));
  VADE_TRY(config.num_positions, file.GetUint("max_position_embeddings", std::nullopt));
  VADE_TRY(config.vocab_size, file.GetUint("vocab_size", std::nullopt));
  VADE_TRY(config.num_token_types, file.GetUint("type_vocab_size", 2));
  VADE_TRY(config.norm_epsilon, file.GetNumber("layer_norm_eps", 1e-12));
  VADE_CHECK_OK(CheckSizes(file, config));
  const nlohmann::json* names = file.Find("architectures");
  if (names != nullptr && names->is_array()) {
    config.is_reranker = std::ranges::find(*names, "BertForSequenceClassification") != names->end();
  }
  if (config.is_reranker) config.pooling = Pooling::kRank;
  config.max_tokens = config.num_positions;
  return config;
}

// What sentence-transformers does after the encoder. Without its files: mean pooling, its default.
Result<void> ReadSentenceModules(const std::filesystem::path& folder, BertConfig& config) {
  VADE_TRY(const auto limits, ReadOptional(folder / "sentence_bert_config.json"));
  if (limits) {
    VADE_TRY(const uint32_t max_tokens, limits->GetUint("max_seq_length", config.num_positions));
    config.max_tokens = std::min(std::max(max_tokens, 2u), config.num_positions);
  }
  if (config.is_reranker) return {};
  VADE_TRY(const auto pooling, ReadOptional(folder / "1_Pooling" / "config.json"));
  if (!pooling) return {};
  VADE_TRY(const bool mean, pooling->GetBool("pooling_mode_mean_tokens", false));
  VADE_TRY(const bool cls, pooling->GetBool("pooling_mode_cls_token", false));
  size_t modes = 0;
  for (const auto& [key, value] : pooling->json().items()) {
    modes += key.starts_with("pooling_mode_") && value == true ? 1u : 0u;
  }
  if (modes != 1 || mean == cls) return Unsupported(*pooling, "want mean or cls pooling alone");
  config.pooling = mean ? Pooling::kMean : Pooling::kCls;
  return {};
}

Result<void> CheckModules(const std::filesystem::path& folder) {
  const auto path = folder / "modules.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  const std::string name = utf8::Escape(path.native());
  VADE_TRY(const std::string text, ReadFile(path, 1 << 20));
  VADE_TRY(const nlohmann::json modules, ParseJson(text, name));
  if (!modules.is_array()) return Fail(ErrorCode::kCorruptData, name + ": not a list");
  for (const auto& module : modules) {
    const auto type = module.is_object() ? module.find("type") : module.end();
    if (!module.is_object() || type == module.end() || !type->is_string()) {
      return Fail(ErrorCode::kCorruptData, name + ": a module without type");
    }
    const auto full = type->get<std::string>();
    const std::string kind = full.substr(full.rfind('.') + 1);
    if (kind != "Transformer" && kind != "Pooling" && kind != "Normalize") {
      return Fail(ErrorCode::kUnsupported,
                  name + ": module " + utf8::Escape(full) + " is not supported");
    }
  }
  return {};
}

/// One tensor to be written: its GGUF name, its name in the folder, its shape in file order.
struct Mapping {
  std::string gguf_name;
  std::string source_name;
  std::vector<uint64_t> dims;
};

void MapLinear(const std::string& to, const std::string& from, uint64_t in, uint64_t out,
               std::vector<Mapping>& all) {
  all.push_back({to + ".weight", from + ".weight", {in, out}});
  all.push_back({to + ".bias", from + ".bias", {out}});
}

void MapNorm(const std::string& to, const std::string& from, uint64_t size,
             std::vector<Mapping>& all) {
  all.push_back({to + ".weight", from + ".weight", {size}});
  all.push_back({to + ".bias", from + ".bias", {size}});
}

std::vector<Mapping> MapTensors(const BertConfig& c) {
  std::vector<Mapping> all;
  const uint64_t d = c.d_model;
  all.push_back({"token_embd.weight", "embeddings.word_embeddings.weight", {d, c.vocab_size}});
  all.push_back(
      {"position_embd.weight", "embeddings.position_embeddings.weight", {d, c.num_positions}});
  all.push_back(
      {"token_types.weight", "embeddings.token_type_embeddings.weight", {d, c.num_token_types}});
  MapNorm("token_embd_norm", "embeddings.LayerNorm", d, all);
  for (uint32_t i = 0; i < c.num_layers; ++i) {
    const std::string to = "blk." + std::to_string(i) + ".";
    const std::string from = "encoder.layer." + std::to_string(i) + ".";
    MapLinear(to + "attn_q", from + "attention.self.query", d, d, all);
    MapLinear(to + "attn_k", from + "attention.self.key", d, d, all);
    MapLinear(to + "attn_v", from + "attention.self.value", d, d, all);
    MapLinear(to + "attn_output", from + "attention.output.dense", d, d, all);
    MapNorm(to + "attn_output_norm", from + "attention.output.LayerNorm", d, all);
    MapLinear(to + "ffn_up", from + "intermediate.dense", d, c.d_ff, all);
    MapLinear(to + "ffn_down", from + "output.dense", c.d_ff, d, all);
    MapNorm(to + "layer_output_norm", from + "output.LayerNorm", d, all);
  }
  if (c.is_reranker) {
    MapLinear("cls", "pooler.dense", d, d, all);
    MapLinear("cls.output", "classifier", d, 1, all);
  }
  return all;
}

Result<std::vector<std::byte>> Produce(const SafeTensorsFile& weights, const SafeTensor& source,
                                       TensorType type) {
  VADE_TRY(const std::vector<float> values, weights.ToFloats(source));
  auto bytes = quant::Quantize(type, values);
  if (!bytes) {
    return Fail(weights.name() + ": tensor " + source.name, std::move(bytes).error());
  }
  return bytes;
}

Result<void> AddTensors(const SafeTensorsFile& weights, const BertConfig& config, FileType wanted,
                        gguf::Writer& writer) {
  const ModelShape shape = {
      .is_encoder = true, .has_output = false, .num_layers = config.num_layers};
  for (const Mapping& mapping : MapTensors(config)) {
    const SafeTensor* source = weights.Find(mapping.source_name);
    if (source == nullptr) source = weights.Find("bert." + mapping.source_name);
    if (source == nullptr) {
      return Fail(ErrorCode::kCorruptData,
                  weights.name() + ": tensor " + mapping.source_name + ": missing");
    }
    // The folder's shapes are slowest dimension first.
    if (!std::equal(source->shape.begin(), source->shape.end(), mapping.dims.rbegin(),
                    mapping.dims.rend())) {
      return Fail(ErrorCode::kCorruptData, weights.name() + ": tensor " + mapping.source_name +
                                               ": got " + nlohmann::json(source->shape).dump() +
                                               ", want (fastest first) " +
                                               nlohmann::json(mapping.dims).dump());
    }
    const uint64_t rows = mapping.dims.size() > 1 ? mapping.dims[1] : 1;
    const TensorType type = StoredType(mapping.gguf_name, mapping.dims[0], rows, wanted, shape);
    writer.AddTensor(mapping.gguf_name, type, mapping.dims,
                     [&weights, source, type] { return Produce(weights, *source, type); });
  }
  return {};
}

void AddHyperparameters(const BertConfig& c, gguf::Writer& writer) {
  writer.Add("bert.context_length", c.num_positions);
  writer.Add("bert.embedding_length", c.d_model);
  writer.Add("bert.feed_forward_length", c.d_ff);
  writer.Add("bert.block_count", c.num_layers);
  writer.Add("bert.vocab_size", c.vocab_size);
  writer.Add("bert.attention.head_count", c.num_heads);
  writer.Add("bert.attention.layer_norm_epsilon", static_cast<float>(c.norm_epsilon));
  writer.Add("bert.attention.causal", false);
  writer.Add("bert.pooling_type", static_cast<uint32_t>(c.pooling));
  writer.Add(gguf::kHiddenActivationKey, c.activation);
  writer.Add(gguf::kMaxSequenceLengthKey, c.max_tokens);
}

}  // namespace

Result<void> ImportHuggingFaceBert(const std::filesystem::path& folder,
                                   const std::filesystem::path& out, const ImportOptions& options) {
  VADE_TRY(BertConfig config, ReadConfig(folder));
  VADE_CHECK_OK(CheckModules(folder));
  VADE_CHECK_OK(ReadSentenceModules(folder, config));
  VADE_TRY(const BertTokenizerFiles tokenizer, ReadBertTokenizer(folder));
  VADE_TRY(const SafeTensorsFile weights, SafeTensorsFile::Open(folder / "model.safetensors"));
  gguf::Writer writer;
  writer.Add("general.architecture", "bert");
  writer.Add("general.name", options.name.empty() ? NameOfSource(folder) : options.name);
  if (!options.license.empty()) writer.Add("general.license", options.license);
  AddFileType(writer, options.write.type);
  AddHyperparameters(config, writer);
  VADE_CHECK_OK(AddBertTokenizer(tokenizer, config.vocab_size, config.num_token_types, writer));
  VADE_CHECK_OK(AddTensors(weights, config, options.write.type, writer));
  return writer.WriteTo(out, options.write.replace, options.write.on_tensor);
}

}  // namespace vade::import
