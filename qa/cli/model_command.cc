// vade model import|quantize: making model files; list, show and pull have files of their own.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/base/utf8.h"
#include "engine/gguf/file.h"
#include "engine/import/hugging_face_decoder.h"
#include "engine/import/llama2c.h"
#include "engine/import/requantize.h"
#include "qa/cli/context.h"
#include "qa/cli/model_files.h"
#include "qa/cli/model_show.h"
#include "qa/cli/progress.h"

namespace vade::qa {
namespace {

using nlohmann::json;

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
  CLI::App* model =
      app.add_subcommand("model", "List, show, pull, import and quantize model files");
  model->require_subcommand(1);

  CLI::App* list = model->add_subcommand("list", "Models in the models folder");
  list->callback([&context] { context.run = [&context] { return RunModelList(context); }; });
  RegisterModelShow(*model, context);
  RegisterModelPull(*model, context);

  CLI::App* importer =
      model->add_subcommand("import", "A Hugging Face folder or a llama2.c checkpoint to GGUF");
  auto imported = std::make_shared<WriteFlags>();
  importer
      ->add_option(
          "SOURCE", imported->input,
          "Folder with config.json and weights (safetensors or torch), or llama2.c checkpoint")
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
