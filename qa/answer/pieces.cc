// Collects and scores pieces: words by idf, meaning by cosine, form by the kind of question.
#include "qa/answer/pieces.h"

#include <algorithm>
#include <unordered_set>

#include "engine/base/utf8.h"
#include "retriever/query.h"

namespace vade::qa {
namespace {

// Pieces that are embedded: the best by words and by their passage. 40 cost about 0.1 s.
constexpr size_t kMaxEmbedded = 40;

// Weights of a piece's score; all parts lie in [0, 1]. Chosen on the development half of the demo
// questions; the order of the best piece is stable under +-0.1 of each.
constexpr double kOwnWords = 0.50;
constexpr double kSettingWords = 0.25;  // a word of the heading says less about one sentence in it
constexpr double kMeaning = 0.50;
constexpr double kPrior = 0.30;
constexpr double kForm = 0.15;
constexpr double kIdentifier = 0.60;

bool HasDigit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "8 bar", "5200 mAh", "+/- 3 %": a value, where "Space of four 8 TB drives" and "P200" are
/// labels.
bool LooksLikeValue(std::string_view cell) {
  constexpr size_t kMaxValueWords = 3;
  if (!HasDigit(cell) || !retriever::FindIdentifiers(cell).empty()) return false;
  const auto spaces = static_cast<size_t>(std::count(cell.begin(), cell.end(), ' '));
  return HasDigit(cell.substr(0, 1)) || spaces < kMaxValueWords;
}

/// The first row is a header when none of its cells is a value.
bool HasHeader(const Section& section, const TextBlock& table) {
  if (table.parts.size() < 2) return false;
  const std::vector<std::string_view> cells = SplitCells(section.Text(table.parts[0]));
  return cells.size() >= 2 && std::none_of(cells.begin(), cells.end(), LooksLikeValue);
}

/// Columns to show: all, or the first and those whose header holds a word of the question.
std::vector<bool> ShownColumns(const Question& question,
                               const std::vector<std::string_view>& header) {
  std::vector<bool> shown(header.size(), true);
  if (header.size() < 3) return shown;
  std::vector<bool> named(header.size(), false);
  bool any = false;
  for (size_t i = 1; i < header.size(); ++i) {
    const std::vector<std::string> keys = retriever::IdentifierKeys(header[i]);
    named[i] = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
      return std::find(question.identifiers.begin(), question.identifiers.end(), key) !=
             question.identifiers.end();
    });
    any |= named[i];
  }
  if (!any) return shown;
  named[0] = true;
  return named;
}

/// "Maximum pressure: 8 bar" for two columns, else "Code: E-204; Meaning: ...".
std::string ShowRow(const Question& question, const std::vector<std::string_view>& header,
                    const std::vector<std::string_view>& cells) {
  if (cells.size() == 2) return FoldSpace(std::string(cells[0]) + ": " + std::string(cells[1]));
  const std::vector<bool> shown = ShownColumns(question, header);
  std::string row;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].empty() || (i < shown.size() && !shown[i])) continue;
    if (!row.empty()) row += "; ";
    if (i < header.size() && !header[i].empty()) row += std::string(header[i]) + ": ";
    row += cells[i];
  }
  return FoldSpace(row);
}

/// "Table 5. Care plan" stands over a table, but it is no section.
bool IsCaption(std::string_view line) {
  return line.starts_with("Table ") || line.starts_with("Figure ") || line.starts_with("표 ") ||
         line.starts_with("그림 ");
}

class Collector {
 public:
  Collector(const Question& question, const std::vector<Section>& sections,
            const std::vector<retriever::Passage>& passages)
      : question_(question), sections_(sections), passages_(passages) {}

  std::vector<Piece> Take() {
    for (section_ = 0; section_ < sections_.size(); ++section_) {
      local_heading_.clear();
      for (block_ = 0; block_ < section().blocks.size(); ++block_) AddBlock();
    }
    return std::move(pieces_);
  }

 private:
  const Section& section() const { return sections_[section_]; }
  const TextBlock& block() const { return section().blocks[block_]; }

  void AddBlock() {
    switch (block().form) {
      case BlockForm::kHeading:
        local_heading_ = FoldSpace(section().Text(block().span));
        return;
      case BlockForm::kTable:
        return AddTable();
      case BlockForm::kList:
        return AddList();
      case BlockForm::kParagraph:
        for (size_t i = 0; i < block().parts.size(); ++i) {
          if (!LeadsIntoList(block_, i)) Add(PieceKind::kSentence, i, block().parts[i], {});
        }
    }
  }

  /// "To reset the pump:" before its steps is no answer without them.
  bool LeadsIntoList(size_t block, size_t part) const {
    const std::vector<TextBlock>& blocks = section().blocks;
    return block + 1 < blocks.size() && blocks[block + 1].form == BlockForm::kList &&
           part + 1 == blocks[block].parts.size() &&
           section().Text(blocks[block].parts[part]).ends_with(':');
  }

  void AddTable() {
    std::vector<std::string_view> header;
    const bool has_header = HasHeader(section(), block());
    if (has_header) header = SplitCells(section().Text(block().parts[0]));
    const std::string setting = has_header ? FoldSpace(section().Text(block().parts[0])) : "";
    for (size_t i = has_header ? 1 : 0; i < block().parts.size(); ++i) {
      Piece& piece = Add(PieceKind::kTableRow, i, block().parts[i], setting);
      piece.text = ShowRow(question_, header, SplitCells(section().Text(block().parts[i])));
    }
  }

  void AddList() {
    const std::string lead_in = LeadIn();
    for (size_t i = 0; i < block().parts.size(); ++i) {
      Add(PieceKind::kStep, i, block().parts[i], lead_in);
    }
    if (block().parts.size() < 2) return;
    Piece& list = Add(PieceKind::kStep, 0, block().span, lead_in);
    list.whole_list = true;
    if (lead_in.ends_with(':')) list.text = lead_in + " " + list.text;
  }

  std::string LeadIn() const {
    if (block_ == 0) return {};
    const TextBlock& before = section().blocks[block_ - 1];
    if (before.form != BlockForm::kParagraph || before.parts.empty()) return {};
    return FoldSpace(section().Text(before.parts.back()));
  }

  Piece& Add(PieceKind kind, size_t part, Span span, const std::string& setting) {
    Piece piece;
    piece.kind = kind;
    piece.section = section_;
    piece.block = block_;
    piece.part = part;
    piece.span = span;
    piece.text = FoldSpace(section().Text(span));
    for (const std::string& heading : section().headings) piece.setting += heading + ". ";
    piece.setting += local_heading_ + ". " + setting;
    piece.heading = IsCaption(local_heading_) ? "" : local_heading_;
    const std::string& heading =
        local_heading_.empty() ? section().headings.back() : local_heading_;
    piece.near = setting.empty() ? heading : heading + ". " + setting;
    const double best = passages_.front().score;
    const double own = passages_[section().passage].score;
    piece.prior = best > 0 ? std::clamp(own / best, 0.0, 1.0) : 1;
    pieces_.push_back(std::move(piece));
    return pieces_.back();
  }

  const Question& question_;
  const std::vector<Section>& sections_;
  const std::vector<retriever::Passage>& passages_;
  size_t section_ = 0;
  size_t block_ = 0;
  std::string local_heading_;  // the last heading line before block_ inside the section
  std::vector<Piece> pieces_;
};

/// How well the form of a piece fits what is asked for, in [-1, 1].
double FormFit(const Question& question, const Piece& piece) {
  switch (question.kind) {
    case QuestionKind::kProcedure:
      return piece.whole_list ? 1 : 0;
    case QuestionKind::kNumber:
    case QuestionKind::kTime:
      if (piece.whole_list) return -1;
      return HasDigit(piece.text) ? 1 : -0.5;
    case QuestionKind::kFact:
    case QuestionKind::kPlace:
    case QuestionKind::kReason:
    case QuestionKind::kYesNo:
      break;
  }
  return 0;
}

/// Identifiers of the question that name none of the documents, and so say where to look.
std::vector<std::string> LocatingIdentifiers(const Question& question,
                                             const std::vector<Section>& sections) {
  std::vector<std::string> locating = question.identifiers;
  for (const Section& section : sections) {
    for (const std::string& key : section.identifiers) std::erase(locating, key);
  }
  return locating;
}

double HeldShare(const std::vector<std::string>& identifiers, std::string_view text) {
  if (identifiers.empty()) return 0;
  const std::vector<std::string> held = retriever::IdentifierKeys(text);
  size_t found = 0;
  for (const std::string& key : identifiers) {
    found += std::find(held.begin(), held.end(), key) != held.end() ? 1 : 0;
  }
  return static_cast<double>(found) / static_cast<double>(identifiers.size());
}

void ScoreByWords(const Question& question, const TermWeights& weights, const Section& section,
                  const std::vector<std::string>& locating, Piece& piece) {
  const TermIndex whole(piece.setting + "\n" + piece.text);
  piece.coverage = weights.Coverage(question, whole);
  const double own = weights.Coverage(question, TermIndex(piece.text), section.name);
  const double with_setting = weights.Coverage(question, whole, section.name);
  piece.score = kOwnWords * own + kSettingWords * (with_setting - own) + kPrior * piece.prior +
                kForm * FormFit(question, piece) + kIdentifier * HeldShare(locating, piece.text);
}

/// What stands for a piece before the embedder: its nearest heading, then itself.
std::string TextToEmbed(const Piece& piece, const embed::Embedder& embedder) {
  const std::string text = piece.near + ". " + piece.text;
  return std::string(retriever::FitToEmbedder(text, embedder).text);
}

}  // namespace

std::string FoldSpace(std::string_view text) {
  std::string folded;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) {
      folded += c;
    } else if (!folded.empty() && folded.back() != ' ') {
      folded += ' ';
    }
  }
  if (!folded.empty() && folded.back() == ' ') folded.pop_back();
  return folded;
}

std::string_view Section::Text(Span span) const {
  return std::string_view(view->text).substr(span.begin, span.end - span.begin);
}

Result<std::vector<Section>> ReadSections(const std::vector<retriever::Passage>& passages,
                                          retriever::DocumentCache& documents) {
  std::vector<Section> sections;
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < passages.size(); ++i) {
    Section section;
    section.passage = i;
    VADE_TRY(section.view, documents.Get(passages[i].document));
    section.headings = SplitHeadingPath(passages[i].heading_path);
    section.headings.insert(section.headings.begin(), passages[i].title);
    const std::string name = passages[i].title + "\n" + passages[i].path;
    section.name = TermIndex(name);
    section.identifiers = retriever::IdentifierKeys(name);
    section.blocks =
        BlocksAround(section.view->text, {passages[i].begin, passages[i].end}, section.headings);
    std::erase_if(section.blocks, [&](const TextBlock& block) {
      return !seen.insert(std::to_string(passages[i].document) + ":" +
                          std::to_string(block.span.begin))
                  .second;
    });
    sections.push_back(std::move(section));
  }
  return sections;
}

std::vector<Piece> CollectPieces(const Question& question, const std::vector<Section>& sections,
                                 const std::vector<retriever::Passage>& passages) {
  if (passages.empty()) return {};
  return Collector(question, sections, passages).Take();
}

Result<void> ScorePieces(const Question& question, const TermWeights& weights,
                         const std::vector<Section>& sections, const PieceEmbedding& embedding,
                         std::vector<Piece>& pieces) {
  const std::vector<std::string> locating = LocatingIdentifiers(question, sections);
  for (Piece& piece : pieces) {
    ScoreByWords(question, weights, sections[piece.section], locating, piece);
  }
  const auto better = [](const Piece& a, const Piece& b) { return a.score > b.score; };
  std::stable_sort(pieces.begin(), pieces.end(), better);
  if (embedding.embedder == nullptr || embedding.query_vector->empty() || embedding.trust <= 0) {
    return {};
  }
  const size_t count = std::min(kMaxEmbedded, pieces.size());
  const size_t dimension = embedding.embedder->dimension();
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    texts.push_back(TextToEmbed(pieces[i], *embedding.embedder));
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<float> vectors(count * dimension);  // [count, dimension]
  VADE_CHECK_OK(embedding.embedder->EmbedPassages(views, vectors));
  for (size_t i = 0; i < count; ++i) {
    double cosine = 0;
    for (size_t d = 0; d < dimension; ++d) {
      cosine += static_cast<double>(vectors[i * dimension + d]) *
                static_cast<double>((*embedding.query_vector)[d]);
    }
    pieces[i].cosine = cosine;
    pieces[i].score += kMeaning * embedding.trust * std::max(0.0, cosine);
  }
  std::stable_sort(pieces.begin(), pieces.end(), better);
  return {};
}

}  // namespace vade::qa
