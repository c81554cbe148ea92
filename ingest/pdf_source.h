// The only place that sees poppler: opens a PDF and reads text, labels, outline and title.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "ingest/pdf_page.h"

namespace vade::ingest {

/// Values of PdfPage::failure.
inline constexpr std::string_view kNoText = "no text on this page (blank or scanned)";
inline constexpr std::string_view kUnreadable = "unreadable page";

struct OutlineEntry {
  std::string title;
  uint32_t level = 1;
};

/// Single-thread. `bytes` must outlive it.
class PdfSource {
 public:
  /// Errors: kUnsupported "password protected", kCorruptData "broken PDF: ...".
  [[nodiscard]] static Result<std::unique_ptr<PdfSource>> Open(std::string_view bytes);

  virtual ~PdfSource() = default;
  [[nodiscard]] virtual int num_pages() const = 0;
  /// Spans only; never fails: PdfPage::failure says why there are none.
  [[nodiscard]] virtual PdfPage ReadPage(int page_idx) = 0;
  [[nodiscard]] virtual std::string Title() = 0;
  [[nodiscard]] virtual std::vector<OutlineEntry> Outline() = 0;
  /// Characters left out because nobody can see them: tiny, or outside the page.
  [[nodiscard]] virtual uint64_t num_hidden_chars() const = 0;
};

}  // namespace vade::ingest
