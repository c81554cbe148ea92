// Text is appended straight to Document::text and rolled back when nothing visible came of it.
#include "ingest/document_builder.h"

#include <algorithm>
#include <utility>

#include "engine/base/utf8.h"
#include "ingest/language.h"

namespace vade::ingest {
namespace {

// Deeper lists are shown at this depth: two spaces per level on each line of a hostile list would
// make its text quadratic.
constexpr uint32_t kMaxListDepth = 8;
// A document with more problems than this has one problem.
constexpr size_t kMaxNotes = 1000;

std::string_view StripTrailingNewlines(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

DocumentBuilder::DocumentBuilder(std::string type, uint64_t max_text_bytes)
    : max_text_bytes_(max_text_bytes) {
  document_.type = std::move(type);
}

void DocumentBuilder::SetTitle(std::string_view title) {
  constexpr size_t kMaxTitleBytes = 4096;  // before cleaning; a title is a line, not a chapter
  document_.title.clear();
  CleaningCounts ignored;
  AppendOneLine(title.substr(0, kMaxTitleBytes), document_.title, ignored);
}

void DocumentBuilder::BeginPage(std::string_view label) {
  Page page;
  page.number = static_cast<uint32_t>(document_.pages.size() + 1);
  CleaningCounts ignored;
  AppendOneLine(label, page.label, ignored);
  if (page.label.empty()) page.label = std::to_string(page.number);
  document_.pages.push_back(std::move(page));
  ++unplaced_pages_;
}

void DocumentBuilder::MarkPageWithoutText(std::string_view reason) {
  if (document_.pages.empty()) return AddNote(0, reason);
  document_.pages.back().has_text = false;
  AddNote(document_.pages.back().number, reason);
}

void DocumentBuilder::AddHeading(uint32_t level, std::string_view text) {
  const uint64_t begin = BeginBlock();
  AppendOneLine(text, document_.text, counts_);
  EndBlock(begin, BlockKind::kHeading, std::clamp(level, uint32_t{1}, uint32_t{6}));
}

void DocumentBuilder::AddParagraph(std::string_view text) {
  const uint64_t begin = BeginBlock();
  text = StripTrailingNewlines(text);
  if (text.find('\n') == std::string_view::npos) {
    AppendOneLine(text, document_.text, counts_);
  } else {
    AppendOneLine(JoinLines(text), document_.text, counts_);
  }
  EndBlock(begin, BlockKind::kParagraph);
}

void DocumentBuilder::AddListItem(uint32_t depth, std::string_view marker, std::string_view text) {
  std::string line(size_t{2} * std::min(depth, kMaxListDepth), ' ');
  AppendOneLine(marker, line, counts_);
  line.push_back(' ');
  const size_t text_begin = line.size();
  AppendOneLine(JoinLines(text), line, counts_);
  if (line.size() == text_begin || overflow_) return;
  if (!in_list_) {
    // The indent of a first, nested item is part of its block.
    const uint64_t begin = BeginBlock();
    document_.text += line;
    EndBlock(begin, BlockKind::kList);
    in_list_ = !overflow_;
    return;
  }
  const uint64_t rollback = document_.text.size();
  document_.text += '\n';
  PlacePages(document_.text.size());
  document_.text += line;
  if (Fits(rollback)) document_.blocks.back().end = document_.text.size();
}

void DocumentBuilder::EndList() { in_list_ = false; }

void DocumentBuilder::AddTable(const std::vector<std::vector<std::string>>& rows,
                               uint32_t header_rows) {
  const uint64_t begin = BeginBlock();
  uint32_t kept_header_rows = 0;
  std::string line;
  for (size_t row_idx = 0; row_idx < rows.size() && !overflow_; ++row_idx) {
    line.clear();
    size_t visible_end = 0;  // empty cells at the end of a row say nothing
    for (size_t cell_idx = 0; cell_idx < rows[row_idx].size(); ++cell_idx) {
      if (cell_idx > 0) line += " | ";
      const size_t cell_begin = line.size();
      AppendOneLine(rows[row_idx][cell_idx], line, counts_);
      if (line.size() > cell_begin) visible_end = line.size();
    }
    if (visible_end == 0) continue;
    line.resize(visible_end);
    if (document_.text.size() > begin) document_.text += '\n';
    document_.text += line;
    kept_header_rows += row_idx < header_rows;
    if (document_.text.size() > max_text_bytes_) break;  // EndBlock reports it
  }
  EndBlock(begin, BlockKind::kTable, 0, kept_header_rows);
}

void DocumentBuilder::AddCode(std::string_view text) {
  const uint64_t begin = BeginBlock();
  AppendVerbatim(text, document_.text, counts_);
  EndBlock(begin, BlockKind::kCode);
}

void DocumentBuilder::ContinueParagraph(std::string_view text) {
  const bool continues =
      !document_.blocks.empty() && (document_.blocks.back().kind == BlockKind::kParagraph ||
                                    document_.blocks.back().kind == BlockKind::kList);
  if (!continues) return AddParagraph(text);
  if (overflow_) return;
  std::string next;
  AppendOneLine(JoinLines(text), next, counts_);
  if (next.empty()) return;
  // AppendJoined only looks at the last word before the break: give it no more than that.
  constexpr uint64_t kLongestWordBytes = 64;
  const uint64_t rollback = document_.text.size();
  const uint64_t tail_begin = std::max(
      document_.blocks.back().begin,
      utf8::FloorBoundary(document_.text, rollback - std::min(rollback, kLongestWordBytes)));
  const std::string before = document_.text.substr(tail_begin);
  std::string tail = before;
  AppendJoined(next, tail);
  document_.text.replace(tail_begin, std::string::npos, tail);
  if (!Fits(rollback)) {
    document_.text.replace(tail_begin, std::string::npos, before);
    return;
  }
  PlacePages(document_.text.size() - next.size());
  document_.blocks.back().end = document_.text.size();
}

void DocumentBuilder::AddNote(uint32_t page, std::string_view text) {
  if (document_.notes.size() >= kMaxNotes) return;
  Note note;
  note.page = page;
  CleaningCounts ignored;
  AppendOneLine(text, note.text, ignored);
  document_.notes.push_back(std::move(note));
}

Result<Document> DocumentBuilder::Finish(std::string_view fallback_title) {
  if (overflow_) {
    return Fail(ErrorCode::kResource, "extracted text exceeds the limit of " +
                                          std::to_string(max_text_bytes_) + " bytes");
  }
  if (document_.title.empty()) SetTitle(fallback_title);
  if (document_.title.empty()) document_.title = "untitled";
  PlacePages(document_.text.size());
  for (size_t i = 0; i < document_.pages.size(); ++i) {
    if (i == 0) document_.pages[i].begin = 0;
    const bool last = i + 1 == document_.pages.size();
    document_.pages[i].end = last ? document_.text.size() : document_.pages[i + 1].begin;
  }
  if (counts_.invisible > 0) {
    AddNote(0, std::to_string(counts_.invisible) + " invisible characters removed");
  }
  if (counts_.invalid > 0) {
    AddNote(0, std::to_string(counts_.invalid) + " invalid byte sequences replaced");
  }
  document_.language = GuessLanguage(document_.text);
  return std::move(document_);
}

// Appends the separator and returns where the block's own text begins.
uint64_t DocumentBuilder::BeginBlock() {
  in_list_ = false;
  if (!document_.blocks.empty()) document_.text += "\n\n";
  return document_.text.size();
}

void DocumentBuilder::EndBlock(uint64_t begin, BlockKind kind, uint32_t level,
                               uint32_t header_rows) {
  const uint64_t rollback = document_.blocks.empty() ? 0 : document_.blocks.back().end;
  if (document_.text.size() == begin || overflow_) {
    document_.text.resize(rollback);
    return;
  }
  if (!Fits(rollback)) return;
  PlacePages(begin);
  document_.blocks.push_back({.kind = kind,
                              .level = level,
                              .header_rows = header_rows,
                              .begin = begin,
                              .end = document_.text.size()});
}

// Pages without content begin where the next content does.
void DocumentBuilder::PlacePages(uint64_t begin) {
  for (; unplaced_pages_ > 0; --unplaced_pages_) {
    document_.pages[document_.pages.size() - unplaced_pages_].begin = begin;
  }
}

bool DocumentBuilder::Fits(uint64_t rollback_size) {
  if (document_.text.size() <= max_text_bytes_) return true;
  document_.text.resize(rollback_size);
  overflow_ = true;
  return false;
}

}  // namespace vade::ingest
