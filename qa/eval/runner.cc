// Asking the questions of a collection: documents or units per mode, answers, losses.
#include "qa/eval/runner.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "qa/answer/answerer.h"
#include "qa/eval/ranking.h"
#include "qa/eval/unit_map.h"

namespace vade::qa::eval {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Ranks documents, or units of documents, for one question at a time.
class Asker {
 public:
  Asker(const Collection& collection, const IndexedCollection& indexed, embed::Embedder& embedder,
        const RunnerOptions& options)
      : collection_(collection),
        indexed_(indexed),
        retriever_(&indexed.store(), &embedder, options.reranker),
        units_(UnitIds(collection)) {
    search_.candidates =
        options.candidates == 0 ? DefaultCandidates(options.depth) : options.candidates;
    search_.k = options.depth;
    search_.rerank = options.rerank;
  }

  /// Locates the sections of every document; once, before the first question.
  Result<void> ReadTexts() {
    if (collection_.documents.empty()) return {};
    for (const auto& [id, path] : indexed_.ids()) {
      VADE_TRY(const std::string text, indexed_.store().GetText(id));
      units_.AddText(path, text);
    }
    return {};
  }

  Result<std::vector<Retrieved>> Ask(const Question& question, retriever::Mode mode) {
    search_.mode = mode;
    VADE_TRY(std::vector<Retrieved> hits,
             collection_.documents.empty() ? RankWhole(question) : RankUnits(question));
    // BEIR's rule for collections whose questions are documents themselves.
    std::erase_if(hits, [&](const Retrieved& hit) { return hit.doc == question.id; });
    return hits;
  }

 private:
  static std::vector<std::string> UnitIds(const Collection& collection) {
    std::vector<std::string> ids;
    if (collection.documents.empty()) return ids;
    for (const CorpusDocument& unit : collection.corpus) ids.push_back(unit.id);
    return ids;
  }

  Result<std::vector<Retrieved>> RankWhole(const Question& question) {
    VADE_TRY(const auto scores, retriever_.RankDocuments(question.text, search_));
    std::vector<Retrieved> hits;
    for (const auto& score : scores) {
      const auto id = indexed_.ids().find(score.document);
      if (id != indexed_.ids().end()) hits.push_back({id->second, score.score});
    }
    return hits;
  }

  /// Single chunks: merged or collapsed ones would stand for several units at one rank.
  Result<std::vector<Retrieved>> RankUnits(const Question& question) {
    retriever::SearchOptions search = search_;
    search.k = search.candidates;
    search.merge_neighbours = false;
    search.collapse_duplicates = false;
    VADE_TRY(const auto result, retriever_.Search(question.text, search));
    const auto judged = collection_.qrels.find(question.id);
    const std::span<const Judgment> judgments = judged == collection_.qrels.end()
                                                    ? std::span<const Judgment>()
                                                    : std::span<const Judgment>(judged->second);
    return units_.RankUnits(result.passages, judgments, search_.k);
  }

  const Collection& collection_;
  const IndexedCollection& indexed_;
  retriever::Retriever retriever_;
  UnitMap units_;
  retriever::SearchOptions search_;
};

Result<ArmInput> RunArm(const Collection& collection, Asker& asker, retriever::Mode mode,
                        const CancelToken& cancel, const RunnerProgress& progress) {
  ArmInput arm;
  arm.name = retriever::ModeName(mode);
  arm.run.tag = std::string("vade-").append(arm.name);
  size_t done = 0;
  for (const Question& question : collection.questions) {
    if (cancel.cancelled()) return Fail(ErrorCode::kCancelled, "interrupted");
    progress(std::string("Searching, ").append(arm.name), done++, collection.questions.size());
    if (!collection.qrels.contains(question.id)) continue;
    if (arm.run.queries.empty()) (void)asker.Ask(question, mode);  // caches warm, as in a session
    const auto start = Clock::now();
    VADE_TRY(std::vector<Retrieved> hits, asker.Ask(question, mode));
    arm.latency_ms[question.id] = MillisecondsSince(start);
    arm.run.queries[question.id] = std::move(hits);
  }
  return arm;
}

/// Lower case for the letters that have it in ASCII; FoldForQuote does the rest.
std::string Fold(std::string_view text) {
  std::string folded = FoldForQuote(text);
  for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return folded;
}

Result<void> AskAnswers(const Collection& collection, const IndexedCollection& indexed,
                        embed::Embedder& embedder, const RunnerOptions& runner,
                        const CancelToken& cancel, const RunnerProgress& progress,
                        ReportInput& input) {
  const Answerer answerer(&indexed.store(), &embedder, runner.reranker);
  AnswerOptions options;
  options.search.rerank = runner.rerank;
  input.evidence_threshold = options.threshold;
  size_t done = 0;
  for (const Question& question : collection.questions) {
    if (cancel.cancelled()) return Fail(ErrorCode::kCancelled, "interrupted");
    progress("Answering", done++, collection.questions.size());
    VADE_TRY(const Answer answer, answerer.Ask(question.text, options));
    AnswerOutcome outcome;
    outcome.refused = answer.refused;
    outcome.evidence = answer.evidence;
    if (!answer.refused) outcome.text = answer.Text();
    if (!question.answer_contains.empty() && !answer.refused) {
      outcome.contains = ContainsAll(outcome.text, question.answer_contains);
    }
    input.answers[question.id] = std::move(outcome);
  }
  return {};
}

size_t RankIn(const std::map<std::string, size_t, std::less<>>& ranks, const std::string& doc) {
  const auto found = ranks.find(doc);
  return found == ranks.end() ? 0 : found->second;
}

std::map<std::string, size_t, std::less<>> RanksOf(const Run& run, const std::string& query) {
  std::map<std::string, size_t, std::less<>> ranks;
  const auto found = run.queries.find(query);
  if (found == run.queries.end()) return ranks;
  size_t rank = 0;
  for (const size_t at : TrecOrder(found->second, ScorePrecision::kSingle)) {
    ranks[found->second[at].doc] = ++rank;
  }
  return ranks;
}

LossStage StageOf(const LostDocument& lost, size_t depth, bool indexed) {
  const auto within = [&](size_t rank) { return rank > 0 && rank <= depth; };
  if (within(lost.final_rank)) return LossStage::kFound;
  if (!indexed) return LossStage::kNotIndexed;
  if (within(lost.lexical_rank) || within(lost.dense_rank)) return LossStage::kFusionCut;
  return lost.lexical_rank + lost.dense_rank > 0 ? LossStage::kRankedLow : LossStage::kBothMissed;
}

const Run* FindRun(const ReportInput& input, retriever::Mode mode) {
  for (const ArmInput& arm : input.arms) {
    if (arm.name == retriever::ModeName(mode)) return &arm.run;
  }
  return nullptr;
}

void AddLost(const IndexedCollection& indexed, const RunnerOptions& options, ReportInput& input) {
  const Run* lexical = FindRun(input, retriever::Mode::kLexical);
  const Run* dense = FindRun(input, retriever::Mode::kDense);
  const Run* hybrid = FindRun(input, retriever::Mode::kHybrid);
  if (lexical == nullptr || dense == nullptr || hybrid == nullptr) return;
  std::set<std::string, std::less<>> documents;
  for (const auto& [id, path] : indexed.ids()) documents.insert(path);
  input.lost_depth = options.lost_depth;
  input.lost = FindLost(
      input.qrels, *lexical, *dense, *hybrid, options.lost_depth, [&](std::string_view doc) {
        return documents.contains(doc) || documents.contains(doc.substr(0, doc.find('#')));
      });
}

std::string HowRanked(const Collection& collection, const RunnerOptions& options) {
  const std::string depth = ", depth " + std::to_string(options.depth);
  return collection.documents.empty()
             ? "documents ranked by their best passage (max-passage)" + depth
             : "pages and sections ranked by their best passage" + depth;
}

}  // namespace

size_t DefaultCandidates(size_t depth) { return std::max<size_t>(100, 4 * depth); }

Result<ReportInput> RunCollection(Collection collection, const IndexedCollection& indexed,
                                  embed::Embedder& embedder, const RunnerOptions& options,
                                  const CancelToken& cancel, const RunnerProgress& progress) {
  ReportInput input;
  input.title = collection.name + " (" + collection.split + ")";
  input.ranking = HowRanked(collection, options);
  VADE_TRY(const auto counts, indexed.store().GetCounts());
  input.facts = {std::to_string(counts.documents) + " documents",
                 std::to_string(counts.chunks) + " chunks"};
  input.warnings = collection.warnings;
  input.warnings.insert(input.warnings.end(), indexed.warnings().begin(), indexed.warnings().end());
  Asker asker(collection, indexed, embedder, options);
  VADE_CHECK_OK(asker.ReadTexts());
  for (const retriever::Mode mode : options.modes) {
    VADE_TRY(ArmInput arm, RunArm(collection, asker, mode, cancel, progress));
    input.arms.push_back(std::move(arm));
  }
  const bool has_unanswerable =
      std::any_of(collection.questions.begin(), collection.questions.end(),
                  [](const Question& question) { return !question.answerable; });
  if (options.answers && has_unanswerable) {
    VADE_CHECK_OK(AskAnswers(collection, indexed, embedder, options, cancel, progress, input));
  }
  for (const CorpusDocument& document : collection.corpus) {
    input.document_titles[document.id] = document.title;
  }
  input.questions = std::move(collection.questions);
  input.qrels = std::move(collection.qrels);
  if (options.lost) AddLost(indexed, options, input);
  return input;
}

std::vector<LostDocument> FindLost(const Qrels& qrels, const Run& lexical, const Run& dense,
                                   const Run& final_run, size_t depth,
                                   const std::function<bool(std::string_view)>& indexed) {
  std::vector<LostDocument> all;
  for (const auto& [query, judgments] : qrels) {
    const auto lexical_ranks = RanksOf(lexical, query);
    const auto dense_ranks = RanksOf(dense, query);
    const auto final_ranks = RanksOf(final_run, query);
    for (const Judgment& judgment : judgments) {
      if (judgment.grade < 1) continue;
      LostDocument lost{query,
                        judgment.doc,
                        LossStage::kFound,
                        RankIn(lexical_ranks, judgment.doc),
                        RankIn(dense_ranks, judgment.doc),
                        RankIn(final_ranks, judgment.doc)};
      lost.stage = StageOf(lost, depth, indexed(judgment.doc));
      all.push_back(std::move(lost));
    }
  }
  return all;
}

bool ContainsAll(std::string_view answer, const std::vector<std::string>& wanted) {
  const std::string folded = Fold(answer);
  return std::all_of(wanted.begin(), wanted.end(), [&](std::string_view alternatives) {
    while (true) {
      const size_t bar = std::min(alternatives.find('|'), alternatives.size());
      if (folded.find(Fold(alternatives.substr(0, bar))) != std::string::npos) return true;
      if (bar == alternatives.size()) return false;
      alternatives.remove_prefix(bar + 1);
    }
  });
}

}  // namespace vade::qa::eval
