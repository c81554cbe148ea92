// vade model show: what a GGUF file holds, what running it here takes, or why it does not run.
#include "qa/cli/model_show.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/decoder_engine.h"
#include "engine/encoder_engine.h"
#include "engine/tokenizer/tokenizer.h"
#include "qa/cli/model_files.h"
#include "qa/cli/progress.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kShownValueBytes = 72;

struct ShowFlags {
  std::string path;
  size_t context_length = 0;
};

// What a language model takes with each way of keeping keys and values.
struct Need {
  const char* kv;
  engine::DecoderNeed need;
};

// How this program can use the model, or why it cannot, one reason a line.
struct Use {
  std::string kind;  // "language model", "embedder" or empty
  std::vector<Need> needs;
  std::vector<std::string> problems;
};

std::vector<std::string> UnreadableTypes(const gguf::File& file) {
  std::vector<std::string> out;
  for (const auto& [name, bytes] : SumUp(file).bytes_by_type) {
    if (quant::FindTensorType(name)->dequantize == nullptr) {
      out.push_back("tensors of type " + name + " cannot be read");
    }
  }
  return out;
}

// Asking the engine is the only check that cannot be wrong.
Result<std::vector<Need>> MeasureDecoder(const Context& context, const ShowFlags& flags,
                                         const std::string& path) {
  std::vector<Need> out;
  constexpr std::array<std::pair<const char*, engine::KvType>, 2> kTypes = {
      {{"f16", engine::KvType::kF16}, {"q8_0", engine::KvType::kQ8_0}}};
  for (const auto& [name, type] : kTypes) {
    VADE_TRY(engine::DecoderNeed need,
             engine::DecoderEngine::Measure(path, {.num_threads = context.global.threads,
                                                   .context_length = flags.context_length,
                                                   .kv_type = type}));
    out.push_back({name, need});
  }
  return out;
}

Use FindUse(const Context& context, const ShowFlags& flags, const gguf::File& file,
            const std::string& path) {
  Use use{.problems = UnreadableTypes(file)};
  const auto add = [&use](const std::string& problem) {
    if (std::ranges::find(use.problems, problem) == use.problems.end()) {
      use.problems.push_back(problem);
    }
  };
  const auto tokenizer = tokenizer::Tokenizer::Load(file);
  if (!tokenizer) add(tokenizer.error().message);
  const auto name = file.Find<std::string_view>("general.architecture");
  const std::string architecture(name && *name ? **name : std::string_view());
  const auto pooling = file.Find<uint32_t>(architecture + ".pooling_type");
  const bool pools = pooling && pooling->value_or(0) != 0;  // a decoder may, too
  if (pools || architecture.find("bert") != std::string::npos) {
    const auto encoder = engine::EncoderEngine::Load(path, {.num_threads = 1});
    if (!encoder) add(encoder.error().message);
    if (encoder) use.kind = "embedder";
    return use;
  }
  auto needs = MeasureDecoder(context, flags, path);
  if (!needs) add(needs.error().message);
  if (needs) use.needs = std::move(*needs);
  if (needs && use.problems.empty()) use.kind = "language model";
  return use;
}

json ToJson(const Need& need) {
  return {{"kv", need.kv},
          {"context_length", need.need.context_length},
          {"weights_bytes", need.need.memory.weights},
          {"cache_bytes", need.need.memory.cache},
          {"scratch_bytes", need.need.memory.scratch},
          {"total_bytes", need.need.memory.total()}};
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

void PrintJson(const gguf::File& file, const Use& use) {
  const Totals totals = SumUp(file);
  json out = {{"file", file.name()},
              {"version", file.version()},
              {"alignment", file.alignment()},
              {"parts", file.parts().size()},
              {"file_bytes", totals.file_bytes},
              {"parameters", totals.num_values},
              {"memory_bytes", totals.tensor_bytes},
              {"bytes_by_type", totals.bytes_by_type},
              {"usable_as", use.kind},
              {"memory", json::array()},
              {"metadata", json::object()},
              {"tensors", json::array()},
              {"problems", use.problems}};
  for (const Need& need : use.needs) out["memory"].push_back(ToJson(need));
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

void PrintNeed(const Need& need) {
  const auto& memory = need.need.memory;
  std::cout << "memory for " << need.need.context_length << " tokens (of "
            << need.need.trained_context_length << "), keys and values in " << need.kv << ": "
            << FormatBytes(memory.total()) << " = weights " << FormatBytes(memory.weights)
            << " + cache " << FormatBytes(memory.cache) << " + working memory "
            << FormatBytes(memory.scratch) << '\n';
}

void PrintTable(const gguf::File& file, const Use& use) {
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
  std::cout << '\n';
  for (const Need& need : use.needs) PrintNeed(need);
  for (const std::string& problem : use.problems) std::cout << "unsupported: " << problem << '\n';
  if (!use.kind.empty()) std::cout << "usable as " << use.kind << '\n';
}

int RunShow(const Context& context, const ShowFlags& flags) {
  const std::string path = FindModel(context, flags.path);
  const auto file = gguf::File::Open(path);
  if (!file) return FailInput(file.error());
  const Use use = FindUse(context, flags, *file, path);
  if (context.global.json) {
    PrintJson(*file, use);
  } else {
    PrintTable(*file, use);
  }
  return kOk;
}

}  // namespace

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

void RegisterModelShow(CLI::App& model, Context& context) {
  CLI::App* command =
      model.add_subcommand("show", "What a GGUF file holds, and what running it here takes");
  auto flags = std::make_shared<ShowFlags>();
  command->add_option("FILE", flags->path, "GGUF file, or the name of one in the models folder")
      ->required();
  command
      ->add_option("--context", flags->context_length,
                   "Tokens to reckon memory for (default: the model's, at most 4096)")
      ->check(CLI::Range(size_t{1}, size_t{1} << 24));
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunShow(context, *flags); }; });
}

}  // namespace vade::qa
