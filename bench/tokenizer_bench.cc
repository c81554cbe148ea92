// Tokenizing speed: megabytes of text per second of one vocabulary on one thread, medians of
// several runs; and texts made to be slow, in two sizes, whose times must double and not quadruple.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/file.h"
#include "engine/gguf/file.h"
#include "engine/tokenizer/tokenizer.h"

namespace {

using vade::tokenizer::Tokenizer;

struct Options {
  std::string model;
  std::string text;
  size_t megabytes = 4;
  size_t num_runs = 9;
  bool json = false;
};

double Seconds(const std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The file again and again, cut at a line.
std::string Repeat(const std::string& text, size_t num_bytes) {
  std::string out;
  while (out.size() < num_bytes) out += text;
  out.resize(std::min(out.size(), out.find('\n', num_bytes)));
  return out;
}

double EncodeSeconds(const Tokenizer& tokenizer, const std::string& text, size_t& num_tokens) {
  const auto start = std::chrono::steady_clock::now();
  num_tokens = tokenizer.Encode(text, false, false).size();
  return Seconds(start);
}

// How much longer a text of twice the size takes, the better of three.
double Growth(const Tokenizer& tokenizer, const std::string& unit) {
  constexpr size_t kBytes = size_t{1} << 19;
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    size_t num_tokens = 0;
    const double one = EncodeSeconds(tokenizer, Repeat(unit, kBytes), num_tokens);
    best = std::min(best, EncodeSeconds(tokenizer, Repeat(unit, 2 * kBytes), num_tokens) / one);
  }
  return best;
}

nlohmann::json Measure(const Options& options, const Tokenizer& tokenizer,
                       const std::string& text) {
  std::vector<double> speeds;
  size_t num_tokens = 0;
  for (size_t run = 0; run <= options.num_runs; ++run) {  // the first warms up
    const double seconds = EncodeSeconds(tokenizer, text, num_tokens);
    if (run > 0) speeds.push_back(static_cast<double>(text.size()) / 1e6 / seconds);
  }
  std::sort(speeds.begin(), speeds.end());
  nlohmann::json growth;
  for (const char* unit : {"a", " ", "ab", "1", "\xEA\xB0\x80", "<|", "' ", "aB"}) {
    growth[unit] = Growth(tokenizer, unit);
  }
  return {
      {"bytes", text.size()},
      {"tokens", num_tokens},
      {"runs", options.num_runs},
      {"megabytes_per_second",
       {{"min", speeds.front()}, {"median", speeds[speeds.size() / 2]}, {"max", speeds.back()}}},
      {"growth_when_doubled", growth}};
}

int Run(const Options& options) {
  const auto file = vade::gguf::File::Open(options.model);
  const auto text = vade::ReadFile(options.text);
  if (!file || !text || text->empty()) {
    std::fprintf(stderr, "%s\n",
                 !file   ? file.error().message.c_str()
                 : !text ? text.error().message.c_str()
                         : "the text is empty");
    return 3;
  }
  const auto start = std::chrono::steady_clock::now();
  const auto tokenizer = Tokenizer::Load(*file);
  const double load_ms = 1e3 * Seconds(start);
  if (!tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str());
    return 3;
  }
  nlohmann::json report = Measure(options, **tokenizer, Repeat(*text, options.megabytes << 20));
  report["model"] = file->name();
  report["load_ms"] = load_ms;
  if (options.json) {
    std::printf("%s\n", report.dump().c_str());
    return 0;
  }
  const auto& speed = report["megabytes_per_second"];
  std::printf("%s: loaded in %.0f ms, %zu MiB: %.1f / %.1f / %.1f MB/s (min / median / max)\n",
              file->name().c_str(), load_ms, options.megabytes, speed["min"].get<double>(),
              speed["median"].get<double>(), speed["max"].get<double>());
  for (const auto& [unit, growth] : report["growth_when_doubled"].items()) {
    std::printf("  \"%s\" repeated: twice the size takes %.2f times as long\n", unit.c_str(),
                growth.get<double>());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Tokenizing speed in megabytes per second, one thread");
  app.add_option("-m,--model", options.model, "GGUF file; a vocabulary is enough")->required();
  app.add_option("-f,--file", options.text, "text, repeated to the wanted size")->required();
  app.add_option("-s,--size", options.megabytes, "MiB of text")->check(CLI::PositiveNumber);
  app.add_option("-r,--runs", options.num_runs, "runs")->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "one JSON object");
  CLI11_PARSE(app, argc, argv);
  return Run(options);
}
