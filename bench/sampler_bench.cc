// User-CPU time of choosing a token from a large vocabulary: sampling chains, and grammar masks.
//
//   sampler_bench [vocab_size = 131072]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/runtime/grammar_matcher.h"
#include "engine/runtime/json_schema.h"
#include "engine/runtime/random.h"
#include "engine/runtime/sampler.h"
#include "engine/runtime/token_trie.h"

namespace vade::runtime {
namespace {

constexpr int kRuns = 25;

double CpuMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

template <typename Body>
void Report(const std::string& name, Body body) {
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) times.push_back(body(run));
  std::sort(times.begin(), times.end());
  std::printf("%-44s min %8.3f  median %8.3f  max %8.3f ms\n", name.c_str(), times.front(),
              times[times.size() / 2], times.back());
}

// Logits like a model's: roughly normal, a few far above the rest.
std::vector<float> MakeLogits(size_t vocab_size, Random& random) {
  std::vector<float> logits(vocab_size);
  for (float& logit : logits) {
    double sum = 0;
    for (int i = 0; i < 6; ++i) sum += random.NextUnit() - 0.5;
    logit = static_cast<float>(sum * 4);
  }
  for (int i = 0; i < 20; ++i) logits[random.Next() % vocab_size] += 8;
  return logits;
}

void MeasureSampling(const char* name, const SamplingOptions& options, size_t vocab_size) {
  Random random(1);
  const auto logits = MakeLogits(vocab_size, random);
  auto sampler = Sampler::Create(options, vocab_size);
  if (!sampler) std::exit(1);
  Report(name, [&](int) {
    auto scratch = logits;
    const double start = CpuMilliseconds();
    const auto sampled = sampler->Sample(scratch);
    const double took = CpuMilliseconds() - start;
    if (!sampled) std::exit(1);
    sampler->Accept(sampled->id);
    return took;
  });
}

// Words of letters that share beginnings, with and without a space before, digits, punctuation
// clusters, bytes, and some words of three-byte characters: the shape of a BPE vocabulary.
std::vector<std::string> MakeVocabulary(size_t vocab_size) {
  Random random(2);
  const char* syllables[] = {"re", "in", "con", "ation", "er", "ing", "un", "the", "st", "al",
                             "or", "is", "en",  "ment",  "ly", "pro", "ed", "ar",  "ic", "ous"};
  const char* marks[] = {"\"", "{", "}", "[", "]", ":", ",", "\n",
                         "  ", "/", "(", ")", "<", "=", "."};
  std::vector<std::string> texts;
  std::unordered_set<std::string> seen;
  for (int byte = 0; byte < 256; ++byte) texts.push_back(std::string(1, static_cast<char>(byte)));
  while (texts.size() < vocab_size) {
    std::string text;
    const uint64_t kind = random.Next() % 20;
    if (random.Next() % 2 == 0 && kind < 15) text = " ";
    const uint64_t parts = 1 + random.Next() % 4;
    for (uint64_t i = 0; i < parts; ++i) {
      if (kind < 15) {
        text += syllables[random.Next() % 20];
        if (random.Next() % 3 == 0) text += static_cast<char>('a' + random.Next() % 26);
      } else if (kind < 17) {
        text += {'\xEA', static_cast<char>(0xB0 + random.Next() % 12),
                 static_cast<char>(0x80 + random.Next() % 64)};
      } else if (kind < 19) {
        text += marks[random.Next() % 15];
        text += static_cast<char>('!' + random.Next() % 90);
      } else {
        text += std::to_string(random.Next() % 1000);
      }
    }
    if (seen.insert(text).second) texts.push_back(text);
  }
  return texts;
}

GrammarMatcher MakeMatcher(const std::string& gbnf, const TokenTrie& trie) {
  auto grammar = Grammar::Parse(gbnf);
  if (!grammar) std::exit(1);
  auto matcher = GrammarMatcher::Create(std::move(*grammar), trie, {});
  if (!matcher) std::exit(1);
  return std::move(*matcher);
}

// The masks of a whole text, token by token (here: byte by byte), as generation would ask for them.
void MeasureMasks(const char* name, const std::string& gbnf, const std::string& text,
                  const TokenTrie& trie) {
  std::vector<double> times;
  GrammarMatcher matcher = MakeMatcher(gbnf, trie);
  for (const char c : text) {
    const double start = CpuMilliseconds();
    if (!matcher.AllowedTokens()) std::exit(1);
    if (!matcher.Accept(static_cast<TokenId>(static_cast<unsigned char>(c)))) std::exit(1);
    times.push_back(CpuMilliseconds() - start);
  }
  double sum = 0;
  for (const double time : times) sum += time;
  const double first = times.front();
  std::sort(times.begin(), times.end());
  std::printf("%-44s first %7.3f  mean %8.3f  median %7.3f  max %8.3f ms\n", name, first,
              sum / static_cast<double>(times.size()), times[times.size() / 2], times.back());
}

void MeasureGrammars(size_t vocab_size) {
  const auto texts = MakeVocabulary(vocab_size);
  const double start = CpuMilliseconds();
  const TokenTrie trie(texts);
  std::printf("trie of %zu tokens: %zu nodes, built in %.1f ms\n", trie.vocab_size(),
              trie.nodes().size(), CpuMilliseconds() - start);
  const std::string text =
      "{\n  \"name\": \"a pump with two valves and a filter\",\n  \"parts\": [1, 22, 333],\n  "
      "\"ok\": "
      "true\n}";
  MeasureMasks("mask: any JSON object", JsonObjectGbnf(), text, trie);
  const auto schema = JsonSchemaGbnf(
      R"({"type":"object","properties":{"name":{"type":"string"},"parts":{"type":"array",
          "items":{"type":"integer"}},"ok":{"type":"boolean"}},"required":["name","parts","ok"]})");
  MeasureMasks("mask: schema", schema.value(), text, trie);
  const auto counted = JsonSchemaGbnf(
      R"({"type":"object","properties":{"name":{"type":"string","maxLength":200},"parts":{"type":
          "array","items":{"type":"integer"}},"ok":{"type":"boolean"}}})");
  MeasureMasks("mask: schema, maxLength 200 (every state new)", counted.value(), text, trie);
}

}  // namespace
}  // namespace vade::runtime

int main(int argc, char** argv) {
  using namespace vade::runtime;
  const size_t vocab_size = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 131072;
  if (vocab_size < 1000 || vocab_size > 1000000) return 2;
  SamplingOptions options;
  options.seed = 1;
  MeasureSampling("sample: defaults (top_k 40, top_p 0.9)", options, vocab_size);
  options.repeat_penalty = 1.1f;
  options.min_p = 0.05f;
  options.typical_p = 0.95f;
  MeasureSampling("sample: every step on, top_k 40", options, vocab_size);
  options.logprobs = true;
  options.top_logprobs = 5;
  MeasureSampling("sample: and logprobs", options, vocab_size);
  options = {.temperature = 0};
  MeasureSampling("sample: greedy", options, vocab_size);
  options = {.top_k = 0, .top_p = 0.95f};
  MeasureSampling("sample: top_k off, top_p 0.95", options, vocab_size);
  options = {.top_k = 0, .top_p = 1};
  MeasureSampling("sample: temperature only", options, vocab_size);
  MeasureGrammars(vocab_size);
}
