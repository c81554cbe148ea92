// Every heading style (size, weight) gets one level: the one that most of its members have by the
// outline or by their numbers ("3.2 Wiring" is level 2), else its rank by size. Levels never
// decrease with smaller type.
#include "ingest/pdf_headings.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "ingest/normalise.h"

namespace vade::ingest {
namespace {

constexpr size_t kMaxCoverTextBytes = 150;  // a subtitle or an address, no paragraph

// Case, spaces and punctuation do not matter when an outline title is looked up.
std::string Fold(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      out.push_back(static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte));
    }
  }
  return out;
}

// "3.2.1 Wiring" -> 3; "Chapter 4" and "4 Wiring" -> 1; 0 without a number.
uint32_t NumberDepth(std::string_view text) {
  uint32_t depth = 0;
  size_t i = 0;
  while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
    size_t digits = 0;
    while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
      ++i;
      ++digits;
    }
    if (digits > 3) return 0;
    ++depth;
    if (i < text.size() && text[i] == '.') ++i;
  }
  const bool separated = i < text.size() && (text[i] == ' ' || text[i] == '\n');
  return separated && depth > 0 ? std::min<uint32_t>(depth, 6) : 0;
}

// Signal words and captions are set in bold, but head nothing.
bool IsLabel(std::string_view text) {
  static const std::set<std::string, std::less<>> kSignals = {
      "warning", "caution", "danger", "note", "notice", "important", "tip",  "attention",
      "hint",    "경고",    "주의",   "위험", "참고",   "알림",      "중요", "팁"};
  if (kSignals.contains(Fold(text))) return true;
  for (const std::string_view caption : {"Table ", "Figure ", "Fig. ", "표 ", "그림 "}) {
    if (text.starts_with(caption) && text.size() > caption.size() &&
        std::isdigit(static_cast<unsigned char>(text[caption.size()])) != 0) {
      return true;
    }
  }
  return false;
}

bool HasLetter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalpha(byte) != 0;
  });
}

}  // namespace

PdfHeadings::PdfHeadings(const std::vector<std::vector<PdfBlock>>& pages,
                         const std::vector<OutlineEntry>& outline, const PdfBodyStyle& body) {
  for (const OutlineEntry& entry : outline) {
    std::string title = Fold(entry.title);
    if (!title.empty()) outline_.emplace(std::move(title), std::min<uint32_t>(entry.level, 6));
  }
  std::map<StyleKey, std::map<uint32_t, size_t>> votes;
  std::map<StyleKey, size_t> members;
  std::set<StyleKey> on_first_page;
  double largest = body.size * 1.2;
  for (size_t page_idx = 0; page_idx < pages.size(); ++page_idx) {
    for (const PdfBlock& block : pages[page_idx]) {
      if (!IsCandidate(block)) continue;
      const StyleKey key = KeyOf(block);
      ++members[key];
      if (page_idx == 0) on_first_page.insert(key);
      if (page_idx == 0 && block.size > largest) {
        largest = block.size;
        cover_title_ = JoinLines(block.text);
      }
      auto& vote = votes[key];
      const auto listed = outline_.find(Fold(block.text));
      if (listed != outline_.end()) vote[listed->second] += 3;
      if (const uint32_t depth = NumberDepth(block.text); depth > 0) ++vote[depth];
    }
  }
  // A style seen once, on the cover, is the title's: chapters must not sink below it. A first page
  // with running text is no cover.
  const bool has_cover = pages.size() > 1 &&
                         std::none_of(pages[0].begin(), pages[0].end(), [&](const PdfBlock& block) {
                           return !IsCandidate(block) && block.text.size() > kMaxCoverTextBytes;
                         });
  if (!has_cover) on_first_page.clear();
  for (const StyleKey& key : on_first_page) {
    if (members[key] == 1 && members.size() > 1 && votes[key].empty()) {
      level_of_style_[key] = 1;
      votes.erase(key);
    }
  }
  RankStyles(votes);
}

void PdfHeadings::RankStyles(const std::map<StyleKey, std::map<uint32_t, size_t>>& votes) {
  uint32_t level = 0;
  // The map ascends by size, then plain before bold: backwards is the order of importance.
  for (auto style = votes.rbegin(); style != votes.rend(); ++style) {
    uint32_t chosen = level + 1;
    size_t most = 0;
    for (const auto& [candidate, count] : style->second) {
      if (count > most) {
        most = count;
        chosen = candidate;
      }
    }
    level = std::clamp(std::max(level, chosen), uint32_t{1}, uint32_t{6});
    level_of_style_[style->first] = level;
  }
}

PdfHeadings::StyleKey PdfHeadings::KeyOf(const PdfBlock& block) {
  return {std::lround(std::min(block.size, 1000.0) * 2), block.bold};
}

bool PdfHeadings::IsCandidate(const PdfBlock& block) const {
  return block.kind == PdfBlock::Kind::kText && block.maybe_heading && HasLetter(block.text) &&
         !IsLabel(block.text);
}

std::optional<uint32_t> PdfHeadings::LevelOf(const PdfBlock& block) const {
  if (!IsCandidate(block)) return std::nullopt;
  const auto listed = outline_.find(Fold(block.text));
  if (listed != outline_.end()) return listed->second;
  const auto style = level_of_style_.find(KeyOf(block));
  if (style == level_of_style_.end()) return std::nullopt;
  return style->second;
}

}  // namespace vade::ingest
