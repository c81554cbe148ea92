// Signatures first, then a look at the bytes for text or not, then the name.
#include "ingest/sniff.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "ingest/charset_guess.h"

namespace vade::ingest {
namespace {

using namespace std::string_view_literals;

struct Signature {
  size_t offset;
  std::string_view magic;
  std::string_view what;
};

// Documents we know but do not read (yet), and everything else that is certainly not one.
constexpr std::array kDocuments = {
    Signature{0, "{\\rtf"sv, "RTF document"},
    Signature{0, "%!PS"sv, "PostScript"},
    Signature{0, "AT&TFORM"sv, "DjVu document"},
    Signature{0, "\x37\x7A\xBC\xAF\x27\x1C"sv, "7-Zip archive"},
    Signature{0, "Rar!\x1A"sv, "RAR archive"},
    Signature{0, "\x1F\x8B"sv, "gzip archive"},
    Signature{0, "BZh"sv, "bzip2 archive"},
    Signature{0,
              "\xFD"
              "7zXZ\0"sv,
              "xz archive"},
    Signature{0, "\x28\xB5\x2F\xFD"sv, "zstd archive"},
    Signature{257, "ustar"sv, "tar archive"},
};
constexpr std::array kOthers = {
    Signature{0, "\x89PNG\r\n"sv, "PNG image"},
    Signature{0, "\xFF\xD8\xFF"sv, "JPEG image"},
    Signature{0, "GIF8"sv, "GIF image"},
    Signature{0, "BM\0\0"sv, "BMP image"},
    Signature{0, "II*\0"sv, "TIFF image"},
    Signature{0, "MM\0*"sv, "TIFF image"},
    Signature{8, "WEBP"sv, "WebP image"},
    Signature{0, "RIFF"sv, "RIFF media"},
    Signature{4, "ftyp"sv, "MP4 media"},
    Signature{0, "OggS"sv, "Ogg media"},
    Signature{0, "fLaC"sv, "FLAC audio"},
    Signature{0, "ID3"sv, "MP3 audio"},
    Signature{0, "\x1A\x45\xDF\xA3"sv, "Matroska media"},
    Signature{0,
              "\x7F"
              "ELF"sv,
              "ELF program"},
    Signature{0, "MZ\x90"sv, "Windows program"},
    Signature{0, "\xCA\xFE\xBA\xBE"sv, "Java class"},
    Signature{0, "SQLite format 3\0"sv, "SQLite database"},
    Signature{0, "GGUF"sv, "GGUF model"},
    Signature{0, "wOFF"sv, "font"},
    Signature{0, "wOF2"sv, "font"},
    Signature{0, "OTTO\0"sv, "font"},
    Signature{0, "\0\1\0\0\0"sv, "font"},
};

bool Matches(const Signature& signature, std::string_view head) {
  return head.size() > signature.offset &&
         head.substr(signature.offset).starts_with(signature.magic);
}

bool ContainsUtf16(std::string_view head, std::string_view ascii) {
  std::string wide;
  for (const char c : ascii) wide += {c, '\0'};
  return head.find(wide) != std::string_view::npos;
}

std::string_view OleKind(std::string_view head) {
  if (head.find("HWP Document File") != std::string_view::npos || ContainsUtf16(head, "HwpSummary"))
    return "Hangul document (hwp)";
  if (ContainsUtf16(head, "WordDocument")) return "Word 97 document (doc)";
  if (ContainsUtf16(head, "Workbook")) return "Excel 97 workbook (xls)";
  if (ContainsUtf16(head, "PowerPoint Document")) return "PowerPoint 97 slides (ppt)";
  if (ContainsUtf16(head, "EncryptedPackage")) return "password-protected Office document";
  return "OLE2 file";
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string Extension(std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  return dot == std::string_view::npos ? "" : Lower(file_name.substr(dot + 1, 16));
}

bool HasExtension(std::string_view file_name, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), Extension(file_name)) != list.end();
}

// Control characters give binaries away: random bytes hold 10 %, text next to none.
bool LooksLikeText(std::string_view head) {
  if (head.starts_with("\xFF\xFE") || head.starts_with("\xFE\xFF")) return true;
  if (!GuessUtf16(head).empty()) return true;
  size_t controls = 0;
  for (const char byte : head) {
    const auto c = static_cast<unsigned char>(byte);
    controls += c == 0x7F || (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' &&
                              c != 0x1B && c != 0x1A && c != '\b');
  }
  return controls * 100 <= head.size() * 2;
}

// The first tag-like thing, after white space, a byte order mark and comments.
std::string FirstTag(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  while (true) {
    const size_t begin = head.find_first_not_of(" \t\r\n\f");
    if (begin == std::string_view::npos) return {};
    head.remove_prefix(begin);
    const bool comment = head.starts_with("<!--");
    if (!comment && !head.starts_with("<?xml")) break;
    const size_t end = head.find(comment ? "-->" : "?>");
    if (end == std::string_view::npos) return {};
    head.remove_prefix(end + (comment ? 3 : 2));
  }
  return Lower(head.substr(0, 32));
}

Result<FileType> SniffText(std::string_view head, std::string_view file_name) {
  if (head.substr(0, 256).find("PRIVATE KEY") != std::string_view::npos &&
      head.find("-----BEGIN") != std::string_view::npos) {
    return Fail(ErrorCode::kUnsupported, "not indexed: private key");
  }
  const std::string tag = FirstTag(head);
  if (tag.starts_with("<!doctype html") || tag.starts_with("<html")) return FileType::kHtml;
  if (HasExtension(file_name, {"html", "htm", "xhtml"})) return FileType::kHtml;
  if (HasExtension(file_name, {"md", "markdown", "mdown", "mkd"})) return FileType::kMarkdown;
  if (tag.starts_with("<fictionbook")) {
    return Fail(ErrorCode::kUnsupported, "unsupported: FictionBook (fb2)");
  }
  if (tag.starts_with("<svg")) {
    return Fail(ErrorCode::kUnsupported, "unrecognised content: SVG image");
  }
  return FileType::kText;
}

}  // namespace

std::string_view FileTypeName(FileType type) {
  constexpr std::string_view kNames[] = {"text", "markdown", "html", "pdf", "zip"};
  return kNames[static_cast<size_t>(type)];
}

Result<FileType> ParseFileType(std::string_view name) {
  for (const FileType type :
       {FileType::kText, FileType::kMarkdown, FileType::kHtml, FileType::kPdf, FileType::kZip}) {
    if (name == FileTypeName(type)) return type;
  }
  return Fail(ErrorCode::kInvalidArgument, "unknown file type: " + std::string(name));
}

Result<FileType> Sniff(std::string_view head, std::string_view file_name) {
  if (head.empty()) return Fail(ErrorCode::kUnsupported, "unrecognised content: empty file");
  // Readers accept leading junk before a PDF header; so do we.
  if (head.substr(0, 1024).find("%PDF-") != std::string_view::npos) return FileType::kPdf;
  // A lost header is repaired by readers, too.
  if (HasExtension(file_name, {"pdf"}) && head.find(" obj") != std::string_view::npos) {
    return FileType::kPdf;
  }
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) return FileType::kZip;
  if (head.starts_with("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")) {
    return Fail(ErrorCode::kUnsupported, "unsupported: " + std::string(OleKind(head)));
  }
  for (const Signature& signature : kDocuments) {
    if (Matches(signature, head)) {
      return Fail(ErrorCode::kUnsupported, "unsupported: " + std::string(signature.what));
    }
  }
  for (const Signature& signature : kOthers) {
    if (Matches(signature, head)) {
      return Fail(ErrorCode::kUnsupported, "unrecognised content: " + std::string(signature.what));
    }
  }
  if (!LooksLikeText(head)) {
    return Fail(ErrorCode::kUnsupported, "unrecognised content: binary data");
  }
  if (HasExtension(file_name, {"pdf", "docx"})) {
    return Fail(ErrorCode::kUnsupported,
                "unrecognised content: text in a file named ." + Extension(file_name));
  }
  return SniffText(head, file_name);
}

}  // namespace vade::ingest
