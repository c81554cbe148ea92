// vade bench: how fast a language model loads, reads and writes on this machine.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "engine/decoder_engine.h"
#include "engine/kernels/isa.h"
#include "engine/session.h"
#include "qa/cli/context.h"
#include "qa/cli/generation_flags.h"
#include "qa/cli/progress.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct BenchFlags {
  ModelFlags model;
  size_t prompt_tokens = 512;
  size_t new_tokens = 64;
  size_t runs = 5;
};

struct Samples {
  std::vector<double> values;
  [[nodiscard]] double Quantile(double q) const {
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
  }
  [[nodiscard]] json ToJson() const {
    return {{"min", Quantile(0)}, {"median", Quantile(0.5)}, {"max", Quantile(1)}};
  }
};

struct Measured {
  Samples prefill;  // tokens per second
  Samples decode;
  Samples load_ms;
  Samples peak_bytes;
};

/// Writing 5 makes the kernel forget the peak so far.
void ForgetPeakMemory() { std::ofstream("/proc/self/clear_refs") << 5; }

double PeakMemoryBytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024;
  }
  return 0;
}

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Ids do not change the work; seeded, so that two runs do the same.
std::vector<tokenizer::TokenId> RandomPrompt(size_t count, size_t vocab_size) {
  std::mt19937 random(42);
  std::vector<tokenizer::TokenId> ids(count);
  for (auto& id : ids) id = static_cast<tokenizer::TokenId>(random() % vocab_size);
  return ids;
}

/// Load, prompt, answer: once. Plain decoding: guesses from a random prompt would be luck.
int MeasureOnce(const Context& context, const BenchFlags& flags, Measured& measured) {
  ForgetPeakMemory();
  const auto loading = Clock::now();
  int exit_code = kOk;
  const auto engine = LoadLanguageModel(context, flags.model, &exit_code);
  if (engine == nullptr) return exit_code;
  measured.load_ms.values.push_back(1000 * SecondsSince(loading));
  engine::Session session(*engine);
  engine::GenerateOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = flags.new_tokens + 1;  // the first comes from the prompt's own pass
  options.draft_tokens = 0;
  options.ignore_end = true;
  const auto prompt = RandomPrompt(flags.prompt_tokens, engine->vocab_size());
  const auto generation = session.Generate(prompt, options, {}, &context.cancel);
  if (!generation) return FailInput(generation.error());
  if (generation->reason == engine::StopReason::kCancelled) return kInterrupted;
  if (generation->reason != engine::StopReason::kMaxTokens) {
    return FailUsage("-n " + std::to_string(flags.new_tokens) + ": the context of " +
                     std::to_string(engine->context_length()) +
                     " tokens is full before (--context)");
  }
  measured.prefill.values.push_back(1000 * static_cast<double>(flags.prompt_tokens) /
                                    generation->prefill_ms);
  measured.decode.values.push_back(1000 * static_cast<double>(flags.new_tokens) /
                                   generation->decode_ms);
  measured.peak_bytes.values.push_back(PeakMemoryBytes());
  return kOk;
}

void PrintTable(const BenchFlags& flags, const Measured& measured, size_t threads) {
  std::printf("%s: %zu + %zu tokens, %zu runs, %zu threads, %s kernels\n", flags.model.path.c_str(),
              flags.prompt_tokens, flags.new_tokens, flags.runs, threads,
              std::string(kernels::IsaName(kernels::ActiveIsa())).c_str());
  std::printf("%-22s %10s %10s %10s\n", "", "min", "median", "max");
  const auto row = [](const char* name, const Samples& samples, double unit) {
    std::printf("%-22s %10.1f %10.1f %10.1f\n", name, samples.Quantile(0) / unit,
                samples.Quantile(0.5) / unit, samples.Quantile(1) / unit);
  };
  row("prefill, tokens/s", measured.prefill, 1);
  row("decode, tokens/s", measured.decode, 1);
  row("load, ms", measured.load_ms, 1);
  row("peak memory, MB", measured.peak_bytes, 1e6);
}

int RunBench(const Context& context, const BenchFlags& flags) {
  Measured measured;
  Progress progress("Measuring", context.global.quiet);
  for (size_t run = 0; run < flags.runs; ++run) {
    progress.Update(run, flags.runs, "runs");
    if (const int code = MeasureOnce(context, flags, measured)) return code;
  }
  const size_t threads = context.global.threads;
  if (!context.global.json) {
    PrintTable(flags, measured, threads);
    return kOk;
  }
  const json out = {{"model", flags.model.path},
                    {"prompt_tokens", flags.prompt_tokens},
                    {"new_tokens", flags.new_tokens},
                    {"runs", flags.runs},
                    {"prefill_tokens_per_second", measured.prefill.ToJson()},
                    {"decode_tokens_per_second", measured.decode.ToJson()},
                    {"load_ms", measured.load_ms.ToJson()},
                    {"peak_memory_bytes", measured.peak_bytes.ToJson()},
                    {"kernels", kernels::IsaName(kernels::ActiveIsa())},
                    {"threads", threads}};
  std::cout << out.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
  return kOk;
}

}  // namespace

void RegisterBench(CLI::App& app, Context& context) {
  auto flags = std::make_shared<BenchFlags>();
  CLI::App* command = app.add_subcommand("bench", "Measure a language model's speed and memory");
  AddModelFlags(*command, flags->model, true);
  command->add_option("-p,--prompt-tokens", flags->prompt_tokens, "Tokens of the prompt")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("-n,--new-tokens", flags->new_tokens, "Tokens to write")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("-r,--runs", flags->runs, "Runs, each loading the model anew")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunBench(context, *flags); }; });
}

}  // namespace vade::qa
