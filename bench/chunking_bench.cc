// Span retrieval on the five texts and 472 questions of Chroma's "Evaluating Chunking Strategies":
// how much of the gold spans do the top k chunks cover, and how much else do they carry?
//   recall      share of gold characters that are in a retrieved chunk
//   precision   share of retrieved characters that are gold
//   IoU         gold and retrieved over gold or retrieved
//   precision-omega   precision if every chunk that touches gold were retrieved, and nothing else
// Characters, not tokens, are counted. Usage: chunking_bench FOLDER [max:target ...]
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/file.h"
#include "ingest/chunker.h"
#include "ingest/extractor.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::bench {
namespace {

struct Span {
  uint64_t begin = 0, end = 0;
};

struct Question {
  std::string text;
  std::string corpus;
  std::vector<Span> gold;  // in the extracted text
};

// Rows of a CSV file with quoted fields.
std::vector<std::vector<std::string>> ParseCsv(std::string_view text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    std::string& field = rows.back().back();
    if (text[i] == '"') {
      if (quoted && i + 1 < text.size() && text[i + 1] == '"') {
        field += text[i++];
      } else {
        quoted = !quoted;
      }
    } else if (!quoted && text[i] == ',') {
      rows.back().emplace_back();
    } else if (!quoted && text[i] == '\n') {
      rows.emplace_back(1);
    } else if (quoted || text[i] != '\r') {
      field += text[i];
    }
  }
  return rows;
}

// Letters, digits and non-ASCII bytes of a text, and where each stood: extraction folds spaces and
// drops markup, the rest of the original stays in order.
struct Folded {
  std::string text;
  std::vector<uint64_t> origin;
};

Folded Fold(std::string_view text) {
  Folded out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (std::isalnum(c) == 0 && c < 0x80) continue;
    out.text.push_back(static_cast<char>(std::tolower(c)));
    out.origin.push_back(i);
  }
  return out;
}

struct Corpus {
  ingest::Document document;
  Folded folded;
};

bool Locate(const Corpus& corpus, std::string_view content, Span& span) {
  const Folded needle = Fold(content);
  const size_t at = corpus.folded.text.find(needle.text);
  if (needle.text.empty() || at == std::string::npos) return false;
  span.begin = corpus.folded.origin[at];
  span.end = corpus.folded.origin[at + needle.text.size() - 1] + 1;
  return true;
}

std::vector<Span> Union(std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(),
            [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<Span> out;
  for (const Span& span : spans) {
    if (!out.empty() && span.begin <= out.back().end) {
      out.back().end = std::max(out.back().end, span.end);
    } else {
      out.push_back(span);
    }
  }
  return out;
}

uint64_t Length(const std::vector<Span>& spans) {
  uint64_t sum = 0;
  for (const Span& span : spans) sum += span.end - span.begin;
  return sum;
}

uint64_t Overlap(const std::vector<Span>& a, const std::vector<Span>& b) {
  uint64_t sum = 0;
  for (const Span& x : a) {
    for (const Span& y : b) {
      const uint64_t begin = std::max(x.begin, y.begin);
      const uint64_t end = std::min(x.end, y.end);
      sum += end > begin ? end - begin : 0;
    }
  }
  return sum;
}

struct Means {
  double recall = 0, precision = 0, iou = 0;
  size_t count = 0;

  void Add(uint64_t gold, uint64_t found, uint64_t retrieved) {
    recall += static_cast<double>(found) / static_cast<double>(gold);
    if (retrieved > 0) precision += static_cast<double>(found) / static_cast<double>(retrieved);
    iou += static_cast<double>(found) / static_cast<double>(gold + retrieved - found);
    ++count;
  }
  void Print(const char* name) const {
    const double n = static_cast<double>(count) / 100;
    std::printf("  %-12s recall %5.1f  precision %5.1f  IoU %5.1f\n", name, recall / n,
                precision / n, iou / n);
  }
};

template <typename T>
T Must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "chunking_bench: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

std::map<std::string, Corpus> ReadCorpora(const std::filesystem::path& folder) {
  std::map<std::string, Corpus> corpora;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "corpora")) {
    const std::string bytes = Must(ReadFile(entry.path()));
    const std::string name = entry.path().filename().string();
    Corpus corpus;
    corpus.document = Must(ingest::ExtractMarkdown({.bytes = bytes, .file_name = name}));
    corpus.folded = Fold(corpus.document.text);
    corpora[entry.path().stem().string()] = std::move(corpus);
  }
  return corpora;
}

std::vector<Question> ReadQuestions(const std::filesystem::path& folder,
                                    const std::map<std::string, Corpus>& corpora) {
  std::vector<Question> questions;
  size_t missed = 0;
  const auto rows = ParseCsv(Must(ReadFile(folder / "questions_df.csv")));
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() < 3) continue;
    Question question{rows[i][0], rows[i][2], {}};
    const auto references = nlohmann::json::parse(rows[i][1], nullptr, false);
    for (const auto& reference : references) {
      Span span;
      if (Locate(corpora.at(question.corpus), reference.value("content", ""), span)) {
        question.gold.push_back(span);
      } else {
        ++missed;
      }
    }
    question.gold = Union(std::move(question.gold));
    if (!question.gold.empty()) questions.push_back(std::move(question));
  }
  std::printf("%zu questions, %zu gold spans not found in the extracted text\n", questions.size(),
              missed);
  return questions;
}

void PrintPrecisionOmega(const std::vector<Question>& questions,
                         const std::map<std::string, std::vector<Span>>& chunks) {
  double sum = 0;
  for (const Question& question : questions) {
    std::vector<Span> touched;
    for (const Span& chunk : chunks.at(question.corpus)) {
      if (Overlap({chunk}, question.gold) > 0) touched.push_back(chunk);
    }
    sum += static_cast<double>(Overlap(touched, question.gold)) /
           static_cast<double>(Length(Union(touched)));
  }
  std::printf("  precision-omega %.1f\n", 100 * sum / static_cast<double>(questions.size()));
}

void Run(const std::map<std::string, Corpus>& corpora, const std::vector<Question>& questions,
         const ingest::ChunkOptions& options, embed::Embedder& embedder) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("chunking_bench." + std::to_string(::getpid()) + ".db");
  const auto store = Must(vectorstore::Store::Open(path, {.durable = false}));
  if (!store->SetFingerprints({.embedder = embedder.fingerprint(),
                               .chunker = ingest::ChunkerFingerprint(options),
                               .dimension = static_cast<uint32_t>(embedder.dimension())})) {
    std::exit(1);
  }
  const auto collection = Must(store->AddCollection("bench", "bench"));
  std::map<std::string, std::vector<Span>> chunk_spans;
  std::map<vectorstore::DocumentId, std::string> names;
  size_t num_chunks = 0, num_tokens = 0;
  for (const auto& [name, corpus] : corpora) {
    vectorstore::DocumentRecord record;
    record.collection = collection.id;
    record.path = name;
    const auto chunks = ingest::ChunkDocument(corpus.document, options, [&](std::string_view text) {
      return embedder.CountTokens(text);
    });
    vectorstore::NewDocument document;
    document.record = record;
    document.text = corpus.document.text;
    std::vector<std::string> texts;
    for (const ingest::Chunk& chunk : chunks) {
      texts.push_back(ingest::EmbeddingText(chunk, corpus.document.text));
      chunk_spans[name].push_back({chunk.begin, chunk.end});
      num_tokens += chunk.token_count;
      document.chunks.push_back({.ordinal = chunk.ordinal,
                                 .begin = chunk.begin,
                                 .end = chunk.end,
                                 .token_count = chunk.token_count,
                                 .heading_path = chunk.heading_path,
                                 .context = chunk.context});
    }
    num_chunks += chunks.size();
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    document.vectors.resize(views.size() * embedder.dimension());
    if (!embedder.EmbedPassages(views, document.vectors)) std::exit(1);
    names[Must(store->PutDocument(std::move(document)))] = name;
  }
  std::printf("max %zu target %zu: %zu chunks, mean %.0f tokens\n", options.max_tokens,
              options.target_tokens, num_chunks,
              static_cast<double>(num_tokens) / static_cast<double>(num_chunks));
  const retriever::Retriever searcher(store.get(), &embedder);
  for (const retriever::Mode mode :
       {retriever::Mode::kLexical, retriever::Mode::kDense, retriever::Mode::kHybrid}) {
    retriever::SearchOptions search;
    search.mode = mode;
    search.collapse_duplicates = false;
    search.merge_neighbours = false;
    std::map<size_t, Means> means;
    for (const Question& question : questions) {
      const auto result = Must(searcher.Search(question.text, search));
      for (const size_t k : {5u, 10u}) {
        std::vector<Span> own;
        uint64_t retrieved = 0;
        for (size_t i = 0; i < std::min(k, result.passages.size()); ++i) {
          const auto& passage = result.passages[i];
          retrieved += passage.end - passage.begin;
          if (names[passage.document] == question.corpus)
            own.push_back({passage.begin, passage.end});
        }
        means[k].Add(Length(question.gold), Overlap(Union(own), question.gold), retrieved);
      }
    }
    for (const auto& [k, mean] : means) {
      mean.Print((std::string(retriever::ModeName(mode)) + "@" + std::to_string(k)).c_str());
    }
  }
  PrintPrecisionOmega(questions, chunk_spans);
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(path.string() + suffix, ignored);
  }
}

}  // namespace

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: chunking_bench FOLDER [max:target ...]\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // each size takes minutes: show it when done
  const auto corpora = ReadCorpora(argv[1]);
  const auto questions = ReadQuestions(argv[1], corpora);
  const auto embedder = Must(embed::Embedder::Open({}));
  std::vector<std::string> sizes(argv + 2, argv + argc);
  if (sizes.empty()) sizes = {"256:100", "256:150", "256:200", "256:250"};
  for (const std::string& size : sizes) {
    ingest::ChunkOptions options;
    options.special_tokens = embedder->special_tokens();
    options.max_tokens = std::strtoul(size.c_str(), nullptr, 10);
    const size_t colon = size.find(':');
    if (colon != std::string::npos) {
      options.target_tokens = std::strtoul(size.c_str() + colon + 1, nullptr, 10);
    }
    Run(corpora, questions, options, *embedder);
  }
  return 0;
}

}  // namespace vade::bench

int main(int argc, char** argv) { return vade::bench::Main(argc, argv); }
