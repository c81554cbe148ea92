// Document: what an extractor makes of one file. Text plus its structure, nothing about storage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vade::ingest {

enum class BlockKind : uint8_t {
  kHeading,    // one line
  kParagraph,  // one line: soft line breaks folded, hyphenation joined
  kList,       // one item per line, marker kept ("1. ", "- "), two spaces of indent per depth
  kTable,  // one row per line, cells joined by " | ", the first header_rows lines are the header
  kCode,   // verbatim lines
};

/// A piece of Document::text. Blocks are in reading order, do not overlap, and are separated by
/// "\n\n" that belongs to no block.
struct Block {
  BlockKind kind = BlockKind::kParagraph;
  uint32_t level = 0;        // kHeading: 1..6
  uint32_t header_rows = 0;  // kTable: 0 or more leading header lines
  uint64_t begin = 0;        // byte offsets into Document::text, [begin, end)
  uint64_t end = 0;
};

/// A page's share of the text. Pages are in order, contiguous and cover the whole text; a paragraph
/// that runs over a page break is one block on two pages.
struct Page {
  uint32_t number = 1;  // 1-based position in the file
  std::string label;    // as printed ("iv", "12", "A-3"); the decimal number when the file has none
  uint64_t begin = 0;
  uint64_t end = 0;
  bool has_text = true;  // false: scanned image or failed page; see Document::notes
};

/// Something the user should hear about: what was lost or repaired, and where.
struct Note {
  uint32_t page = 0;  // 0: the whole document
  std::string text;  // "no text layer", "12 invisible characters removed", "charset guessed: CP949"
};

struct Document {
  std::string type;      // "markdown", "html", "text", "pdf", "docx"
  std::string title;     // never empty after extraction: falls back to the file's stem
  std::string language;  // BCP 47 guess of the main language, "en", "ko", ...; empty if unknown
  std::string text;      // valid UTF-8, NFC, "\n" line ends
  std::vector<Block> blocks;
  std::vector<Page> pages;  // empty when the format has no pages (Markdown, HTML)
  std::vector<Note> notes;
};

}  // namespace vade::ingest
