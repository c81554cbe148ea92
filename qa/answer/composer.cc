// The best piece decides the form of the answer; what else is taken must be nearly as good.
#include "qa/answer/composer.h"

#include <algorithm>
#include <array>
#include <optional>

namespace vade::qa {
namespace {

// A second sentence or row is worth its place when it scores this share of the best.
constexpr double kNearlyAsGood = 0.88;
// Steps of one procedure; a longer list is given up to here and its citation shows the rest.
constexpr size_t kMaxSteps = 30;
constexpr size_t kMaxRows = 3;

/// A sentence that begins so leans on the one before it.
bool LeansBack(std::string_view text) {
  static constexpr std::array<std::string_view, 16> kOpenings = {
      "It ",    "They ", "This ",    "These ",   "Then ",        "Otherwise", "If so",  "However",
      "Those ", "That ", "To do so", "Doing so", "In this case", "이때",      "그러면", "이 경우"};
  return std::any_of(kOpenings.begin(), kOpenings.end(),
                     [&](std::string_view opening) { return text.starts_with(opening); });
}

const TextBlock& BlockOf(const std::vector<Section>& sections, const Piece& piece) {
  return sections[piece.section].blocks[piece.block];
}

/// A part of a block as a piece of its own, with the scores of `model`.
Piece PartAs(const std::vector<Section>& sections, const Piece& model, size_t block, size_t part,
             PieceKind kind) {
  const Section& section = sections[model.section];
  Piece piece = model;
  piece.kind = kind;
  piece.whole_list = false;
  piece.block = block;
  piece.part = part;
  piece.span = section.blocks[block].parts[part];
  piece.text = FoldSpace(section.Text(piece.span));
  return piece;
}

/// The next block that continues a numbered list: "4." after "3.", with at most one note between.
std::optional<size_t> Continuation(const Section& section, size_t block, int last_number) {
  constexpr size_t kMaxNotesBetween = 1;
  for (size_t next = block + 1; next <= block + 1 + kMaxNotesBetween; ++next) {
    if (next >= section.blocks.size()) return std::nullopt;
    const TextBlock& candidate = section.blocks[next];
    if (candidate.form == BlockForm::kHeading || candidate.form == BlockForm::kTable) {
      return std::nullopt;
    }
    if (candidate.form != BlockForm::kList) continue;
    const bool follows = ItemNumber(section.Text(candidate.parts.front())) == last_number + 1;
    return follows && last_number > 0 ? std::optional(next) : std::nullopt;
  }
  return std::nullopt;
}

int LastNumber(const Section& section, const TextBlock& list) {
  int number = 0;
  for (const Span& part : list.parts) number = std::max(number, ItemNumber(section.Text(part)));
  return number;
}

/// Lead-in, all items, and the lists that continue the numbering.
PieceGroup WholeList(const std::vector<Section>& sections, const Piece& list) {
  const Section& section = sections[list.section];
  PieceGroup group{list.section, {}};
  if (list.block > 0) {
    const TextBlock& before = section.blocks[list.block - 1];
    if (before.form == BlockForm::kParagraph && !before.parts.empty() &&
        section.Text(before.parts.back()).ends_with(':')) {
      group.pieces.push_back(
          PartAs(sections, list, list.block - 1, before.parts.size() - 1, PieceKind::kLeadIn));
    }
  }
  for (std::optional<size_t> block = list.block; block;) {
    const TextBlock& items = section.blocks[*block];
    for (size_t i = 0; i < items.parts.size() && group.pieces.size() <= kMaxSteps; ++i) {
      group.pieces.push_back(PartAs(sections, list, *block, i, PieceKind::kStep));
    }
    block = Continuation(section, *block, LastNumber(section, items));
    if (block && section.blocks[*block - 1].form == BlockForm::kParagraph) {
      for (size_t i = 0; i < section.blocks[*block - 1].parts.size(); ++i) {
        group.pieces.push_back(PartAs(sections, list, *block - 1, i, PieceKind::kSentence));
      }
    }
  }
  return group;
}

/// Chosen pieces in reading order: passages by their best piece, inside one by place.
std::vector<PieceGroup> Arrange(const std::vector<Section>& sections, std::vector<Piece> chosen) {
  std::vector<size_t> section_order;
  for (const Piece& piece : chosen) {
    if (std::find(section_order.begin(), section_order.end(), piece.section) ==
        section_order.end()) {
      section_order.push_back(piece.section);
    }
  }
  const auto place = [&](const Piece& piece) {
    const auto at = std::find(section_order.begin(), section_order.end(), piece.section);
    return std::pair(at - section_order.begin(), piece.span.begin);
  };
  std::sort(chosen.begin(), chosen.end(),
            [&](const Piece& a, const Piece& b) { return place(a) < place(b); });
  std::vector<PieceGroup> groups;
  for (Piece& piece : chosen) {
    const bool joins = !groups.empty() && groups.back().section == piece.section &&
                       groups.back().pieces.back().block == piece.block &&
                       groups.back().pieces.back().part + 1 == piece.part &&
                       BlockOf(sections, piece).form != BlockForm::kTable;
    if (!joins) groups.push_back({piece.section, {}});
    groups.back().pieces.push_back(std::move(piece));
  }
  return groups;
}

bool AlreadyTaken(const std::vector<Piece>& chosen, const Piece& piece) {
  return std::any_of(chosen.begin(), chosen.end(), [&](const Piece& other) {
    return other.text == piece.text || (other.section == piece.section &&
                                        other.block == piece.block && other.part == piece.part);
  });
}

}  // namespace

std::vector<PieceGroup> Compose(const Question& question, const std::vector<Section>& sections,
                                const std::vector<Piece>& pieces, size_t max_sentences) {
  if (pieces.empty()) return {};
  const Piece& best = pieces.front();
  // One step of a procedure is no answer to "how do I ...".
  const bool step_of_procedure = question.kind == QuestionKind::kProcedure &&
                                 BlockOf(sections, best).form == BlockForm::kList &&
                                 BlockOf(sections, best).numbered;
  if (best.whole_list || step_of_procedure) return {WholeList(sections, best)};

  const bool rows = best.kind == PieceKind::kTableRow;
  // Running text that explains how: steps are sentences, and two more of them help.
  const size_t extra = question.kind == QuestionKind::kProcedure && !rows ? 2 : 0;
  const size_t limit = rows ? std::min(kMaxRows, max_sentences) : max_sentences + extra;
  std::vector<Piece> chosen;
  for (const Piece& piece : pieces) {
    if (chosen.size() >= std::max<size_t>(limit, 1) || piece.score < kNearlyAsGood * best.score) {
      break;
    }
    if (piece.whole_list || AlreadyTaken(chosen, piece)) continue;
    if (rows != (piece.kind == PieceKind::kTableRow)) continue;
    if (piece.part > 0 && piece.kind == PieceKind::kSentence && LeansBack(piece.text)) {
      Piece before = PartAs(sections, piece, piece.block, piece.part - 1, PieceKind::kSentence);
      if (!AlreadyTaken(chosen, before)) chosen.push_back(std::move(before));
    }
    chosen.push_back(piece);
  }
  return Arrange(sections, std::move(chosen));
}

}  // namespace vade::qa
