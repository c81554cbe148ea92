// Continuous batching: tokens per second of all replies together, by the number of clients that ask
// at once. Each has a prompt of its own of PROMPT tokens and takes TOKENS, drawn greedily and
// without guessing.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "engine/decoder_engine.h"
#include "engine/kernels/isa.h"
#include "engine/scheduler.h"

namespace {

using namespace vade::engine;  // NOLINT: a program of one file
using Clock = std::chrono::steady_clock;

struct Flags {
  std::string model;
  size_t threads = 0;
  size_t prompt = 128;
  size_t tokens = 64;
  size_t repeat = 3;
  float temperature = 0;
  std::vector<size_t> clients = {1, 4, 16, 64};
};

struct Round {
  double seconds = 0;
  size_t tokens = 0;
  std::vector<double> first_ms;  // from asking to the first text
};

std::vector<TokenId> Prompt(size_t length, size_t vocab, std::mt19937& random) {
  std::uniform_int_distribution<TokenId> draw(300, static_cast<TokenId>(vocab) - 1);
  std::vector<TokenId> prompt(length);
  for (TokenId& id : prompt) id = draw(random);
  return prompt;
}

vade::Result<Round> RunRound(Scheduler& scheduler, const Flags& flags, size_t num_clients,
                             size_t vocab, std::mt19937& random) {
  GenerateOptions options;
  options.sampling.temperature = flags.temperature;
  options.sampling.seed = 1;
  options.max_tokens = flags.tokens;
  options.draft_tokens = 0;
  options.ignore_end = true;
  std::vector<std::vector<TokenId>> prompts;
  for (size_t i = 0; i < num_clients; ++i) prompts.push_back(Prompt(flags.prompt, vocab, random));
  std::vector<vade::Result<Generation>> results(num_clients);
  std::vector<std::thread> clients;
  const auto started = Clock::now();
  for (size_t i = 0; i < num_clients; ++i) {
    clients.emplace_back([&, i] { results[i] = scheduler.Generate(prompts[i], options, {}); });
  }
  for (std::thread& client : clients) client.join();
  Round round;
  round.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  for (const auto& result : results) {
    if (!result) return tl::unexpected(result.error());
    round.tokens += result->tokens.size();
    round.first_ms.push_back(result->queue_ms + result->prefill_ms);
  }
  return round;
}

int Measure(const Flags& flags) {
  const size_t most = *std::ranges::max_element(flags.clients);
  DecoderOptions options{.num_threads = flags.threads};
  options.cache_tokens = most * (flags.prompt + flags.tokens + 64);
  const auto engine = DecoderEngine::Load(flags.model, options);
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().message.c_str());
    return 1;
  }
  Scheduler scheduler(**engine, {.max_parallel = most, .max_queue = most});
  std::mt19937 random(7);
  std::printf("%s, %zu threads, %zu + %zu tokens, median of %zu\n", flags.model.c_str(),
              (*engine)->num_threads(), flags.prompt, flags.tokens, flags.repeat);
  std::printf("clients  tokens/s  of one  first token ms (p50, p95)\n");
  double of_one = 0;
  for (const size_t num_clients : flags.clients) {
    std::vector<Round> rounds;
    for (size_t i = 0; i < flags.repeat; ++i) {
      const auto round = RunRound(scheduler, flags, num_clients, (*engine)->vocab_size(), random);
      if (!round) {
        std::fprintf(stderr, "%s\n", round.error().message.c_str());
        return 1;
      }
      rounds.push_back(*round);
    }
    std::ranges::sort(rounds, {}, &Round::seconds);
    Round& median = rounds[rounds.size() / 2];
    std::ranges::sort(median.first_ms);
    const double rate = static_cast<double>(median.tokens) / median.seconds;
    if (of_one == 0) of_one = rate;
    std::printf("%7zu  %8.1f  %5.2fx  %8.1f %8.1f\n", num_clients, rate, rate / of_one,
                median.first_ms[median.first_ms.size() / 2],
                median.first_ms[median.first_ms.size() * 95 / 100]);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app{"Tokens per second by the number of clients"};
  app.add_option("model", flags.model, "GGUF file")->required();
  app.add_option("--threads", flags.threads);
  app.add_option("--prompt", flags.prompt)->capture_default_str();
  app.add_option("--tokens", flags.tokens)->capture_default_str();
  app.add_option("--temperature", flags.temperature)->capture_default_str();
  app.add_option("--repeat", flags.repeat)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--clients", flags.clients, "Numbers of clients")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return Measure(flags);
}
