// Search, compose, weigh the evidence, prove the citations.
#include "qa/answer/answerer.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "qa/answer/prompt.h"
#include "retriever/query.h"
#include "retriever/stage_timer.h"

namespace vade::qa {
namespace {

// Passages an answer is made from. More bring in weaker sections for a rare gain.
constexpr size_t kMinPassages = 6;

bool HasDigit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Case-insensitive for ASCII.
bool ContainsWord(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(a) == lower(b);
  };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

double Share(size_t part, size_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// What the answer was made from, for the features.
struct Composed {
  const Question& question;
  const TermWeights& weights;
  const std::vector<Section>& sections;
  const std::vector<PieceGroup>& groups;
  const retriever::SearchResult& search;
};

double UnknownShare(const Composed& composed) {
  double unknown = 0;
  double total = 0;
  for (size_t i = 0; i < composed.weights.idf.size(); ++i) {
    total += composed.weights.idf[i];
    if (composed.weights.unknown[i]) unknown += composed.weights.idf[i];
  }
  return total > 0 ? unknown / total : 0;
}

/// Identifiers of the question that the answer's passages, titles or paths hold.
double HeldIdentifiers(const Composed& composed) {
  std::unordered_set<std::string> held;
  for (const PieceGroup& group : composed.groups) {
    const retriever::Passage& passage =
        composed.search.passages[composed.sections[group.section].passage];
    for (const std::string& text :
         {passage.text, passage.heading_path, passage.context, passage.title, passage.path}) {
      for (std::string& key : retriever::IdentifierKeys(text)) held.insert(std::move(key));
    }
    for (const Piece& piece : group.pieces) {  // a block may reach beyond its passage
      for (std::string& key : retriever::IdentifierKeys(piece.text)) held.insert(std::move(key));
    }
  }
  size_t found = 0;
  for (const std::string& key : composed.question.identifiers) found += held.count(key);
  return Share(found, composed.question.identifiers.size());
}

/// Names of the question that the answer's documents contain anywhere.
double HeldNames(const Composed& composed) {
  size_t found = 0;
  for (const std::string& name : composed.question.names) {
    found +=
        std::any_of(composed.groups.begin(), composed.groups.end(),
                    [&](const PieceGroup& group) {
                      const retriever::DocumentView& view = *composed.sections[group.section].view;
                      return ContainsWord(view.record.title, name) ||
                             ContainsWord(view.record.path, name) || ContainsWord(view.text, name);
                    })
            ? 1
            : 0;
  }
  return Share(found, composed.question.names.size());
}

EvidenceFeatures Features(const Composed& composed) {
  EvidenceFeatures features;
  features.best_cosine = composed.search.best_cosine;
  features.dense_trust = composed.search.dense_trust;
  features.unknown_share = UnknownShare(composed);
  features.identifier_share = HeldIdentifiers(composed);
  features.name_share = HeldNames(composed);
  const bool wants_value = composed.question.kind == QuestionKind::kNumber ||
                           composed.question.kind == QuestionKind::kTime;
  bool any_value = false;
  std::string answer_text;
  std::string passage_text;
  for (const PieceGroup& group : composed.groups) {
    const retriever::Passage& passage =
        composed.search.passages[composed.sections[group.section].passage];
    passage_text += passage.title + "\n" + passage.heading_path + "\n" + passage.text + "\n";
    for (const Piece& piece : group.pieces) {
      features.answer_cosine = std::max(features.answer_cosine, piece.cosine);
      answer_text += piece.setting + "\n" + piece.text + "\n";
      any_value |= HasDigit(piece.text);
    }
  }
  features.passage_coverage = composed.weights.Coverage(composed.question, TermIndex(passage_text));
  features.answer_coverage = composed.weights.Coverage(composed.question, TermIndex(answer_text));
  features.value_missing = wants_value && !any_value;
  return features;
}

Citation CitationOf(const PieceGroup& group, const Section& section,
                    const retriever::Passage& passage) {
  Citation citation;
  citation.document = passage.document;
  citation.path = passage.path;
  citation.title = passage.title;
  citation.heading_path = passage.heading_path;
  const std::string& heading = group.pieces.front().heading;
  if (!heading.empty() && !citation.heading_path.ends_with(heading)) {
    citation.heading_path += (citation.heading_path.empty() ? "" : " > ") + heading;
  }
  const Span quote = group.Quote();
  citation.begin = quote.begin;
  citation.end = quote.end;
  citation.quote = std::string(section.Text(quote));
  return citation;
}

/// Turns groups into numbered pieces and proven citations. A quote that no longer stands in the
/// store (its document was removed meanwhile) is dropped, not shown.
Result<void> Cite(const vectorstore::Store& store, const std::vector<Section>& sections,
                  const std::vector<PieceGroup>& groups, Answer& answer) {
  for (const PieceGroup& group : groups) {
    const Section& section = sections[group.section];
    Citation citation = CitationOf(group, section, answer.search.passages[section.passage]);
    const Result<void> verified = VerifyCitation(store, citation);
    if (!verified && verified.error().code != ErrorCode::kNotFound) {
      return tl::unexpected<Error>(verified.error());
    }
    if (citation.match == QuoteMatch::kAbsent) continue;
    citation.number = answer.citations.size() + 1;
    for (const Piece& piece : group.pieces) {
      answer.pieces.push_back({piece.kind, piece.text, citation.number, piece.score});
    }
    answer.citations.push_back(std::move(citation));
  }
  return {};
}

}  // namespace

std::string Answer::Text() const {
  std::string text;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const AnswerPiece& piece = pieces[i];
    const bool own_line = piece.kind != PieceKind::kSentence;
    const bool after_line = i > 0 && pieces[i - 1].kind != PieceKind::kSentence;
    if (i > 0) text += own_line || after_line ? "\n" : " ";
    text += piece.text;
    const bool last_of_citation =
        i + 1 == pieces.size() || pieces[i + 1].citation != piece.citation;
    if (last_of_citation) text += " [" + std::to_string(piece.citation) + "]";
  }
  return text;
}

Result<Answer> Answerer::Ask(std::string_view text, const AnswerOptions& options) const {
  Answer answer;
  const Question question = ReadQuestion(text);
  answer.language = question.language;
  answer.kind = question.kind;
  retriever::SearchOptions search = options.search;
  search.k = std::max(search.k, kMinPassages);
  VADE_TRY(answer.search, retriever::Retriever(store_, embedder_, reranker_).Search(text, search));
  answer.timings = answer.search.timings;
  for (retriever::Passage passage : options.carried) {
    if (HoldsPassage(answer.search.passages, passage)) continue;
    passage.score = answer.search.passages.empty() ? 0 : answer.search.passages.back().score;
    answer.search.passages.push_back(std::move(passage));
  }

  retriever::StageTimer timer(answer.timings);
  VADE_TRY(const TermWeights weights, WeighTerms(*store_, question));
  timer.Lap("terms");
  retriever::DocumentCache documents(store_);
  VADE_TRY(const std::vector<Section> sections, ReadSections(answer.search.passages, documents));
  std::vector<Piece> pieces = CollectPieces(question, sections, answer.search.passages);
  VADE_CHECK_OK(ScorePieces(question, weights, sections,
                            {embedder_, &answer.search.query_vector, answer.search.dense_trust},
                            pieces));
  timer.Lap("pieces");
  const std::vector<PieceGroup> groups = Compose(question, sections, pieces, options.max_sentences);
  answer.evidence.features = Features({question, weights, sections, groups, answer.search});
  answer.evidence.score = groups.empty() ? 0 : EvidenceScore(answer.evidence.features);
  answer.refused = groups.empty() || answer.evidence.score < options.threshold;
  if (!answer.refused) {
    VADE_CHECK_OK(Cite(*store_, sections, groups, answer));
    answer.refused = answer.citations.empty();
  }
  timer.Lap("compose");
  return answer;
}

}  // namespace vade::qa
