// config.json, then tensors, then the tokenizer, then one pass that writes.
#include "engine/import/hugging_face_decoder.h"

#include <cstring>
#include <utility>
#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/base/utf8.h"
#include "engine/import/decoder_settings.h"
#include "engine/import/decoder_source.h"
#include "engine/import/decoder_tensors.h"
#include "engine/import/decoder_tokenizer.h"
#include "engine/import/hugging_face_bert.h"
#include "engine/import/json_file.h"
#include "engine/import/row_writer.h"
#include "engine/import/weight_folder.h"

namespace vade::import {
namespace {

// config.json; of a model that also sees, with the settings of its text model on top.
Result<JsonObject> ReadConfig(const std::filesystem::path& folder) {
  VADE_TRY(const JsonObject file, JsonObject::Read(folder / "config.json"));
  const nlohmann::json* text = file.Find("text_config");
  if (text == nullptr || !text->is_object()) return file;
  nlohmann::json merged = file.json();
  merged.update(*text);
  return JsonObject(std::move(merged), file.name());
}

Result<const DecoderSource*> SourceOf(const JsonObject& config) {
  VADE_TRY(const std::string model_type, config.GetString("model_type", std::nullopt));
  const DecoderSource* source = FindDecoderSource(model_type);
  if (source != nullptr) return source;
  return Fail(ErrorCode::kUnsupported, config.name() + ": model_type \"" +
                                           utf8::Escape(model_type) + "\", want bert or " +
                                           DecoderSourceNames());
}

void AddRopeFactors(const DecoderSettings& settings, gguf::Writer& writer) {
  for (const auto& [name, factors] : settings.rope_factors) {
    writer.AddTensor(name, quant::TensorType::kF32, {factors.size()},
                     [&factors = factors]() -> Result<std::vector<std::byte>> {
                       const auto bytes = std::as_bytes(std::span(factors));
                       return std::vector<std::byte>(bytes.begin(), bytes.end());
                     });
  }
}

}  // namespace

Result<void> ImportHuggingFaceDecoder(const std::filesystem::path& folder,
                                      const std::filesystem::path& out,
                                      const ImportOptions& options) {
  VADE_TRY(const JsonObject config, ReadConfig(folder));
  VADE_TRY(const DecoderSource* source, SourceOf(config));
  VADE_TRY(const WeightFolder weights, WeightFolder::Open(folder));
  gguf::Writer writer;
  writer.Add("general.architecture", source->architecture);
  writer.Add("general.name", options.name.empty() ? NameOfSource(folder) : options.name);
  if (!options.license.empty()) writer.Add("general.license", options.license);
  AddFileType(writer, options.write.type);
  VADE_TRY(const DecoderSettings settings, AddDecoderSettings(config, *source, writer));
  auto tensors = MapDecoderTensors(weights, *source, settings);
  if (!tensors) return Fail(NameOfSource(folder), std::move(tensors).error());
  const MappedTensor& embedding = tensors->front();
  if (embedding.dims.size() != 2) {
    return Fail(ErrorCode::kCorruptData, config.name() + ": the embedding is not a matrix");
  }
  const TokenizerOptions tokenizer = {source->architecture, embedding.dims[1], options.pre};
  VADE_CHECK_OK(AddDecoderTokenizer(folder, tokenizer, writer));

  ThreadPool pool(options.write.num_threads);
  const ModelShape shape = {.has_output = !settings.tied,
                            .num_layers = settings.num_layers,
                            .num_experts = settings.num_experts};
  const RowWriter rows{writer, options.write.type,   shape,
                       pool,   options.write.cancel, NameOfSource(folder)};
  for (MappedTensor& tensor : *tensors) {
    rows.Add(std::move(tensor.name), std::move(tensor.dims), std::move(tensor.rows));
  }
  AddRopeFactors(settings, writer);
  return writer.WriteTo(out, options.write.replace, options.write.on_tensor);
}

Result<void> ImportHuggingFace(const std::filesystem::path& folder,
                               const std::filesystem::path& out, const ImportOptions& options) {
  VADE_TRY(const JsonObject config, ReadConfig(folder));
  VADE_TRY(const std::string model_type, config.GetString("model_type", std::nullopt));
  if (model_type == "bert") return ImportHuggingFaceBert(folder, out, options);
  return ImportHuggingFaceDecoder(folder, out, options);
}

}  // namespace vade::import
