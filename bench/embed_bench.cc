// Embedding speed: tokens per second of one model on chunks of equal length, medians of several
// runs. How to set it beside llama-bench: README.md.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "engine/encoder_engine.h"
#include "engine/kernels/isa.h"

namespace {

using vade::engine::EncoderEngine;
using vade::engine::TokenId;

struct Options {
  std::string model;
  size_t num_threads = 0;
  size_t chunk_tokens = 128;
  size_t num_chunks = 256;
  size_t num_runs = 9;
  bool json = false;
};

// Ids do not change the work; seeded, so that two runs do the same.
std::vector<std::vector<TokenId>> RandomChunks(const Options& options) {
  std::mt19937 random(42);
  std::uniform_int_distribution<TokenId> id(5, 400);
  std::vector<std::vector<TokenId>> chunks(options.num_chunks,
                                           std::vector<TokenId>(options.chunk_tokens));
  for (auto& chunk : chunks) {
    for (TokenId& token : chunk) token = id(random);
  }
  return chunks;
}

int Report(const Options& options, const EncoderEngine& engine, std::vector<double> speeds) {
  std::sort(speeds.begin(), speeds.end());
  const double median = speeds[speeds.size() / 2];
  const std::string kernels(vade::kernels::IsaName(vade::kernels::ActiveIsa()));
  if (options.json) {
    const nlohmann::json report = {
        {"model", engine.name()},
        {"kernels", kernels},
        {"threads", options.num_threads},
        {"chunk_tokens", options.chunk_tokens},
        {"chunks", options.num_chunks},
        {"runs", options.num_runs},
        {"tokens_per_second",
         {{"min", speeds.front()}, {"median", median}, {"max", speeds.back()}}}};
    std::printf("%s\n", report.dump().c_str());
  } else {
    std::printf(
        "%s, %s kernels, %zu x %zu tokens, %zu runs: %.0f / %.0f / %.0f tokens/s "
        "(min / median / max)\n",
        std::string(engine.name()).c_str(), kernels.c_str(), options.num_chunks,
        options.chunk_tokens, options.num_runs, speeds.front(), median, speeds.back());
  }
  return 0;
}

int Run(const Options& options) {
  const auto engine = EncoderEngine::Load(options.model, {.num_threads = options.num_threads});
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().message.c_str());
    return 3;
  }
  const auto chunks = RandomChunks(options);
  std::vector<float> out(chunks.size() * (*engine)->dimension());
  const double num_tokens = static_cast<double>(options.num_chunks * options.chunk_tokens);
  std::vector<double> speeds;
  for (size_t run = 0; run <= options.num_runs; ++run) {  // the first warms up
    const auto start = std::chrono::steady_clock::now();
    if (const auto done = (*engine)->Embed(chunks, out); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      return 1;
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (run > 0) speeds.push_back(num_tokens / seconds.count());
  }
  return Report(options, **engine, std::move(speeds));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Embedding speed in tokens per second");
  app.add_option("-m,--model", options.model, "GGUF encoder")->required();
  app.add_option("-t,--threads", options.num_threads, "0: all usable cores");
  app.add_option("-p,--tokens", options.chunk_tokens, "tokens of a chunk")
      ->check(CLI::PositiveNumber);
  app.add_option("-n,--chunks", options.num_chunks, "chunks of a run")->check(CLI::PositiveNumber);
  app.add_option("-r,--runs", options.num_runs, "runs")->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "one JSON object");
  CLI11_PARSE(app, argc, argv);
  return Run(options);
}
