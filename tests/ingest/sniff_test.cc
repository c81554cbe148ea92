// faults.md 21: what a file is, whatever it is called.
#include "ingest/sniff.h"

#include <gtest/gtest.h>

#include <random>

namespace vade::ingest {
namespace {

using namespace std::string_view_literals;

std::string Reason(std::string_view head, std::string_view name) {
  const auto type = Sniff(head, name);
  return type ? "" : type.error().message;
}

TEST(Sniff, ContentDecidesBeforeName) {
  EXPECT_EQ(*Sniff("%PDF-1.7\n", "a.txt"), FileType::kPdf);
  EXPECT_EQ(*Sniff("junk\n%PDF-1.4", "a.bin"), FileType::kPdf);
  EXPECT_EQ(*Sniff("PK\x03\x04rest", "a.md"), FileType::kZip);
  EXPECT_EQ(*Sniff("  <!-- x --><!DOCTYPE HTML>", "page"), FileType::kHtml);
  EXPECT_EQ(*Sniff("\xEF\xBB\xBF<html lang=ko>", "page.txt"), FileType::kHtml);
  EXPECT_EQ(*Sniff("<?xml version='1.0'?>\n<html xmlns='x'>", "a"), FileType::kHtml);
}

TEST(Sniff, NameDecidesAmongTexts) {
  EXPECT_EQ(*Sniff("# Title\n", "a.MD"), FileType::kMarkdown);
  EXPECT_EQ(*Sniff("# Title\n", "a.txt"), FileType::kText);
  EXPECT_EQ(*Sniff("# Title\n", "README"), FileType::kText);
  EXPECT_EQ(*Sniff("<p>hello", "a.htm"), FileType::kHtml);
  EXPECT_EQ(*Sniff("T\0i\0t\0l\0e\0 \0o\0n\0e\0\n\0"sv, "a.txt"), FileType::kText);
  EXPECT_EQ(*Sniff("\xC0\xCC\xB0\xCD\xC0\xBA \xC7\xD1\xB1\xDB", "a.md"), FileType::kMarkdown);
}

TEST(Sniff, SaysWhatItIsInstead) {
  EXPECT_EQ(Reason("\x89PNG\r\n\x1A\n", "manual.pdf"), "unrecognised content: PNG image");
  EXPECT_EQ(Reason("", "a.md"), "unrecognised content: empty file");
  EXPECT_EQ(Reason("hello", "a.pdf"), "unrecognised content: text in a file named .pdf");
  EXPECT_EQ(Reason("{\\rtf1 x}", "a.doc"), "unsupported: RTF document");
  EXPECT_EQ(Reason("\x7F"
                   "ELF\2\1\1\0"sv,
                   "a.md"),
            "unrecognised content: ELF program");
  EXPECT_EQ(Reason("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 HWP Document File"sv, "a.hwp"),
            "unsupported: Hangul document (hwp)");
  EXPECT_EQ(Reason("-----BEGIN RSA PRIVATE KEY-----\nMII", "notes.txt"),
            "not indexed: private key");
}

TEST(Sniff, BinaryInMarkdownIsRefused) {
  std::mt19937 random(7);
  std::string noise(4096, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_EQ(Reason(noise, "a.md"), "unrecognised content: binary data");
  EXPECT_EQ(Reason(std::string(100, '\0'), "a.md"), "unrecognised content: binary data");
}

TEST(Sniff, NamesRoundTrip) {
  for (const FileType type :
       {FileType::kText, FileType::kMarkdown, FileType::kHtml, FileType::kPdf, FileType::kZip}) {
    EXPECT_EQ(*ParseFileType(FileTypeName(type)), type);
  }
  EXPECT_FALSE(ParseFileType("exe").has_value());
}

}  // namespace
}  // namespace vade::ingest
