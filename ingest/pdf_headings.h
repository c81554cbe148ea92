// Which blocks of a PDF are headings, and of what level: from the outline, from numbering, from
// type size.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/pdf_blocks.h"
#include "ingest/pdf_source.h"

namespace vade::ingest {

/// Built from all blocks of the file, then asked block by block. Const-safe.
class PdfHeadings {
 public:
  PdfHeadings(const std::vector<std::vector<PdfBlock>>& pages,
              const std::vector<OutlineEntry>& outline, const PdfBodyStyle& body);

  /// The level 1-6 of a heading; nothing for other text.
  [[nodiscard]] std::optional<uint32_t> LevelOf(const PdfBlock& block) const;

  /// The largest type on the first page: what the document calls itself. May be empty.
  [[nodiscard]] const std::string& cover_title() const noexcept { return cover_title_; }

 private:
  using StyleKey = std::pair<long, bool>;  // half points, bold

  [[nodiscard]] static StyleKey KeyOf(const PdfBlock& block);
  [[nodiscard]] bool IsCandidate(const PdfBlock& block) const;
  void RankStyles(const std::map<StyleKey, std::map<uint32_t, size_t>>& votes);

  std::map<std::string, uint32_t, std::less<>> outline_;  // folded title -> level
  std::map<StyleKey, uint32_t> level_of_style_;
  std::string cover_title_;
};

}  // namespace vade::ingest
