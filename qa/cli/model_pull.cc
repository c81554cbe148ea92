// vade model pull: a model from Hugging Face or an Ollama registry into the models folder.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/remote/model_source.h"
#include "qa/cli/model_files.h"
#include "qa/cli/progress.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

struct PullFlags {
  std::string source;
  std::string output;
  std::string registry;
  size_t connections = remote::DownloadOptions{}.num_connections;
  bool force = false;
};

// Flags before settings before the public sites.
remote::Registries ToRegistries(const Context& context, const PullFlags& flags) {
  remote::Registries out;
  const auto choose = [&](std::string& url, const std::string& setting) {
    if (!setting.empty()) url = setting;
    if (!flags.registry.empty()) url = flags.registry;
    while (url.ends_with('/')) url.pop_back();
  };
  choose(out.hugging_face, context.global.hugging_face_url);
  choose(out.ollama, context.global.ollama_url);
  if (const char* token = std::getenv("HF_TOKEN")) out.hugging_face_token = token;
  return out;
}

Result<fs::path> TargetOf(const Context& context, const PullFlags& flags,
                          const std::vector<remote::ModelFile>& files, const std::string& name) {
  if (!flags.output.empty()) {
    if (files.size() == 1) return fs::path(flags.output);
    return Fail(ErrorCode::kInvalidArgument, "--output: the model is of " +
                                                 std::to_string(files.size()) +
                                                 " files, which keep their names");
  }
  if (context.global.models.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "no models folder: HOME is not set; name one with VADE_MODELS");
  }
  std::error_code error;
  fs::create_directories(context.global.models, error);
  if (!error) return context.global.models / name;
  return Fail(ErrorCode::kIo,
              utf8::Escape(context.global.models.native()) + ": " + error.message());
}

// False if it was here already.
Result<bool> PullFile(const Context& context, const PullFlags& flags, const remote::ModelFile& file,
                      const fs::path& target) {
  std::error_code ignored;
  const bool same_size =
      fs::exists(target, ignored) && fs::file_size(target, ignored) == file.remote.size_bytes;
  if (same_size && !flags.force) return false;
  Progress progress("pulling", context.global.quiet);
  remote::DownloadOptions options{
      .replace = flags.force, .num_connections = flags.connections, .cancel = &context.cancel};
  options.on_progress = [&](uint64_t done, uint64_t total) {
    progress.Update(done, total, file.name + " " + FormatBytes(done) + " of " + FormatBytes(total));
  };
  options.on_note = [&](const std::string& note) {
    if (!context.global.quiet) std::cerr << utf8::Escape(file.name) << ": " << note << '\n';
  };
  if (file.remote.sha256.empty())
    options.on_note("no sha256 is published: only its size is checked");
  VADE_CHECK_OK(remote::Download(file.remote, target, options));
  return true;
}

int Report(const Context& context, const remote::ModelFile& file, const fs::path& target,
           bool is_new) {
  if (context.global.json) {
    std::cout << nlohmann::json{{"file", utf8::Repair(target.native())},
                                {"bytes", file.remote.size_bytes},
                                {"sha256", file.remote.sha256},
                                {"new", is_new}}
                     .dump()
              << '\n';
  } else if (!context.global.quiet) {
    std::cout << (is_new ? "wrote " : "here already: ") << utf8::Escape(target.native()) << ", "
              << FormatBytes(file.remote.size_bytes)
              << (is_new && !file.remote.sha256.empty() ? ", sha256 as published" : "") << '\n';
  }
  return kOk;
}

int RunPull(const Context& context, const PullFlags& flags) {
  const auto files =
      remote::FindModelFiles(flags.source, ToRegistries(context, flags), &context.cancel);
  if (!files) return FailInput(files.error());
  for (const remote::ModelFile& file : *files) {
    const auto target = TargetOf(context, flags, *files, file.name);
    if (!target) return FailInput(target.error());
    const auto pulled = PullFile(context, flags, file, *target);
    if (!pulled) {
      Error error = pulled.error();
      if (error.message.ends_with("exists already")) error.message += " (--force replaces it)";
      if (error.code == ErrorCode::kCancelled) error.message += "; the same command goes on";
      return FailInput(error);
    }
    Report(context, file, *target, *pulled);
  }
  if (!context.global.json && !context.global.quiet && flags.output.empty()) {
    std::cout << "use it as: vade ask -m " << files->front().name << " QUESTION\n";
  }
  return kOk;
}

}  // namespace

void RegisterModelPull(CLI::App& model, Context& context) {
  CLI::App* command = model.add_subcommand("pull", "A model from Hugging Face or Ollama");
  auto flags = std::make_shared<PullFlags>();
  command
      ->add_option("SOURCE", flags->source,
                   "hf://ORG/REPO/FILE.gguf[@REVISION] or ollama://NAME[:TAG]")
      ->required();
  command->add_option("-o,--output", flags->output,
                      "File to write; default: into the models folder, under its own name");
  command->add_option("--registry", flags->registry,
                      "Base URL instead of the public site (also VADE_HUGGING_FACE_URL, "
                      "VADE_OLLAMA_URL, config.toml)");
  command->add_option("--connections", flags->connections, "Ranges fetched at once")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  command->add_flag("--force", flags->force, "Fetch again and replace what is there");
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunPull(context, *flags); }; });
}

}  // namespace vade::qa
