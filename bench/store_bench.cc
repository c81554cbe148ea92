// How the store grows: chunks per second in, file size, memory, and p50/p95 of both searches, warm
// and for the first query, at 1,000, 10,000 and 100,000 chunks (or those named).
//
//   store_bench [CHUNKS...]
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "vectorstore/store.h"

namespace {

using Clock = std::chrono::steady_clock;
namespace vs = vade::vectorstore;

constexpr uint32_t kDimension = 384;
constexpr size_t kChunksPerDocument = 50;  // a manual of about 25 pages
constexpr size_t kWordsPerChunk = 120;
constexpr size_t kVocabulary = 50000;
constexpr size_t kQueries = 200;

double Milliseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Of this thread alone; the searches run on it. On a busy machine the clock on the wall says more
// about its neighbours.
double CpuMilliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

double ResidentMegabytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) * 1e-6;
}

// Words with Zipf's frequencies, as in natural text.
class Words {
 public:
  Words() {
    double sum = 0;
    for (size_t rank = 1; rank <= kVocabulary; ++rank) {
      cumulative_.push_back(sum += 1.0 / std::pow(static_cast<double>(rank), 1.07));
    }
  }
  std::string Draw(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution(0.0, cumulative_.back())(random);
    const auto rank = std::lower_bound(cumulative_.begin(), cumulative_.end(), at);
    return "w" + std::to_string(rank - cumulative_.begin());
  }

 private:
  std::vector<double> cumulative_;
};

std::vector<float> UnitVector(std::mt19937_64& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDimension);
  double squares = 0;
  for (float& x : vector) {
    x = normal(random);
    squares += double{x} * double{x};
  }
  for (float& x : vector) x *= static_cast<float>(1 / std::sqrt(squares));
  return vector;
}

vs::NewDocument MakeDocument(vs::CollectionId collection, size_t number, size_t chunks,
                             const Words& words, std::mt19937_64& random) {
  vs::NewDocument document;
  document.record.collection = collection;
  document.record.path = "d" + std::to_string(number) + ".md";
  for (size_t i = 0; i < chunks; ++i) {
    vs::ChunkRecord chunk;
    chunk.begin = document.text.size();
    for (size_t word = 0; word < kWordsPerChunk; ++word) document.text += words.Draw(random) + " ";
    chunk.end = document.text.size();
    chunk.heading_path = "Chapter > Section";
    document.chunks.push_back(chunk);
    const std::vector<float> vector = UnitVector(random);
    document.vectors.insert(document.vectors.end(), vector.begin(), vector.end());
  }
  return document;
}

template <typename T>
T OrDie(vade::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <typename Search>
void Measure(const char* name, const Search& search) {
  const auto first = Clock::now();
  search(0);
  const double first_ms = Milliseconds(first);
  for (size_t i = 1; i < kQueries; ++i) search(i);  // the terms' postings are now in memory
  std::vector<double> wall;
  std::vector<double> cpu;
  for (size_t i = 0; i < kQueries; ++i) {
    const auto start = Clock::now();
    const double cpu_start = CpuMilliseconds();
    search(i);
    cpu.push_back(CpuMilliseconds() - cpu_start);
    wall.push_back(Milliseconds(start));
  }
  std::sort(wall.begin(), wall.end());
  std::sort(cpu.begin(), cpu.end());
  const auto at = [](const std::vector<double>& times, size_t percent) {
    return times[times.size() * percent / 100];
  };
  std::printf("  %-8s first %8.2f ms, then p50 %7.3f p95 %7.3f ms (CPU %.3f and %.3f)\n", name,
              first_ms, at(wall, 50), at(wall, 95), at(cpu, 50), at(cpu, 95));
}

void Run(size_t chunks, const std::filesystem::path& path) {
  std::mt19937_64 random(7);
  const Words words;
  double store_ms = 0;
  double store_cpu_ms = 0;
  {
    const auto store = OrDie(vs::Store::Open(path, {}));
    OrDie(store->SetFingerprints({"random", "words", kDimension}));
    const auto collection = OrDie(store->AddCollection("/", "bench"));
    for (size_t done = 0, number = 0; done < chunks; ++number) {
      const size_t count = std::min(kChunksPerDocument, chunks - done);
      auto document = MakeDocument(collection.id, number, count, words, random);
      const auto start = Clock::now();
      const double cpu_start = CpuMilliseconds();
      OrDie(store->PutDocument(std::move(document)));
      store_cpu_ms += CpuMilliseconds() - cpu_start;
      store_ms += Milliseconds(start);
      done += count;
    }
    const auto start = Clock::now();
    OrDie(store->Optimize());
    store_ms += Milliseconds(start);
  }
  const double before_mb = ResidentMegabytes();
  const auto start = Clock::now();
  const auto store = OrDie(vs::Store::Open(path, {.read_only = true}));
  std::printf("%zu chunks: %.0f chunks/s in (%.0f per CPU second), %.1f MB, opened in %.1f ms\n",
              chunks, static_cast<double>(chunks) / store_ms * 1e3,
              static_cast<double>(chunks) / store_cpu_ms * 1e3,
              static_cast<double>(std::filesystem::file_size(path)) * 1e-6, Milliseconds(start));
  std::vector<std::string> questions(kQueries);
  std::vector<std::vector<float>> vectors;
  for (std::string& question : questions) {
    for (int i = 0; i < 5; ++i) question += words.Draw(random) + " ";
    vectors.push_back(UnitVector(random));
  }
  Measure("lexical", [&](size_t i) { OrDie(store->LexicalSearch(questions[i], 100)); });
  Measure("dense", [&](size_t i) { OrDie(store->DenseSearch(vectors[i], 100)); });
  std::printf("  memory of the open store %.0f MB\n", ResidentMegabytes() - before_mb);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<size_t> sizes = {1000, 10000, 100000};
  if (argc > 1) sizes.clear();
  for (int i = 1; i < argc; ++i) sizes.push_back(static_cast<size_t>(std::atol(argv[i])));
  std::string folder = (std::filesystem::temp_directory_path() / "store-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  for (const size_t chunks : sizes) {
    Run(chunks, std::filesystem::path(folder) / (std::to_string(chunks) + ".db"));
  }
  std::filesystem::remove_all(folder);
}
