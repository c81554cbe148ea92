// Break costs are relative to the price of a chunk of no size at all, which is 1 (see chunker.cc).
#include "ingest/chunk_pieces.h"

#include <algorithm>

#include "engine/base/utf8.h"
#include "ingest/sentences.h"

namespace vade::ingest {
namespace {

constexpr float kAfterHeading = 4.0f;  // a heading never stays behind alone
constexpr float kAfterLeadIn = 0.5f;   // "Do the following:" belongs to its list
constexpr float kBetweenParagraphs = 0.05f;
constexpr float kBetweenSentences = 0.2f;
constexpr float kBetweenClauses = 0.6f;
constexpr float kBetweenWords = 1.0f;
constexpr float kInsideWord = 2.0f;
// Inside a list, table or listing that would fit a chunk whole, and inside one that cannot.
constexpr float kInsideWhole = 0.6f;
constexpr float kBetweenItems = 0.12f;
constexpr float kBetweenNestedItems = 0.3f;
constexpr float kBetweenCodeLines = 0.25f;
constexpr float kAtBlankCodeLine = 0.08f;

// Shorter paragraphs stay whole: not worth a counter call per sentence.
constexpr size_t kWholeParagraphBytes = 240;
constexpr size_t kLeadInBytes = 120;
constexpr std::string_view kPathSeparator = " > ";
constexpr std::string_view kEllipsis = "…";

constexpr bool IsSpace(char c) noexcept { return c == ' ' || c == '\n' || c == '\t'; }

uint32_t ToU32(size_t value) { return static_cast<uint32_t>(std::min<size_t>(value, UINT32_MAX)); }

}  // namespace

ChunkBudget::ChunkBudget(const ChunkOptions& options) {
  constexpr size_t kLeastTokens = 8;  // below that not even one word and its path fit
  constexpr size_t kBytesPerToken = 16;
  max_tokens =
      std::max(options.max_tokens, options.special_tokens + kLeastTokens) - options.special_tokens;
  target_tokens = std::clamp(options.target_tokens, max_tokens / 4, max_tokens);
  path_tokens = max_tokens / 4;
  context_tokens = max_tokens / 4;
  max_bytes = max_tokens * kBytesPerToken;
}

void PieceCutter::Run() {
  uint64_t covered = 0;
  for (uint32_t i = 0; i < document_.blocks.size(); ++i) {
    const Block& block = document_.blocks[i];
    CutGap(covered, block.begin);
    CutBlock(i);
    covered = block.end;
  }
  CutGap(covered, document_.text.size());
}

// Text outside of all blocks: only in documents not made by DocumentBuilder.
void PieceCutter::CutGap(uint64_t begin, uint64_t end) {
  block_ = kNoBlock;
  context_ = 0;
  CutSentences(begin, end, kBetweenParagraphs, kBetweenSentences);
}

void PieceCutter::CutBlock(uint32_t block_idx) {
  const Block& block = document_.blocks[block_idx];
  block_ = block_idx;
  context_ = 0;
  switch (block.kind) {
    case BlockKind::kHeading:
      return CutHeading(block);
    case BlockKind::kParagraph:
      return CutParagraph(block);
    case BlockKind::kList:
    case BlockKind::kTable:
    case BlockKind::kCode:
      return CutLines(block);
  }
}

void PieceCutter::CutHeading(const Block& block) {
  Section section;
  section.begin = block.begin;
  section.end = block.end;
  section.level = std::max(block.level, uint32_t{1});
  uint32_t enclosing = ToU32(sections_.size() - 1);
  while (enclosing != 0 && sections_[enclosing].level >= section.level) {
    enclosing = sections_[enclosing].parent;
  }
  section.parent = enclosing;
  section.is_title = View(block.begin, block.end) == document_.title;
  sections_.push_back(section);
  const uint32_t index = ToU32(sections_.size() - 1);
  const std::string path = HeadingPath(index);
  sections_.back().path_tokens = path.empty() ? 0 : ToU32(count_tokens_(path));
  sections_.back().in_path = path.ends_with(View(block.begin, block.end));
  in_heading_ = true;
  at_section_start_ = true;
  const bool deeper = after_heading_ && sections_[index - 1].level < section.level;
  CutSentences(block.begin, block.end, deeper ? kAfterHeading : 0, kBetweenSentences);
  in_heading_ = false;
  at_section_start_ = false;
  after_heading_ = true;
  leads_in_ = false;
}

void PieceCutter::CutParagraph(const Block& block) {
  if (block.end - block.begin > kWholeParagraphBytes ||
      !TryEmit(block.begin, block.end, kBetweenParagraphs)) {
    CutSentences(block.begin, block.end, kBetweenParagraphs, kBetweenSentences);
  }
  leads_in_ = document_.text[block.end - 1] == ':' || block.end - block.begin < kLeadInBytes;
}

void PieceCutter::CutLines(const Block& block) {
  const std::string_view text = View(block.begin, block.end);
  const bool table = block.kind == BlockKind::kTable;
  const bool code = block.kind == BlockKind::kCode;
  const size_t whole_tokens =
      text.size() <= budget_.max_bytes ? count_tokens_(text) : budget_.max_tokens + 1;
  const uint32_t path_tokens = sections_.back().path_tokens;
  const float whole = whole_tokens + path_tokens <= budget_.max_tokens ? kInsideWhole : 0;
  const float lead_in = leads_in_ && block.end > block.begin ? kAfterLeadIn : kBetweenParagraphs;
  uint32_t header_tokens = 0;
  if (table && block.header_rows > 0) {
    const std::string_view header = TableHeader(block_);
    if (header.size() <= budget_.max_bytes / 4) header_tokens = ToU32(count_tokens_(header));
    if (header_tokens > budget_.context_tokens) header_tokens = 0;
  }
  size_t previous_indent = 0;
  size_t row_idx = 0;
  bool blank_before = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const size_t indent = std::min(text.find_first_not_of(' ', at), end) - at;
    float cost = whole;
    if (at == 0) {
      cost = lead_in;
    } else if (table) {
      cost += row_idx <= block.header_rows && block.header_rows > 0 ? kAfterHeading : kBetweenItems;
      context_ = row_idx >= block.header_rows ? header_tokens : 0;
    } else if (code) {
      cost += blank_before ? kAtBlankCodeLine : kBetweenCodeLines;
    } else {
      cost += indent > previous_indent ? kBetweenNestedItems : kBetweenItems;
    }
    blank_before = at + indent == end;
    CutSentences(block.begin + at, block.begin + end, cost, whole + kBetweenSentences);
    previous_indent = indent;
    ++row_idx;
    at = end + 1;
  }
  context_ = 0;
  leads_in_ = false;
}

void PieceCutter::CutSentences(uint64_t begin, uint64_t end, float first_cost, float inner_cost) {
  const std::string_view text = View(0, end);
  // A line, item or row is one piece when it fits; paragraphs are cut finer before they come here.
  const bool line = block_ != kNoBlock && document_.blocks[block_].kind != BlockKind::kParagraph;
  while (begin < end && IsSpace(text[begin])) ++begin;
  if (line && begin < end && TryEmit(begin, end, first_cost)) return;
  for (float cost = first_cost; begin < end; cost = inner_cost) {
    const uint64_t sentence_end = SentenceEnd(text, begin);
    if (!TryEmit(begin, sentence_end, cost)) CutClauses(begin, sentence_end, cost);
    begin = sentence_end;
    while (begin < end && IsSpace(text[begin])) ++begin;
  }
}

void PieceCutter::CutClauses(uint64_t begin, uint64_t end, float first_cost) {
  const std::string_view text = View(0, end);
  for (float cost = first_cost; begin < end; cost = kBetweenClauses) {
    const uint64_t clause_end = ClauseEnd(text, begin);
    if (!TryEmit(begin, clause_end, cost)) CutWords(begin, clause_end, cost);
    begin = clause_end;
    while (begin < end && IsSpace(text[begin])) ++begin;
  }
}

void PieceCutter::CutWords(uint64_t begin, uint64_t end, float first_cost) {
  const std::string_view text = View(0, end);
  for (float cost = first_cost; begin < end; cost = kBetweenWords) {
    uint64_t word_end = begin;
    while (word_end < end && !IsSpace(text[word_end])) ++word_end;
    if (!TryEmit(begin, word_end, cost)) CutCodePoints(begin, word_end, cost);
    begin = word_end;
    while (begin < end && IsSpace(text[begin])) ++begin;
  }
}

void PieceCutter::CutCodePoints(uint64_t begin, uint64_t end, float first_cost) {
  constexpr uint64_t kWindowBytes = 48;
  const std::string_view text = View(0, end);
  for (float cost = first_cost; begin < end; cost = kInsideWord) {
    uint64_t window_end = utf8::FloorBoundary(text, std::min(end, begin + kWindowBytes));
    if (window_end <= begin) window_end = end;  // cannot happen in valid UTF-8
    if (!TryEmit(begin, window_end, cost)) {
      window_end = begin + utf8::Decode(text, begin).length;
      Emit(begin, window_end, count_tokens_(View(begin, window_end)), cost);
    }
    begin = window_end;
  }
}

bool PieceCutter::TryEmit(uint64_t begin, uint64_t end, float break_cost) {
  while (end > begin && IsSpace(document_.text[end - 1])) --end;
  if (begin == end) return true;
  if (end - begin > budget_.max_bytes / 2) return false;
  const size_t tokens = count_tokens_(View(begin, end));
  if (tokens > PieceLimit()) return false;
  Emit(begin, end, tokens, break_cost);
  return true;
}

void PieceCutter::Emit(uint64_t begin, uint64_t end, size_t tokens, float break_cost) {
  Piece piece;
  piece.begin = begin;
  piece.end = end;
  piece.tokens = ToU32(std::max<size_t>(tokens, 1));
  piece.section = ToU32(sections_.size() - 1);
  piece.context = context_;
  piece.block = block_;
  piece.break_cost = after_heading_ && !in_heading_ ? kAfterHeading : break_cost;
  piece.heading = in_heading_;
  piece.starts_section = at_section_start_;
  at_section_start_ = false;
  if (!in_heading_) after_heading_ = false;
  sink_(piece);
}

size_t PieceCutter::PieceLimit() const {
  return budget_.max_tokens - sections_.back().path_tokens - context_;
}

std::string_view PieceCutter::View(uint64_t begin, uint64_t end) const {
  return std::string_view(document_.text).substr(begin, end - begin);
}

std::string PieceCutter::HeadingPath(uint32_t section) const {
  std::vector<uint32_t> chain;  // innermost first, at most 6: levels strictly decrease
  for (uint32_t i = section; i != 0; i = sections_[i].parent) {
    if (!sections_[i].is_title) chain.push_back(i);
  }
  const auto join = [&](size_t num_components) {
    std::string path = num_components < chain.size() ? std::string(kEllipsis) : std::string();
    for (size_t i = num_components; i-- > 0;) {
      if (!path.empty()) path += kPathSeparator;
      path += View(sections_[chain[i]].begin, sections_[chain[i]].end);
    }
    return path;
  };
  const auto fits = [&](const std::string& path) {
    return path.size() <= budget_.max_bytes / 4 && count_tokens_(path) <= budget_.path_tokens;
  };
  for (size_t num_components = chain.size(); num_components > 0; --num_components) {
    std::string path = join(num_components);
    if (fits(path)) return path;
  }
  if (chain.empty()) return {};
  // The innermost heading alone is too long: its beginning, by halves.
  const std::string_view heading = View(sections_[chain[0]].begin, sections_[chain[0]].end);
  for (size_t size = std::min(heading.size(), budget_.max_bytes / 4); size > 0; size /= 2) {
    std::string path(heading.substr(0, utf8::FloorBoundary(heading, size)));
    path += kEllipsis;
    if (fits(path)) return path;
  }
  return {};
}

std::string_view PieceCutter::TableHeader(uint32_t block) const {
  const Block& table = document_.blocks[block];
  const std::string_view text = View(table.begin, table.end);
  size_t end = 0;
  for (uint32_t row = 0; row < table.header_rows && end < text.size(); ++row) {
    end = std::min(text.find('\n', end == 0 ? 0 : end + 1), text.size());
  }
  return text.substr(0, end);
}

}  // namespace vade::ingest
