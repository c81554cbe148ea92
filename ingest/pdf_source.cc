// poppler-cpp behind plain structs.
#include "ingest/pdf_source.h"

#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>
#include <poppler-toc.h>

#include <climits>
#include <cmath>

#include "engine/base/utf8.h"
#include "ingest/pdf_layout.h"

namespace vade::ingest {
namespace {

constexpr double kMinFontSize = 1.0;  // points: smaller text is not there to be read
constexpr size_t kMaxWordsPerPage = 200'000;
constexpr size_t kMaxOutlineEntries = 20'000;
constexpr uint32_t kMaxOutlineDepth = 32;

// UTF-16 units of poppler -> UTF-8. Presentation ligatures are written out: "ﬁ" must be found as
// "fi".
std::string ToUtf8(const poppler::ustring& text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char32_t c = text[i];
    if (c == 0xFEFF && i == 0) continue;
    if (c >= 0xD800 && c < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 &&
        text[i + 1] < 0xE000) {
      c = 0x10000 + ((c - 0xD800) << 10) + (char32_t{text[++i]} - 0xDC00);
    } else if (c >= 0xD800 && c < 0xE000) {
      c = utf8::kReplacement;
    }
    constexpr const char* kLigatures[] = {"ff", "fi", "fl", "ffi", "ffl", "st", "st"};
    if (c >= 0xFB00 && c <= 0xFB06) {
      out += kLigatures[c - 0xFB00];
    } else {
      utf8::Append(c, out);
    }
  }
  return out;
}

bool Contains(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

// The first complaint of poppler tells best what is wrong. Set per process: poppler has one sink.
std::string& FirstComplaint() {
  static std::string complaint;
  return complaint;
}

class PopplerSource final : public PdfSource {
 public:
  explicit PopplerSource(std::unique_ptr<poppler::document> file) : file_(std::move(file)) {}

  int num_pages() const override { return file_->pages(); }
  std::string Title() override { return ToUtf8(file_->get_title()); }
  uint64_t num_hidden_chars() const override { return num_hidden_chars_; }

  PdfPage ReadPage(int page_idx) override {
    PdfPage page;
    const std::unique_ptr<poppler::page> source(file_->create_page(page_idx));
    if (!source) {
      page.failure = kUnreadable;
      return page;
    }
    page.label = ToUtf8(source->label());
    const poppler::rectf area = source->page_rect();
    page.width = area.width();
    page.height = area.height();
    ReadWords(*source, page);
    if (page.spans.empty() && page.sideways.empty()) page.failure = kNoText;
    return page;
  }

  std::vector<OutlineEntry> Outline() override {
    std::vector<OutlineEntry> entries;
    const std::unique_ptr<poppler::toc> toc(file_->create_toc());
    if (toc && toc->root() != nullptr) Collect(*toc->root(), 0, entries);
    return entries;
  }

 private:
  void ReadWords(const poppler::page& source, PdfPage& page) {
    std::vector<PdfSpan> words;
    std::vector<PdfSpan> sideways;
    for (const poppler::text_box& box : source.text_list(poppler::page::text_list_include_font)) {
      if (words.size() == kMaxWordsPerPage) break;
      PdfSpan word;
      word.text = ToUtf8(box.text());
      const poppler::rectf area = box.bbox();
      word.box = {area.left(), area.top(), area.right(), area.bottom()};
      const std::string font = box.has_font_info() ? box.get_font_name() : std::string();
      word.size = box.has_font_info() ? box.get_font_size() : word.box.height();
      word.bold = Contains(font, {"Bold", "bold", "Black", "Heavy", "Semibold", "-Bd", "CMBX"});
      word.mono =
          Contains(font, {"Mono", "mono", "Courier", "Consolas", "Menlo", "CMTT", "Typewriter"}) &&
          !Contains(font, {"Monotype"});
      word.space_after = box.has_space_after();
      if (word.text.empty() || !std::isfinite(word.box.width() + word.box.height())) continue;
      if (IsHidden(word, page)) {
        num_hidden_chars_ += utf8::CountCodePoints(word.text);
        continue;
      }
      // Sideways text (margin labels, watermarks) would tear lines apart; it goes last.
      (box.rotation() == 0 ? words : sideways).push_back(std::move(word));
    }
    page.spans = JoinWords(std::move(words));
    for (PdfSpan& span : JoinWords(std::move(sideways))) {
      page.sideways.push_back(std::move(span.text));
    }
  }

  static bool IsHidden(const PdfSpan& word, const PdfPage& page) {
    return word.size < kMinFontSize || word.box.x1 < 0 || word.box.y1 < 0 ||
           word.box.x0 > page.width || word.box.y0 > page.height;
  }

  static void Collect(const poppler::toc_item& parent, uint32_t level,
                      std::vector<OutlineEntry>& entries) {
    if (level > kMaxOutlineDepth) return;
    for (const poppler::toc_item* child : parent.children()) {
      if (entries.size() == kMaxOutlineEntries) return;
      entries.push_back({ToUtf8(child->title()), level + 1});
      Collect(*child, level + 1, entries);
    }
  }

  std::unique_ptr<poppler::document> file_;
  uint64_t num_hidden_chars_ = 0;
};

}  // namespace

Result<std::unique_ptr<PdfSource>> PdfSource::Open(std::string_view bytes) {
  FirstComplaint().clear();
  poppler::set_debug_error_function(
      [](const std::string& message, void*) {
        if (FirstComplaint().empty()) FirstComplaint() = message.substr(0, 200);
      },
      nullptr);
  if (bytes.size() > INT_MAX) return Fail(ErrorCode::kResource, "PDF over 2 GiB");
  std::unique_ptr<poppler::document> file(
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
  if (!file) {
    std::string why = utf8::Escape(FirstComplaint());
    if (Contains(why, {"ncrypt", "assword", "ecurity"})) {
      return Fail(ErrorCode::kUnsupported, "password protected (" + why + ")");
    }
    return Fail(ErrorCode::kCorruptData, "broken PDF: " + (why.empty() ? "unreadable" : why));
  }
  if (file->is_locked()) return Fail(ErrorCode::kUnsupported, "password protected");
  if (file->pages() <= 0) {
    const std::string why = utf8::Escape(FirstComplaint());
    return Fail(ErrorCode::kCorruptData,
                "broken PDF: no pages" + (why.empty() ? why : " (" + why + ")"));
  }
  return std::make_unique<PopplerSource>(std::move(file));
}

}  // namespace vade::ingest
