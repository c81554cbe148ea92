// The stages of a search, in order: lexical, dense, fusion, bonuses, passages.
#include "retriever/retriever.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/base/utf8.h"
#include "retriever/fusion.h"
#include "retriever/names.h"
#include "retriever/passages.h"
#include "retriever/query.h"
#include "retriever/rerank.h"
#include "retriever/stage_timer.h"

namespace vade::retriever {
namespace {

using vectorstore::Hit;

// Share of the dense arm in the fused score when the embedder knows the question's language.
constexpr double kDenseWeight = 0.5;
// Hits of the extra search for the question's identifiers alone.
constexpr size_t kIdentifierHits = 30;
// Hits of the extra search for the words that name documents; what is beyond earned next to
// nothing.
constexpr size_t kNameHits = 1000;

bool HasContent(std::string_view question) {
  return question.find_first_not_of(" \t\r\n\v\f") != std::string_view::npos;
}

/// One search on its way; its parts are Search and RankDocuments.
class Ranking {
 public:
  Ranking(const vectorstore::Store& store, embed::Embedder* embedder, Reranker* reranker,
          SharedDocuments* documents, const SearchOptions& options, LexicalPart part,
          SearchResult& trace)
      : store_(store),
        embedder_(embedder),
        reranker_(reranker),
        options_(options),
        part_(part),
        trace_(trace),
        documents_(&store, documents) {}

  Result<std::vector<Candidate>> Run(std::string_view raw_question) {
    if (!HasContent(raw_question)) {
      return Fail(ErrorCode::kInvalidArgument, "question: empty, expected at least one word");
    }
    const std::string question = utf8::Repair(raw_question);
    StageTimer timer(trace_.timings);
    std::vector<Hit> lexical;
    std::vector<Hit> dense;
    if (options_.mode != Mode::kDense) {
      VADE_TRY(lexical, store_.LexicalSearch(question, options_.candidates, options_.filter));
      timer.Lap("lexical");
    }
    if (options_.mode != Mode::kLexical) {
      VADE_TRY(dense, SearchDense(question));
      timer.Lap("dense");
    }
    trace_.lexical_candidates = lexical.size();
    trace_.dense_candidates = dense.size();
    std::vector<Candidate> candidates = Unite(lexical, dense, part_);
    if (options_.mode == Mode::kHybrid) {
      VADE_CHECK_OK(Fuse(question, candidates, timer));
    } else {
      for (Candidate& candidate : candidates) {
        candidate.score = (candidate.lexical ? candidate.lexical : candidate.dense)->score;
      }
    }
    SortByScore(candidates);
    if (reranker_ != nullptr) {
      VADE_CHECK_OK(Rerank(*reranker_, question, options_.rerank, store_, documents_, candidates));
      timer.Lap("rerank");
    }
    return candidates;
  }

  DocumentCache& documents() { return documents_; }

 private:
  Result<std::vector<Hit>> SearchDense(const std::string& question) {
    if (embedder_ == nullptr) {
      if (options_.mode == Mode::kHybrid) return std::vector<Hit>{};
      return Fail(ErrorCode::kInvalidArgument, "dense search: no embedder is loaded");
    }
    trace_.dense_trust = embedder_->Coverage(question);
    trace_.dense_weight = 1;
    if (options_.mode == Mode::kHybrid) {
      trace_.dense_weight = kDenseWeight * trace_.dense_trust;
      if (trace_.dense_weight <= 0) return std::vector<Hit>{};
    }
    const FittedQuestion fitted = FitToEmbedder(question, *embedder_);
    if (fitted.shortened) {
      trace_.warnings.push_back(
          "question has more than " + std::to_string(embedder_->max_tokens()) +
          " tokens: the dense search used its first " + std::to_string(fitted.text.size()) +
          " of " + std::to_string(question.size()) + " bytes, the lexical search all of it");
    }
    VADE_TRY(trace_.query_vector, embedder_->EmbedQuery(fitted.text));
    VADE_TRY(std::vector<Hit> hits,
             store_.DenseSearch(trace_.query_vector, options_.candidates, options_.filter));
    if (!hits.empty()) trace_.best_cosine = static_cast<double>(hits.front().score);
    return hits;
  }

  /// A lexical hit outside the dense list has a cosine too; taking it as 0 would punish it.
  Result<void> CompleteDense(std::vector<Candidate>& candidates) {
    if (trace_.query_vector.empty()) return {};
    for (Candidate& candidate : candidates) {
      if (candidate.dense) continue;
      VADE_TRY(const std::vector<float> vector, store_.GetVector(candidate.chunk));
      double cosine = 0;
      for (size_t i = 0; i < vector.size() && i < trace_.query_vector.size(); ++i) {
        cosine += static_cast<double>(vector[i]) * static_cast<double>(trace_.query_vector[i]);
      }
      candidate.dense = StageScore{0, cosine};
    }
    return {};
  }

  Result<void> Fuse(const std::string& question, std::vector<Candidate>& candidates,
                    StageTimer& timer) {
    VADE_CHECK_OK(CompleteDense(candidates));
    VADE_TRY(const std::vector<DocumentName> names, NamesOf(store_, candidates));
    const std::string naming = NamingWords(question, names);
    if (!naming.empty()) {
      VADE_TRY(const std::vector<Hit> hits,
               store_.LexicalSearch(naming, kNameHits, options_.filter));
      AddNameCredit(question, names, hits, part_, candidates);
    }
    timer.Lap("names");
    FuseScores(candidates, trace_.dense_weight);
    VADE_CHECK_OK(FavourIdentifiers(question, names, candidates));
    timer.Lap("fusion");
    return {};
  }

  Result<void> FavourIdentifiers(const std::string& question,
                                 const std::vector<DocumentName>& names,
                                 std::vector<Candidate>& candidates) {
    const std::vector<std::string> locating = LocatingIdentifiers(IdentifierKeys(question), names);
    if (locating.empty()) return {};
    std::string query;
    for (const Identifier& identifier : FindIdentifiers(question)) {
      query += question.substr(identifier.begin, identifier.end - identifier.begin) + " ";
    }
    VADE_TRY(const std::vector<Hit> hits,
             store_.LexicalSearch(query, kIdentifierHits, options_.filter));
    return AddIdentifierBonus(store_, locating, hits, documents_, candidates);
  }

  const vectorstore::Store& store_;
  embed::Embedder* embedder_;
  Reranker* reranker_;
  const SearchOptions& options_;
  const LexicalPart part_;
  SearchResult& trace_;
  DocumentCache documents_;
};

}  // namespace

std::optional<Mode> ParseMode(std::string_view name) {
  if (name == "lexical") return Mode::kLexical;
  if (name == "dense") return Mode::kDense;
  if (name == "hybrid") return Mode::kHybrid;
  return std::nullopt;
}

std::string_view ModeName(Mode mode) {
  switch (mode) {
    case Mode::kLexical:
      return "lexical";
    case Mode::kDense:
      return "dense";
    case Mode::kHybrid:
      break;
  }
  return "hybrid";
}

Result<SearchResult> Retriever::Search(std::string_view question,
                                       const SearchOptions& options) const {
  SearchResult result;
  Ranking ranking(*store_, embedder_, reranker_, documents_, options, LexicalPart::kPassageOnly,
                  result);
  VADE_TRY(const std::vector<Candidate> ranked, ranking.Run(question));
  StageTimer timer(result.timings);
  VADE_TRY(result.passages, BuildPassages(*store_, ranked, options, ranking.documents()));
  timer.Lap("passages");
  return result;
}

Result<std::vector<DocumentScore>> Retriever::RankDocuments(std::string_view question,
                                                            const SearchOptions& options) const {
  SearchResult trace;
  Ranking ranking(*store_, embedder_, reranker_, documents_, options, LexicalPart::kWithDocument,
                  trace);
  VADE_TRY(const std::vector<Candidate> ranked, ranking.Run(question));
  std::vector<DocumentScore> documents;
  std::unordered_set<vectorstore::DocumentId> seen;
  for (const Candidate& candidate : ranked) {
    if (documents.size() == options.k) break;
    if (seen.insert(candidate.document).second) {
      documents.push_back({candidate.document, candidate.score});
    }
  }
  return documents;
}

}  // namespace vade::retriever
