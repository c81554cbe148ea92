// Load on a running `vade serve`: generation by 1 to 64 clients, searches, searches beside idle and
// slow connections, hang-ups, a soak. Prints one line a measurement.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/raw_http.h"

namespace {

using nlohmann::json;
using vade::testing::JsonRequest;
using vade::testing::RawAnswer;
using vade::testing::RawHttp;
using Clock = std::chrono::steady_clock;

constexpr int kPatience = 300;  // seconds that one of many clients waits for its turn

struct Options {
  uint16_t port = 11435;
  std::string model;
  size_t prompt_words = 60;
  size_t max_tokens = 64;
  size_t requests = 4;  // of each client
  double seconds = 10;
  size_t connections = 500;
  std::string questions;
  std::string mode = "hybrid";
  int pid = 0;
};

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double Percentile(std::vector<double> values, double percent) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(percent / 100 * static_cast<double>(values.size())))];
}

std::string Prompt(size_t words, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  for (size_t i = 0; i < words; ++i) text += " word" + std::to_string(random() % 1000);
  return text;
}

struct Streamed {
  double first_ms = 0;
  size_t tokens = 0;
};

/// One streamed completion.
Streamed Complete(RawHttp& client, const Options& options, unsigned seed) {
  const json body = {{"model", options.model},
                     {"prompt", Prompt(options.prompt_words, seed)},
                     {"max_tokens", options.max_tokens},
                     {"seed", seed},
                     {"stream", true},
                     {"stream_options", {{"include_usage", true}}}};
  const auto started = Clock::now();
  client.Send(JsonRequest("POST", "/v1/completions", body.dump()));
  Streamed out;
  std::string seen;
  while (seen.find("[DONE]") == std::string::npos) {
    const std::string more = client.ReadSome();
    if (more.empty()) return out;
    seen += more;
    if (out.first_ms == 0 && seen.find("data: ") != std::string::npos) {
      out.first_ms = 1000 * SecondsSince(started);
    }
  }
  const std::string mark = "\"completion_tokens\":";
  if (const size_t at = seen.rfind(mark); at != std::string::npos) {
    out.tokens = std::stoul(seen.substr(at + mark.size()));
  }
  // The end of the chunked body.
  while (!seen.ends_with("0\r\n\r\n")) {
    const std::string more = client.ReadSome();
    if (more.empty()) break;
    seen += more;
  }
  return out;
}

double Generate(const Options& options, size_t clients) {
  std::vector<std::thread> threads;
  std::vector<std::vector<double>> first(clients);
  std::atomic<size_t> tokens = 0, failed = 0;
  const auto started = Clock::now();
  for (size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      RawHttp client(options.port, kPatience);
      for (size_t r = 0; r < options.requests; ++r) {
        const Streamed one = Complete(client, options, static_cast<unsigned>(1000 * i + r + 1));
        first[i].push_back(one.first_ms);
        tokens += one.tokens;
        failed += one.tokens == 0 ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double seconds = SecondsSince(started);
  std::vector<double> all;
  for (const auto& each : first) all.insert(all.end(), each.begin(), each.end());
  const double rate = static_cast<double>(tokens) / seconds;
  std::printf(
      "generate  %3zu clients  %7.2f requests/s  %8.1f tokens/s  first token p50 %7.1f ms  p95 "
      "%7.1f ms  failed %zu\n",
      clients, static_cast<double>(all.size()) / seconds, rate, Percentile(all, 50),
      Percentile(all, 95), failed.load());
  std::fflush(stdout);
  return rate;
}

std::vector<std::string> ReadQuestions(const std::string& path) {
  std::vector<std::string> out;
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    const json query = json::parse(line, nullptr, false);
    if (query.is_object()) out.push_back(query.value("text", ""));
  }
  if (out.empty()) out = {"reset the pump", "change the nozzle", "error code"};
  return out;
}

/// Searches for a while; each question is made different unless `repeat`.
double Search(const Options& options, const char* name, size_t clients, double seconds,
              bool repeat) {
  const std::vector<std::string> questions = ReadQuestions(options.questions);
  std::vector<std::vector<double>> times(clients);
  std::vector<std::thread> threads;
  std::atomic<size_t> failed = 0;
  const auto started = Clock::now();
  for (size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      RawHttp client(options.port);
      std::mt19937 random(static_cast<unsigned>(i));
      while (SecondsSince(started) < seconds) {
        std::string question = questions[random() % questions.size()];
        if (!repeat) question += " " + std::to_string(random());
        const json body = {{"question", question}, {"mode", options.mode}};
        const auto one = Clock::now();
        const RawAnswer answer = client.Ask(JsonRequest("POST", "/api/v1/search", body.dump()));
        if (answer.status != 200) ++failed;
        times[i].push_back(1000 * SecondsSince(one));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double elapsed = SecondsSince(started);
  std::vector<double> all;
  for (const auto& each : times) all.insert(all.end(), each.begin(), each.end());
  const double p95 = Percentile(all, 95);
  std::printf(
      "search    %-22s %3zu clients  %8.0f requests/s  p50 %6.2f ms  p95 %6.2f ms  failed %zu\n",
      name, clients, static_cast<double>(all.size()) / elapsed, Percentile(all, 50), p95,
      failed.load());
  std::fflush(stdout);
  return p95;
}

/// Idle and slow connections beside the searches.
void SearchBesideIdle(const Options& options) {
  const double before = Search(options, "alone", 4, options.seconds, false);
  std::vector<std::unique_ptr<RawHttp>> idle;
  for (size_t i = 0; i < options.connections; ++i) {
    idle.push_back(std::make_unique<RawHttp>(options.port));
    if (i % 2 == 0) idle.back()->Send("POST /api/v1/search HTTP/1.1\r\nHost: local");
  }
  const double after = Search(options, "beside idle and slow", 4, options.seconds, false);
  std::printf("idle      %zu connections: p95 %.2f times as long\n", options.connections,
              after / before);
}

/// How long after a hang-up the handler is free again.
void HangUp(const Options& options) {
  std::vector<double> times;
  for (unsigned i = 0; i < 20; ++i) {
    RawHttp client(options.port);
    const json body = {{"model", options.model},
                       {"prompt", Prompt(options.prompt_words, i)},
                       {"stream", true},
                       {"max_tokens", 4000}};
    client.Send(JsonRequest("POST", "/v1/completions", body.dump()));
    (void)client.ReadSome();
    client.Close();
    const auto closed = Clock::now();
    while (true) {
      RawHttp other(options.port);
      const json models =
          json::parse(other.Ask(JsonRequest("GET", "/api/v1/models")).body, nullptr, false);
      size_t busy = 0;
      for (const json& model : models.value("loaded", json::array()))
        busy += model.value("requests", size_t{0});
      if (busy == 0 || SecondsSince(closed) > 30) break;
    }
    times.push_back(1000 * SecondsSince(closed));
  }
  std::printf("hang-up   slot free after p50 %.1f ms, worst %.1f ms\n", Percentile(times, 50),
              Percentile(times, 100));
}

long ResidentKb(int pid) {
  std::ifstream stream("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

/// Of its runners, which any of its threads may have started.
long ChildrensResidentKb(int pid) {
  long total = 0;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream stream(task.path() / "children");
    for (int child = 0; stream >> child;) total += ResidentKb(child);
  }
  return total;
}

/// Everything at once for a while; memory of the server at each tenth.
void Soak(const Options& options) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      RawHttp client(options.port);
      for (unsigned r = 0; !stop; ++r) (void)Complete(client, options, 100 * i + r % 50);
    });
  }
  threads.emplace_back([&] {
    while (!stop) (void)Search(options, "soak", 2, options.seconds / 10, false);
  });
  for (int step = 0; step <= 10; ++step) {
    std::printf("soak      %3.0f s  resident: server %ld kB, runners %ld kB\n",
                options.seconds * step / 10, ResidentKb(options.pid),
                ChildrensResidentKb(options.pid));
    std::fflush(stdout);
    if (step < 10) std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds / 10));
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Load on a running vade serve"};
  Options options;
  std::string what;
  app.add_option("WHAT", what, "generate, search, idle, hang-up or soak")->required();
  app.add_option("--port", options.port);
  app.add_option("-m,--model", options.model);
  app.add_option("--prompt-words", options.prompt_words);
  app.add_option("--max-tokens", options.max_tokens);
  app.add_option("--requests", options.requests);
  app.add_option("--seconds", options.seconds);
  app.add_option("--connections", options.connections);
  app.add_option("--questions", options.questions, "queries.jsonl of a BEIR collection");
  app.add_option("--mode", options.mode);
  app.add_option("--pid", options.pid, "The server's, for its memory");
  CLI11_PARSE(app, argc, argv);
  if (what == "generate") {
    double one = 0;
    for (const size_t clients : {size_t{1}, size_t{4}, size_t{16}, size_t{64}}) {
      const double rate = Generate(options, clients);
      if (clients == 1) one = rate;
      std::printf("          %.2f times one client\n", rate / one);
    }
  } else if (what == "search") {
    for (const size_t clients : {size_t{1}, size_t{4}, size_t{16}})
      (void)Search(options, "new questions", clients, options.seconds, false);
    for (const size_t clients : {size_t{1}, size_t{4}, size_t{16}})
      (void)Search(options, "asked again", clients, options.seconds, true);
  } else if (what == "idle") {
    SearchBesideIdle(options);
  } else if (what == "hang-up") {
    HangUp(options);
  } else if (what == "soak") {
    Soak(options);
  } else {
    std::fprintf(stderr, "unknown measurement %s\n", what.c_str());
    return 2;
  }
}
