// PDF -> Document, in passes over the whole file: words to lines per page, running headers out by
// comparing pages, lines to blocks, heading levels by comparing blocks, then the document.
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "ingest/document_builder.h"
#include "ingest/extractor.h"
#include "ingest/normalise.h"
#include "ingest/pdf_blocks.h"
#include "ingest/pdf_headings.h"
#include "ingest/pdf_layout.h"
#include "ingest/pdf_running.h"
#include "ingest/pdf_source.h"

namespace vade::ingest {
namespace {

constexpr int kMaxPages = 100'000;
constexpr int kMaxFailuresInARow = 100;  // a page count that lies
constexpr size_t kMinContentsLines = 4;  // fewer are no table of contents worth a note

// Most of the CPU limit this process runs under: the pages read so far are worth keeping, and a
// killed process keeps none.
double SecondsForReading() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CPU, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1e9;
  return 0.7 * static_cast<double>(limit.rlim_cur);
}

double CpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::string_view Stem(std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? file_name : file_name.substr(0, dot);
}

// Titles that word processors fill in by themselves say nothing about the document.
std::string UsefulTitle(std::string title) {
  constexpr std::string_view kWord = "Microsoft Word - ";
  if (title.starts_with(kWord)) title.erase(0, kWord.size());
  for (const std::string_view suffix : {".doc", ".docx", ".indd", ".dvi", ".tex", ".fm", ".qxd",
                                        ".ps", ".pdf", ".hwp", ".odt", ".rtf", ".txt"}) {
    if (title.ends_with(suffix)) return {};
  }
  const std::string_view trimmed(title);
  if (trimmed.find_first_not_of(" \t") == std::string_view::npos || title.starts_with("untitled") ||
      title.starts_with("Untitled")) {
    return {};
  }
  return title;
}

class PdfReader {
 public:
  PdfReader(PdfSource& source, const ExtractorInput& input)
      : source_(source), input_(input), builder_("pdf", input.max_text_bytes) {}

  Result<Document> Read() {
    ReadPages();
    const bool any_text = std::any_of(pages_.begin(), pages_.end(),
                                      [](const PdfPage& page) { return page.failure.empty(); });
    if (!any_text) {
      const bool scanned = std::any_of(pages_.begin(), pages_.end(),
                                       [](const PdfPage& page) { return page.failure == kNoText; });
      if (scanned) {
        return Fail(ErrorCode::kUnsupported, "no text layer (scanned); OCR needed");
      }
      return Fail(ErrorCode::kCorruptData, "broken PDF: no readable page");
    }
    RemoveRunningText(pages_);
    for (PdfPage& page : pages_) page.lines = OrderLines(std::exchange(page.spans, {}));
    const PdfBodyStyle body = MeasureBody(pages_);
    std::vector<std::vector<PdfBlock>> blocks;
    size_t num_contents_lines = 0;
    for (PdfPage& page : pages_) {
      blocks.push_back(BuildBlocks(page, body, num_contents_lines));
      page.lines = {};
    }
    const PdfHeadings headings(blocks, source_.Outline(), body);
    for (size_t i = 0; i < pages_.size(); ++i) EmitPage(pages_[i], blocks[i], headings);
    AddNotes(num_contents_lines);
    std::string title = UsefulTitle(source_.Title());
    builder_.SetTitle(title.empty() ? headings.cover_title() : title);
    return builder_.Finish(Stem(input_.file_name));
  }

 private:
  void ReadPages() {
    const int num_pages = std::min(source_.num_pages(), kMaxPages);
    const double deadline = CpuSeconds() + SecondsForReading();
    int failures_in_a_row = 0;
    for (int i = 0; i < num_pages; ++i) {
      if (CpuSeconds() > deadline || failures_in_a_row == kMaxFailuresInARow) break;
      PdfPage page = source_.ReadPage(i);
      failures_in_a_row = page.failure == kUnreadable ? failures_in_a_row + 1 : 0;
      pages_.push_back(std::move(page));
    }
    if (failures_in_a_row == kMaxFailuresInARow) pages_.resize(pages_.size() - kMaxFailuresInARow);
  }

  void EmitPage(const PdfPage& page, std::vector<PdfBlock>& blocks, const PdfHeadings& headings) {
    builder_.BeginPage(page.label);
    if (!page.failure.empty()) builder_.MarkPageWithoutText(page.failure);
    bool first = true;
    for (PdfBlock& block : blocks) {
      EmitBlock(block, first, headings);
      first = false;
    }
    std::string sideways;
    for (const std::string& word : page.sideways) sideways += word + " ";
    if (!sideways.empty()) {
      builder_.AddParagraph(sideways);
      open_text_ = false;
    }
  }

  void EmitBlock(PdfBlock& block, bool first_on_page, const PdfHeadings& headings) {
    const auto level = headings.LevelOf(block);
    const bool continues = open_text_ && block.continues && block.size == last_size_ && !level;
    open_text_ = block.may_continue && !level &&
                 (block.kind == PdfBlock::Kind::kText || block.kind == PdfBlock::Kind::kListItem);
    last_size_ = block.size;
    if (block.kind != PdfBlock::Kind::kTable) last_columns_.clear();
    if (level) {
      builder_.AddHeading(*level, JoinLines(block.text));
      return;
    }
    switch (block.kind) {
      case PdfBlock::Kind::kText:
        continues ? builder_.ContinueParagraph(block.text) : builder_.AddParagraph(block.text);
        break;
      case PdfBlock::Kind::kListItem:
        builder_.AddListItem(block.depth, block.marker, block.text);
        break;
      case PdfBlock::Kind::kCode:
        builder_.AddCode(block.text);
        break;
      case PdfBlock::Kind::kTable:
        EmitTable(block.table, first_on_page);
        break;
    }
  }

  // A table that goes on at the top of the next page shows its header there again.
  void EmitTable(PdfTable& table, bool first_on_page) {
    for (auto& row : table.rows) {
      for (std::string& cell : row) cell = JoinLines(cell);
    }
    const bool same_columns =
        table.columns.size() == last_columns_.size() &&
        std::equal(table.columns.begin(), table.columns.end(), last_columns_.begin(),
                   [](double a, double b) { return std::abs(a - b) < 6; });
    if (first_on_page && same_columns && table.header_rows == 0 && !last_header_.empty()) {
      table.rows.insert(table.rows.begin(), last_header_.begin(), last_header_.end());
      table.header_rows = static_cast<uint32_t>(last_header_.size());
    }
    builder_.AddTable(table.rows, table.header_rows);
    last_columns_ = table.columns;
    last_header_.assign(table.rows.begin(),
                        table.rows.begin() + static_cast<std::ptrdiff_t>(table.header_rows));
  }

  void AddNotes(size_t num_contents_lines) {
    const auto num_read = static_cast<int>(pages_.size());
    if (num_read < source_.num_pages()) {
      builder_.AddNote(0, "only the first " + std::to_string(num_read) + " of " +
                              std::to_string(source_.num_pages()) + " pages were read");
    }
    if (num_contents_lines >= kMinContentsLines) {
      builder_.AddNote(
          0, "table of contents left out (" + std::to_string(num_contents_lines) + " lines)");
    }
    if (source_.num_hidden_chars() > 0) {
      builder_.AddNote(0, std::to_string(source_.num_hidden_chars()) +
                              " characters too small to read or outside the page left out");
    }
  }

  PdfSource& source_;
  const ExtractorInput& input_;
  DocumentBuilder builder_;
  std::vector<PdfPage> pages_;
  bool open_text_ = false;  // the last block may go on in the next one
  double last_size_ = 0;
  std::vector<double> last_columns_;
  std::vector<std::vector<std::string>> last_header_;
};

}  // namespace

Result<Document> ExtractPdf(const ExtractorInput& input) {
  VADE_TRY(const auto source, PdfSource::Open(input.bytes));
  return PdfReader(*source, input).Read();
}

}  // namespace vade::ingest
