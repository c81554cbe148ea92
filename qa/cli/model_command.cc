// vade model show|import|quantize: what a model file holds, and making one.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/encoder_engine.h"
#include "engine/gguf/file.h"
#include "engine/import/hugging_face_decoder.h"
#include "engine/import/llama2c.h"
#include "engine/import/requantize.h"
#include "engine/tokenizer/tokenizer.h"
#include "qa/cli/context.h"
#include "qa/cli/progress.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kShownValueBytes = 72;

struct Totals {
  uint64_t file_bytes = 0;
  uint64_t tensor_bytes = 0;
  uint64_t num_values = 0;
  std::map<std::string, uint64_t> bytes_by_type;
};

Totals SumUp(const gguf::File& file) {
  Totals totals;
  for (const auto& part : file.parts()) totals.file_bytes += part.size();
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    totals.tensor_bytes += tensor.data.size();
    totals.num_values += tensor.num_values;
    totals.bytes_by_type[std::string(quant::InfoOf(tensor.type).name)] += tensor.data.size();
  }
  return totals;
}

// Why this program could not use the model, one reason a line; empty if it can. Loading it is the
// only check that cannot be wrong.
std::vector<std::string> FindProblems(const gguf::File& file, const std::string& path) {
  std::vector<std::string> problems;
  const auto tokenizer = tokenizer::Tokenizer::Load(file);
  if (!tokenizer) problems.push_back("tokenizer: " + tokenizer.error().message);
  const auto engine = engine::EncoderEngine::Load(path, {.num_threads = 1});
  const bool same = !engine && !tokenizer && engine.error().message == tokenizer.error().message;
  if (!engine && !same) problems.push_back("embedding: " + engine.error().message);
  for (const auto& [name, bytes] : SumUp(file).bytes_by_type) {
    if (quant::FindTensorType(name)->dequantize == nullptr) {
      problems.push_back("tensors of type " + name + " cannot be read");
    }
  }
  return problems;
}

template <typename T>
bool SetIf(const gguf::Value& value, json& out) {
  const auto scalar = value.As<T>();
  if (!scalar) return false;
  if constexpr (std::is_same_v<T, std::string_view>) {
    out = utf8::Repair(*scalar);
  } else {
    out = *scalar;
  }
  return true;
}

// Arrays are vocabularies of 10^5 entries: shown by count and beginning.
json ToJson(const gguf::Value& value) {
  json out;
  if (value.is_array()) {
    return {{"type", value.TypeName()},
            {"count", value.count()},
            {"begins", value.ToDisplay(kShownValueBytes)}};
  }
  const bool set =
      SetIf<uint8_t>(value, out) || SetIf<int8_t>(value, out) || SetIf<uint16_t>(value, out) ||
      SetIf<int16_t>(value, out) || SetIf<uint32_t>(value, out) || SetIf<int32_t>(value, out) ||
      SetIf<uint64_t>(value, out) || SetIf<int64_t>(value, out) || SetIf<float>(value, out) ||
      SetIf<double>(value, out) || SetIf<bool>(value, out) || SetIf<std::string_view>(value, out);
  return set ? json{{"type", value.TypeName()}, {"value", out}} : json();
}

void PrintJson(const gguf::File& file, const std::vector<std::string>& problems) {
  const Totals totals = SumUp(file);
  json out = {{"file", file.name()},
              {"version", file.version()},
              {"alignment", file.alignment()},
              {"parts", file.parts().size()},
              {"file_bytes", totals.file_bytes},
              {"parameters", totals.num_values},
              {"memory_bytes", totals.tensor_bytes},
              {"bytes_by_type", totals.bytes_by_type},
              {"metadata", json::object()},
              {"tensors", json::array()},
              {"problems", problems}};
  for (const gguf::KeyValue& entry : file.metadata()) {
    out["metadata"][std::string(entry.key)] = ToJson(entry.value);
  }
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    const std::vector<uint64_t> shape(tensor.dims.begin(), tensor.dims.begin() + tensor.num_dims);
    out["tensors"].push_back({{"name", tensor.name},
                              {"type", quant::InfoOf(tensor.type).name},
                              {"shape", shape},
                              {"bytes", tensor.data.size()}});
  }
  std::cout << out.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

void PrintTable(const gguf::File& file, const std::vector<std::string>& problems) {
  const Totals totals = SumUp(file);
  std::cout << file.name() << ": GGUF version " << file.version() << ", "
            << FormatBytes(totals.file_bytes);
  if (file.parts().size() > 1) std::cout << " in " << file.parts().size() << " parts";
  std::cout << "\n\nmetadata\n";
  for (const gguf::KeyValue& entry : file.metadata()) {
    std::cout << "  " << utf8::Escape(entry.key) << " (" << entry.value.TypeName()
              << ") = " << entry.value.ToDisplay(kShownValueBytes) << '\n';
  }
  std::cout << "\ntensors (shape: fastest dimension first)\n";
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    std::cout << "  " << utf8::Escape(tensor.name) << ' ' << quant::InfoOf(tensor.type).name << ' '
              << gguf::ShapeToString(tensor) << ' ' << FormatBytes(tensor.data.size()) << '\n';
  }
  std::cout << '\n' << file.tensors().size() << " tensors, " << totals.num_values << " values:";
  for (const auto& [name, bytes] : totals.bytes_by_type) {
    std::cout << ' ' << name << ' ' << FormatBytes(bytes);
  }
  std::cout << "\nmemory for the weights: " << FormatBytes(totals.tensor_bytes) << '\n';
  for (const std::string& problem : problems) std::cout << "not usable: " << problem << '\n';
  if (problems.empty()) std::cout << "usable as embedder\n";
}

int RunShow(const Context& context, const std::string& path) {
  const auto file = gguf::File::Open(path);
  if (!file) return FailInput(file.error());
  const std::vector<std::string> problems = FindProblems(*file, path);
  if (context.global.json) {
    PrintJson(*file, problems);
  } else {
    PrintTable(*file, problems);
  }
  return kOk;
}

struct WriteFlags {
  std::string input;
  std::string output;
  std::string type;
  std::string name;
  std::string license;
  std::string tokenizer;
  std::string pre;
  bool force = false;
};

// The options of both writing commands, with progress by tensor.
Result<import::WriteOptions> ToWriteOptions(const Context& context, const WriteFlags& flags,
                                            Progress& progress) {
  import::WriteOptions options;
  VADE_TRY(options.type, import::ParseFileType(flags.type));
  options.replace = flags.force;
  options.num_threads = context.global.threads;
  options.cancel = &context.cancel;
  options.on_tensor = [&progress](std::string_view name, size_t done, size_t total) {
    progress.Update(done, total, name);
  };
  return options;
}

// What was written, in the words of `show`'s last lines.
int ReportWritten(const Context& context, const std::string& path) {
  const auto file = gguf::File::Open(path);
  if (!file) return FailInput(file.error());
  const Totals totals = SumUp(*file);
  if (context.global.json) {
    std::cout << json{{"file", utf8::Repair(path)},
                      {"bytes", totals.file_bytes},
                      {"tensors", file->tensors().size()},
                      {"bytes_by_type", totals.bytes_by_type}}
                     .dump()
              << '\n';
  } else if (!context.global.quiet) {
    std::cout << "wrote " << utf8::Escape(path) << ": " << file->tensors().size() << " tensors, "
              << FormatBytes(totals.file_bytes) << '\n';
  }
  return kOk;
}

int FailWrite(Error error) {
  if (error.message.ends_with("exists already")) error.message += " (--force replaces it)";
  return FailInput(error);
}

int RunImport(const Context& context, const WriteFlags& flags) {
  Progress progress("importing", context.global.quiet);
  auto write = ToWriteOptions(context, flags, progress);
  if (!write) return FailInput(write.error());
  const import::ImportOptions options{.name = flags.name,
                                      .license = flags.license,
                                      .write = std::move(*write),
                                      .tokenizer = flags.tokenizer,
                                      .pre = flags.pre};
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(flags.input, ignored);
  const auto done = is_folder ? import::ImportHuggingFace(flags.input, flags.output, options)
                              : import::ImportLlama2c(flags.input, flags.output, options);
  if (!done) return FailWrite(done.error());
  return ReportWritten(context, flags.output);
}

int RunQuantize(const Context& context, const WriteFlags& flags) {
  Progress progress("quantizing", context.global.quiet);
  const auto write = ToWriteOptions(context, flags, progress);
  if (!write) return FailInput(write.error());
  const auto file = gguf::File::Open(flags.input);
  if (!file) return FailInput(file.error());
  const auto done = import::Requantize(*file, flags.output, *write);
  if (!done) return FailWrite(done.error());
  return ReportWritten(context, flags.output);
}

void AddWriteFlags(CLI::App& command, WriteFlags& flags, const char* default_type) {
  flags.type = default_type;
  command.add_option("--type", flags.type, std::string(import::FileTypeNames()))
      ->capture_default_str();
  command.add_flag("--force", flags.force, "Replace an existing output file");
}

}  // namespace

void RegisterModel(CLI::App& app, Context& context) {
  CLI::App* model = app.add_subcommand("model", "Show, import and quantize model files");
  model->require_subcommand(1);

  CLI::App* show =
      model->add_subcommand("show", "What a GGUF file holds, and whether it runs here");
  auto shown = std::make_shared<std::string>();
  show->add_option("FILE", *shown, "GGUF file")->required();
  show->callback(
      [&context, shown] { context.run = [&context, shown] { return RunShow(context, *shown); }; });

  CLI::App* importer =
      model->add_subcommand("import", "A Hugging Face folder or a llama2.c checkpoint to GGUF");
  auto imported = std::make_shared<WriteFlags>();
  importer
      ->add_option("SOURCE", imported->input,
                   "Folder with config.json and safetensors files, or llama2.c checkpoint")
      ->required();
  importer->add_option("-o,--output", imported->output, "GGUF file to write")->required();
  importer->add_option("--name", imported->name, "Model name to store; default: the folder's");
  importer->add_option("--license", imported->license, "Licence to store, as an SPDX id");
  importer->add_option("--tokenizer", imported->tokenizer,
                       "Tokenizer file of a llama2.c checkpoint; default: the one beside it");
  importer->add_option("--pre", imported->pre,
                       "How a byte-level vocabulary splits text (tokenizer.ggml.pre); default: "
                       "recognised from tokenizer.json");
  AddWriteFlags(*importer, *imported, "f32");
  importer->callback([&context, imported] {
    context.run = [&context, imported] { return RunImport(context, *imported); };
  });

  CLI::App* quantize =
      model->add_subcommand("quantize", "Store a model's matrices as another type");
  auto quantized = std::make_shared<WriteFlags>();
  quantize->add_option("IN", quantized->input, "GGUF file to read")->required();
  quantize->add_option("OUT", quantized->output, "GGUF file to write")->required();
  AddWriteFlags(*quantize, *quantized, "q8_0");
  quantize->callback([&context, quantized] {
    context.run = [&context, quantized] { return RunQuantize(context, *quantized); };
  });
}

}  // namespace vade::qa
