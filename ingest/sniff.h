// What kind of file is this? Decided by content first, by name only among texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::ingest {

enum class FileType : uint8_t { kText, kMarkdown, kHtml, kPdf, kZip };  // kZip: DOCX, or says what

/// The words used on the extractor's command line.
[[nodiscard]] std::string_view FileTypeName(FileType type);
[[nodiscard]] Result<FileType> ParseFileType(std::string_view name);

/// `head` is the beginning of the file (64 KiB are plenty), `file_name` its last component.
/// Errors: kUnsupported "unrecognised content: PNG image", "unsupported: RTF document",
/// "not indexed: private key".
[[nodiscard]] Result<FileType> Sniff(std::string_view head, std::string_view file_name);

}  // namespace vade::ingest
