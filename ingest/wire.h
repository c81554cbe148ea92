// What travels from the extractor process to its parent. The parent treats it as hostile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "ingest/document.h"

namespace vade::ingest {

/// Format (little endian): "VDX1", u8 outcome. Outcome 0: u8 error code, string message.
/// Outcome 1: strings type, title, language, text; blocks (u64 count, then u8 kind, u32 level,
/// u32 header rows, u64 begin, u64 end); pages (u64 count, then u32 number, string label, u64
/// begin, u64 end, u8 has text); notes (u64 count, then u32 page, string text). string: u64 size,
/// bytes.
[[nodiscard]] std::string SerializeOutcome(const Result<Document>& outcome);

/// The child's document, or the child's error, or kInternal "extractor sent ..." when the bytes are
/// not a whole outcome or the document breaks an invariant of document.h.
[[nodiscard]] Result<Document> ParseOutcome(std::string_view bytes);

/// kInternal unless `document` keeps every promise of document.h.
[[nodiscard]] Result<void> ValidateDocument(const Document& document);

/// Serialised size of the largest outcome with max_text_bytes of text: the cap on the pipe.
[[nodiscard]] uint64_t MaxOutcomeBytes(uint64_t max_text_bytes);

}  // namespace vade::ingest
