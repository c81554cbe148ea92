// The atoms a chunker works with: sentences, list items, table rows, code lines, each counted once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/chunker.h"
#include "ingest/document.h"

namespace vade::ingest {

/// A heading and what follows it up to the next heading. Section 0 is the text before the first.
struct Section {
  uint64_t begin = 0;  // the heading's text
  uint64_t end = 0;
  uint32_t parent = 0;       // index of the enclosing section; 0 for the outermost
  uint32_t level = 0;        // 1..6; 0 for section 0
  uint32_t path_tokens = 0;  // of HeadingPath()
  bool is_title = false;     // repeats the document's title: left out of heading paths
  bool in_path = false;      // its whole heading ends its path
};

struct Piece {
  uint64_t begin = 0;  // first and last byte are not spaces
  uint64_t end = 0;
  uint32_t tokens = 0;   // at least 1
  uint32_t section = 0;  // index into sections
  uint32_t context = 0;  // tokens of the table header to repeat when a chunk begins here
  uint32_t block = 0;    // index into Document::blocks, or kNoBlock
  float break_cost = 0;  // price of a chunk boundary just before this piece
  bool heading = false;  // belongs to its section's heading
  bool starts_section = false;
};

inline constexpr uint32_t kNoBlock = UINT32_MAX;

/// Limits that follow from ChunkOptions.
struct ChunkBudget {
  explicit ChunkBudget(const ChunkOptions& options);

  size_t max_tokens;      // of EmbeddingText() without special tokens
  size_t target_tokens;   // likewise
  size_t path_tokens;     // most of the budget a heading path may take
  size_t context_tokens;  // likewise for a repeated table header
  // A word of a megabyte can be a single unknown token: chunks are limited in bytes as well.
  size_t max_bytes;
};

/// Cuts a document into pieces, in order, each with path and context small enough for a chunk of
/// its own. Calls the counter at most once for every byte and level of splitting.
class PieceCutter {
 public:
  using Sink = std::function<void(const Piece&)>;

  PieceCutter(const Document& document, const ChunkBudget& budget, const TokenCounter& count_tokens,
              const Sink& sink)
      : document_(document), budget_(budget), count_tokens_(count_tokens), sink_(sink) {
    sections_.emplace_back();
  }

  void Run();

  [[nodiscard]] const std::vector<Section>& sections() const { return sections_; }
  /// "Setup > Network", shortened from the left to the budget ("… > Network").
  [[nodiscard]] std::string HeadingPath(uint32_t section) const;
  /// The header rows of a table block.
  [[nodiscard]] std::string_view TableHeader(uint32_t block) const;

 private:
  void CutBlock(uint32_t block_idx);
  void CutHeading(const Block& block);
  void CutParagraph(const Block& block);
  void CutLines(const Block& block);
  void CutGap(uint64_t begin, uint64_t end);
  void CutSentences(uint64_t begin, uint64_t end, float first_cost, float inner_cost);
  void CutClauses(uint64_t begin, uint64_t end, float first_cost);
  void CutWords(uint64_t begin, uint64_t end, float first_cost);
  void CutCodePoints(uint64_t begin, uint64_t end, float first_cost);
  [[nodiscard]] bool TryEmit(uint64_t begin, uint64_t end, float break_cost);
  void Emit(uint64_t begin, uint64_t end, size_t tokens, float break_cost);
  [[nodiscard]] size_t PieceLimit() const;
  [[nodiscard]] std::string_view View(uint64_t begin, uint64_t end) const;

  const Document& document_;
  const ChunkBudget& budget_;
  const TokenCounter& count_tokens_;
  const Sink& sink_;
  std::vector<Section> sections_;
  uint32_t block_ = kNoBlock;
  uint32_t context_ = 0;
  bool in_heading_ = false;
  bool at_section_start_ = false;
  bool after_heading_ = false;
  bool leads_in_ = false;  // the last paragraph announces what follows it
};

}  // namespace vade::ingest
