// What one PDF page says before any structure is seen in it. Coordinates are points, y downwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vade::ingest {

struct Box {
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;

  [[nodiscard]] double width() const noexcept { return x1 - x0; }
  [[nodiscard]] double height() const noexcept { return y1 - y0; }
  void Include(const Box& other) noexcept;
};

/// Share of the lower box's height that lies beside the other box: 1 means the same line.
[[nodiscard]] double VerticalOverlap(const Box& a, const Box& b) noexcept;

/// A word, or words joined to a piece of a line without a wide gap.
struct PdfSpan {
  std::string text;  // UTF-8
  Box box;
  double size = 0;  // font size of most of it
  bool bold = false;
  bool mono = false;
  bool space_after = false;
};

/// Spans on one line, left to right. One span: ordinary text. Several: table cells, or text with
/// wide gaps.
struct PdfLine {
  std::vector<PdfSpan> spans;
  Box box;
  double size = 0;
  bool bold = false;
  bool mono = false;
  bool starts_column = false;  // first line of a column: the gap above it says nothing

  [[nodiscard]] std::string Text() const;
};

struct PdfPage {
  std::string label;
  double width = 0;
  double height = 0;
  std::vector<PdfSpan> spans;         // in poppler's order; emptied once lines are made
  std::vector<PdfLine> lines;         // in reading order
  std::vector<std::string> sideways;  // words of rotated text: labels in the margin, watermarks
  std::string failure;                // why there is no text; empty when there is
};

}  // namespace vade::ingest
