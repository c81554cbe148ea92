// Writer, bounds-checked reader, and the proof of the document's invariants.
#include "ingest/wire.h"

#include <array>
#include <bit>
#include <concepts>
#include <cstring>

#include "engine/base/utf8.h"

namespace vade::ingest {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire format is little endian");

constexpr std::string_view kMagic = "VDX1";
constexpr uint8_t kFailed = 0;
constexpr uint8_t kDocument = 1;
constexpr uint64_t kBlockBytes = 1 + 4 + 4 + 8 + 8;
constexpr uint64_t kMinPageBytes = 4 + 8 + 8 + 8 + 1;
constexpr uint64_t kMinNoteBytes = 4 + 8;
constexpr size_t kMaxMessageBytes = 4096;

class Writer {
 public:
  template <std::unsigned_integral T>
  void Put(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out_.append(bytes, sizeof(T));
  }
  void Put(std::string_view text) {
    Put(uint64_t{text.size()});
    out_.append(text);
  }
  void PutRaw(std::string_view bytes) { out_.append(bytes); }
  [[nodiscard]] std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// After the first failure every read yields zero and ok() stays false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <std::unsigned_integral T>
  T Get() {
    T value = 0;
    if (ok_ && bytes_.size() >= sizeof(T)) {
      std::memcpy(&value, bytes_.data(), sizeof(T));
      bytes_.remove_prefix(sizeof(T));
    } else {
      ok_ = false;
    }
    return value;
  }
  std::string GetString() {
    const auto size = Get<uint64_t>();
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }
  /// A count of items of at least min_item_bytes each; bounded by what is left, so that reserving
  /// for it is safe.
  uint64_t GetCount(uint64_t min_item_bytes) {
    const auto count = Get<uint64_t>();
    if (count > bytes_.size() / min_item_bytes) ok_ = false;
    return ok_ ? count : 0;
  }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

tl::unexpected<Error> Malformed(std::string what) {
  return Fail(ErrorCode::kInternal, "extractor sent " + std::move(what));
}

Error ReadError(Reader& reader) {
  Error error;
  const auto code = reader.Get<uint8_t>();
  error.code = code <= static_cast<uint8_t>(ErrorCode::kInternal) ? static_cast<ErrorCode>(code)
                                                                  : ErrorCode::kInternal;
  error.message = utf8::Escape(reader.GetString().substr(0, kMaxMessageBytes));
  return error;
}

Document ReadDocument(Reader& reader) {
  Document document;
  document.type = reader.GetString();
  document.title = reader.GetString();
  document.language = reader.GetString();
  document.text = reader.GetString();
  document.blocks.resize(reader.GetCount(kBlockBytes));
  for (Block& block : document.blocks) {
    block.kind = static_cast<BlockKind>(reader.Get<uint8_t>());
    block.level = reader.Get<uint32_t>();
    block.header_rows = reader.Get<uint32_t>();
    block.begin = reader.Get<uint64_t>();
    block.end = reader.Get<uint64_t>();
  }
  document.pages.resize(reader.GetCount(kMinPageBytes));
  for (Page& page : document.pages) {
    page.number = reader.Get<uint32_t>();
    page.label = reader.GetString();
    page.begin = reader.Get<uint64_t>();
    page.end = reader.Get<uint64_t>();
    page.has_text = reader.Get<uint8_t>() != 0;
  }
  document.notes.resize(reader.GetCount(kMinNoteBytes));
  for (Note& note : document.notes) {
    note.page = reader.Get<uint32_t>();
    note.text = reader.GetString();
  }
  return document;
}

bool IsBoundary(std::string_view text, uint64_t at) {
  return at <= text.size() && utf8::FloorBoundary(text, at) == at;
}

Result<void> ValidateBlocks(const Document& document) {
  uint64_t previous_end = 0;
  for (const Block& block : document.blocks) {
    const bool first = &block == document.blocks.data();
    if (block.kind > BlockKind::kCode) return Malformed("an unknown block kind");
    if (block.kind == BlockKind::kHeading && (block.level < 1 || block.level > 6)) {
      return Malformed("a heading level out of range");
    }
    if (block.begin >= block.end || !IsBoundary(document.text, block.begin) ||
        !IsBoundary(document.text, block.end) ||
        (first ? block.begin != 0 : block.begin != previous_end + 2) ||
        (!first && document.text.compare(previous_end, 2, "\n\n") != 0)) {
      return Malformed("block offsets out of order");
    }
    previous_end = block.end;
  }
  return {};
}

Result<void> ValidatePages(const Document& document) {
  uint64_t at = 0;
  for (const Page& page : document.pages) {
    if (page.begin != at || page.end < page.begin || !IsBoundary(document.text, page.end)) {
      return Malformed("page offsets out of order");
    }
    if (!utf8::IsValid(page.label)) return Malformed("a page label that is not UTF-8");
    at = page.end;
  }
  if (!document.pages.empty() && at != document.text.size()) {
    return Malformed("pages that do not cover the text");
  }
  return {};
}

}  // namespace

std::string SerializeOutcome(const Result<Document>& outcome) {
  Writer writer;
  writer.PutRaw(kMagic);
  if (!outcome) {
    writer.Put(kFailed);
    writer.Put(static_cast<uint8_t>(outcome.error().code));
    writer.Put(std::string_view(outcome.error().message));
    return writer.Take();
  }
  const Document& document = *outcome;
  writer.Put(kDocument);
  for (const std::string* text :
       {&document.type, &document.title, &document.language, &document.text}) {
    writer.Put(std::string_view(*text));
  }
  writer.Put(uint64_t{document.blocks.size()});
  for (const Block& block : document.blocks) {
    writer.Put(static_cast<uint8_t>(block.kind));
    writer.Put(block.level);
    writer.Put(block.header_rows);
    writer.Put(block.begin);
    writer.Put(block.end);
  }
  writer.Put(uint64_t{document.pages.size()});
  for (const Page& page : document.pages) {
    writer.Put(page.number);
    writer.Put(std::string_view(page.label));
    writer.Put(page.begin);
    writer.Put(page.end);
    writer.Put(static_cast<uint8_t>(page.has_text));
  }
  writer.Put(uint64_t{document.notes.size()});
  for (const Note& note : document.notes) {
    writer.Put(note.page);
    writer.Put(std::string_view(note.text));
  }
  return writer.Take();
}

Result<Document> ParseOutcome(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Malformed("nothing or garbage");
  Reader reader(bytes.substr(kMagic.size()));
  const auto outcome = reader.Get<uint8_t>();
  if (outcome == kFailed) {
    Error error = ReadError(reader);
    if (!reader.ok()) return Malformed("a truncated error");
    return tl::unexpected<Error>(std::move(error));
  }
  if (outcome != kDocument) return Malformed("an unknown outcome");
  Document document = ReadDocument(reader);
  if (!reader.ok() || !reader.at_end()) return Malformed("a truncated document");
  VADE_CHECK_OK(ValidateDocument(document));
  return document;
}

Result<void> ValidateDocument(const Document& document) {
  for (const std::string* text :
       {&document.type, &document.title, &document.language, &document.text}) {
    if (!utf8::IsValid(*text)) return Malformed("text that is not UTF-8");
  }
  for (const Note& note : document.notes) {
    if (!utf8::IsValid(note.text)) return Malformed("a note that is not UTF-8");
  }
  if (document.title.empty()) return Malformed("a document without title");
  VADE_CHECK_OK(ValidateBlocks(document));
  return ValidatePages(document);
}

uint64_t MaxOutcomeBytes(uint64_t max_text_bytes) {
  // A block adds 25 bytes; documents of nothing but blocks shorter than 8 bytes are not documents.
  return (uint64_t{1} << 20) + 4 * max_text_bytes;
}

}  // namespace vade::ingest
