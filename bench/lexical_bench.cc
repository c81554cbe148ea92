// Quality and speed of the lexical index alone, on BEIR folders: nDCG@10 of whole documents and of
// documents cut into chunks of about 180 words (a document scores as its best chunk), for several
// weights of the document's own BM25 beside the chunk's.
//
//   lexical_bench FOLDER...     a FOLDER has corpus.jsonl, queries.jsonl, qrels/test.tsv
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "vectorstore/connection.h"
#include "vectorstore/lexical_tokenizer.h"
#include "vectorstore/posting_cache.h"
#include "vectorstore/scan_index.h"
#include "vectorstore/store.h"

namespace vade::vectorstore {
namespace {

constexpr size_t kWordsPerChunk = 180;
constexpr size_t kCutoff = 10;

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

struct Collection {
  std::vector<std::pair<std::string, std::string>> documents;  // id, text with its title
  std::vector<std::pair<std::string, std::string>> queries;
  std::map<std::string, std::map<std::string, int>> qrels;
};

Collection Load(const std::filesystem::path& folder) {
  Collection collection;
  std::string line;
  for (std::ifstream in(folder / "corpus.jsonl"); std::getline(in, line);) {
    const auto row = nlohmann::json::parse(line);
    std::string text = row.value("title", "");
    if (!text.empty()) text += "\n";
    collection.documents.emplace_back(row["_id"], text + row.value("text", ""));
  }
  for (std::ifstream in(folder / "queries.jsonl"); std::getline(in, line);) {
    const auto row = nlohmann::json::parse(line);
    collection.queries.emplace_back(row["_id"], row["text"]);
  }
  std::ifstream in(folder / "qrels" / "test.tsv");
  for (std::getline(in, line); std::getline(in, line);) {
    std::istringstream fields(line);
    std::string query, document;
    int grade = 0;
    fields >> query >> document >> grade;
    collection.qrels[query][document] = grade;
  }
  return collection;
}

// Chunk boundaries after every `words` words, none when words is 0.
std::vector<ChunkRecord> Cut(const std::string& text, size_t words) {
  std::vector<ChunkRecord> chunks;
  size_t begin = 0;
  size_t count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' && words > 0 && ++count == words) {
      chunks.push_back({.begin = begin, .end = i, .heading_path = {}, .context = {}});
      begin = i;
      count = 0;
    }
  }
  if (begin < text.size()) {
    chunks.push_back({.begin = begin, .end = text.size(), .heading_path = {}, .context = {}});
  }
  return chunks;
}

double Ndcg(const std::map<std::string, int>& grades, const std::vector<std::string>& ranking) {
  double gain = 0;
  for (size_t i = 0; i < std::min(ranking.size(), kCutoff); ++i) {
    const auto grade = grades.find(ranking[i]);
    if (grade != grades.end()) gain += grade->second / std::log2(static_cast<double>(i) + 2);
  }
  std::vector<int> ideal;
  for (const auto& [id, grade] : grades) ideal.push_back(grade);
  std::sort(ideal.rbegin(), ideal.rend());
  double best = 0;
  for (size_t i = 0; i < std::min(ideal.size(), kCutoff); ++i) {
    best += ideal[i] / std::log2(static_cast<double>(i) + 2);
  }
  return best > 0 ? gain / best : 0;
}

[[noreturn]] void Die(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message.c_str());
  std::exit(1);
}

template <typename T>
T OrDie(Result<T> result) {
  if (!result) Die(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void Measure(const Collection& collection, size_t words, const std::filesystem::path& path) {
  std::unordered_map<DocumentId, std::string> names;
  const auto start = Clock::now();
  {
    const auto store = OrDie(Store::Open(path, {.durable = false}));
    OrDie(store->SetFingerprints({"none", "words", 0}));
    const auto root = OrDie(store->AddCollection("/", "bench"));
    for (const auto& [id, text] : collection.documents) {
      NewDocument document;
      document.record.collection = root.id;
      document.record.path = id;
      document.text = text;
      document.chunks = Cut(text, words);
      names[OrDie(store->PutDocument(std::move(document)))] = id;
    }
    OrDie(store->Optimize());
  }
  const double build_ms = Milliseconds(Clock::now() - start);

  const Connection connection = OrDie(OpenReader(path, {}));
  ScanIndex index;
  OrDie(index.Refresh(connection.database, 1));
  PostingCache cache;
  for (const float weight : {0.0f, 0.25f, 0.5f, 1.0f, 2.0f}) {
    double ndcg = 0;
    size_t judged = 0;
    std::vector<double> times;
    for (const auto& [query_id, text] : collection.queries) {
      const auto grades = collection.qrels.find(query_id);
      if (grades == collection.qrels.end()) continue;
      const auto query_start = Clock::now();
      std::map<std::string, float> weights;
      for (const Token& token : Tokenize(text, TokenizeFor::kQuery)) weights[token.term] += 1;
      std::vector<WeightedTerm> terms;
      for (const auto& [term, count] : weights) {
        terms.push_back({OrDie(cache.Get(connection.database, index, term)), count});
      }
      std::vector<std::string> ranking;
      for (const Scored& hit : ScoreTerms(index, terms, 200, weight, {})) {
        const std::string& name = names[index.DocumentAt(hit.position).id];
        if (std::find(ranking.begin(), ranking.end(), name) == ranking.end()) {
          ranking.push_back(name);
        }
      }
      times.push_back(Milliseconds(Clock::now() - query_start));
      ndcg += Ndcg(grades->second, ranking);
      ++judged;
    }
    std::sort(times.begin(), times.end());
    std::printf(
        "  %s weight %.2f: nDCG@10 %.4f  (%zu queries, %llu chunks, p50 %.3f p95 %.3f ms)\n",
        words == 0 ? "documents" : "chunks   ", static_cast<double>(weight),
        ndcg / static_cast<double>(judged), judged,
        static_cast<unsigned long long>(index.live_chunks()), times[times.size() / 2],
        times[times.size() * 95 / 100]);
    if (words == 0) break;  // a document is its only chunk
  }
  std::printf("  built in %.0f ms, %.1f MB\n", build_ms,
              static_cast<double>(std::filesystem::file_size(path)) / 1e6);
}

}  // namespace
}  // namespace vade::vectorstore

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::string folder = (std::filesystem::temp_directory_path() / "lexical-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return 1;
    std::printf("%s\n", argv[i]);
    const auto collection = vade::vectorstore::Load(argv[i]);
    const std::filesystem::path path(folder);
    vade::vectorstore::Measure(collection, 0, path / "documents.db");
    vade::vectorstore::Measure(collection, vade::vectorstore::kWordsPerChunk, path / "chunks.db");
    std::filesystem::remove_all(path);
  }
}
