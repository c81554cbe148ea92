// DocumentBuilder: the one way extractors make a Document, so that its invariants hold everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "ingest/document.h"
#include "ingest/normalise.h"

namespace vade::ingest {

/// Collects blocks in reading order. Every string given is normalised here: invalid UTF-8 becomes
/// U+FFFD, NFC, control, zero-width, bidi and tag characters removed and counted (faults.md 38),
/// runs of spaces folded (not in code). Blocks that end up empty are dropped.
/// Single-thread. Text beyond max_text_bytes is refused: Finish() returns kResource.
class DocumentBuilder {
 public:
  DocumentBuilder(std::string type, uint64_t max_text_bytes);

  void SetTitle(std::string_view title);

  /// Ends the current page, if any, and starts the next one. Never called: the document has no
  /// pages.
  void BeginPage(std::string_view label);
  /// The current page has no text layer, or could not be read.
  void MarkPageWithoutText(std::string_view reason);

  void AddHeading(uint32_t level, std::string_view text);
  /// "\n" in `text` is a hard-wrapped line end: see JoinLines().
  void AddParagraph(std::string_view text);
  /// Consecutive items become one kList block. `marker` is "-" or "3.", depth 0 is outermost.
  void AddListItem(uint32_t depth, std::string_view marker, std::string_view text);
  /// Ends a run of list items without adding anything (two lists in a row).
  void EndList();
  /// Rows may be ragged. Newlines in cells become spaces, "|" in a cell is kept.
  void AddTable(const std::vector<std::vector<std::string>>& rows, uint32_t header_rows);
  void AddCode(std::string_view text);

  /// Continues the previous paragraph or list item, across a page break for instance: no new block,
  /// joined with a space, or without one when it ends in a hyphenated word.
  void ContinueParagraph(std::string_view text);

  void AddNote(uint32_t page, std::string_view text);

  [[nodiscard]] Result<Document> Finish(std::string_view fallback_title);

 private:
  [[nodiscard]] uint64_t BeginBlock();
  void EndBlock(uint64_t begin, BlockKind kind, uint32_t level = 0, uint32_t header_rows = 0);
  void PlacePages(uint64_t begin);
  [[nodiscard]] bool Fits(uint64_t rollback_size);

  Document document_;
  uint64_t max_text_bytes_;
  CleaningCounts counts_;
  size_t unplaced_pages_ = 0;  // trailing pages begun, but without content so far
  bool in_list_ = false;
  bool overflow_ = false;
};

}  // namespace vade::ingest
