// What every Document and every chunking must satisfy, whatever the input was.
#pragma once

#include <gtest/gtest.h>
#include <unicode/normalizer2.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/utf8.h"
#include "ingest/chunker.h"
#include "ingest/document.h"

namespace vade::ingest {

inline bool IsNfc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* nfc = icu::Normalizer2::getNFCInstance(status);
  return nfc->isNormalizedUTF8({text.data(), static_cast<int32_t>(text.size())}, status) != 0;
}

inline std::string_view TextOf(const Document& document, const Block& block) {
  return std::string_view(document.text).substr(block.begin, block.end - block.begin);
}

inline void CheckPages(const Document& document) {
  if (document.pages.empty()) return;
  EXPECT_EQ(document.pages.front().begin, 0u);
  EXPECT_EQ(document.pages.back().end, document.text.size());
  for (size_t i = 0; i < document.pages.size(); ++i) {
    EXPECT_EQ(document.pages[i].number, i + 1);
    EXPECT_LE(document.pages[i].begin, document.pages[i].end);
    const uint64_t expected_begin = i == 0 ? 0 : document.pages[i - 1].end;
    EXPECT_EQ(document.pages[i].begin, expected_begin);
  }
}

/// The invariants of ingest/document.h.
inline void CheckDocument(const Document& document) {
  ASSERT_TRUE(utf8::IsValid(document.text));
  EXPECT_TRUE(IsNfc(document.text));
  EXPECT_FALSE(document.title.empty());
  EXPECT_EQ(document.title.find('\n'), std::string::npos);
  uint64_t covered = 0;
  for (size_t i = 0; i < document.blocks.size(); ++i) {
    const Block& block = document.blocks[i];
    ASSERT_LT(block.begin, block.end);
    ASSERT_LE(block.end, document.text.size());
    if (i == 0) {
      ASSERT_EQ(block.begin, 0u);
    } else {
      ASSERT_EQ(block.begin, covered + 2);
      ASSERT_EQ(document.text.substr(covered, 2), "\n\n");
    }
    covered = block.end;
    const std::string_view text = TextOf(document, block);
    ASSERT_EQ(text.find('\r'), std::string_view::npos);
    ASSERT_NE(text.back(), '\n');
    const bool one_line = block.kind == BlockKind::kHeading || block.kind == BlockKind::kParagraph;
    if (one_line) {
      ASSERT_EQ(text.find('\n'), std::string_view::npos);
      ASSERT_EQ(text.find("  "), std::string_view::npos);
    }
    if (block.kind == BlockKind::kList) {
      ASSERT_EQ(text.find("\n\n"), std::string_view::npos);
    }
    if (block.kind == BlockKind::kHeading) {
      ASSERT_GE(block.level, 1u);
      ASSERT_LE(block.level, 6u);
    }
  }
  ASSERT_EQ(covered, document.text.size());
  CheckPages(document);
}

/// The promises of ingest/chunker.h.
inline void CheckChunks(const Document& document, const std::vector<Chunk>& chunks,
                        const ChunkOptions& options, const TokenCounter& count_tokens) {
  uint64_t covered = 0;
  for (size_t i = 0; i < chunks.size(); ++i) {
    const Chunk& chunk = chunks[i];
    ASSERT_EQ(chunk.ordinal, i);
    ASSERT_LT(chunk.begin, chunk.end);
    ASSERT_LE(chunk.end, document.text.size());
    ASSERT_GE(chunk.begin, covered);
    for (uint64_t at = covered; at < chunk.begin; ++at) {
      ASSERT_NE(std::string_view(" \n\t").find(document.text[at]), std::string_view::npos);
    }
    ASSERT_EQ(utf8::FloorBoundary(document.text, chunk.begin), chunk.begin);
    ASSERT_EQ(utf8::FloorBoundary(document.text, chunk.end), chunk.end);
    const std::string text = EmbeddingText(chunk, document.text);
    ASSERT_TRUE(utf8::IsValid(text));
    ASSERT_EQ(chunk.token_count, count_tokens(text) + options.special_tokens);
    ASSERT_LE(chunk.token_count, options.max_tokens);
    if (!document.pages.empty()) {
      ASSERT_LE(chunk.first_page, chunk.last_page);
      ASSERT_LT(chunk.last_page, document.pages.size());
      ASSERT_LT(chunk.begin, document.pages[chunk.first_page].end);
      ASSERT_GE(chunk.begin, document.pages[chunk.first_page].begin);
      ASSERT_LE(chunk.end, document.pages[chunk.last_page].end);
    }
    covered = chunk.end;
  }
  for (uint64_t at = covered; at < document.text.size(); ++at) {
    ASSERT_NE(std::string_view(" \n\t").find(document.text[at]), std::string_view::npos);
  }
}

/// Seeded junk in the flavours that break text code: markup, Korean, combining marks, bad bytes.
class HostileText {
 public:
  explicit HostileText(uint32_t seed) : random_(seed) {}

  std::string Make(size_t num_parts) {
    static const std::vector<std::string> kParts = {"word ",
                                                    "Setup ",
                                                    "1. ",
                                                    "- ",
                                                    "  - ",
                                                    "\n",
                                                    "\n\n",
                                                    "\n    ",
                                                    "# ",
                                                    "## ",
                                                    "===\n",
                                                    "---\n",
                                                    "| a | b |\n",
                                                    "|---|---|\n",
                                                    "```\n",
                                                    "> ",
                                                    "*",
                                                    "**",
                                                    "_",
                                                    "`",
                                                    "[",
                                                    "](",
                                                    "![",
                                                    "<!--",
                                                    "-->",
                                                    "<div>",
                                                    "</div>",
                                                    "<table><tr><td>",
                                                    "</table>",
                                                    "<p hidden>",
                                                    "<li>",
                                                    "<ul>",
                                                    "</ul>",
                                                    "<script>",
                                                    "</script>",
                                                    "<pre>",
                                                    "</pre>",
                                                    "&amp;",
                                                    "&#x110000;",
                                                    "\t",
                                                    "\f",
                                                    "\r\n",
                                                    "서버를 다시 시작합니다. ",
                                                    "제1장 설치\n",
                                                    "가. 준비\n",
                                                    "장비는 안전한가요? ",
                                                    "日本語。",
                                                    "é",
                                                    "e\u0301",
                                                    "\u1112\u1161\u11ab",
                                                    "\u200b",
                                                    "\u202e",
                                                    "\U000E0041",
                                                    "\u00ad",
                                                    "\ufeff",
                                                    "\xff",
                                                    "\xc0\x80",
                                                    "\xed\xa0\x80",
                                                    "\xf0\x9f",
                                                    "\U0001F600",
                                                    ". ",
                                                    "e.g. ",
                                                    "E-204 ",
                                                    "pres-\nsure ",
                                                    std::string(1, '\0'),
                                                    "Name:  value\n",
                                                    "Speed   10 rpm\n",
                                                    "\u3099",
                                                    "\u0338",
                                                    "<",
                                                    ">",
                                                    "\u3042\n",
                                                    "WARNING\n",
                                                    "12.5 mm, "};
    std::string out;
    std::uniform_int_distribution<size_t> pick(0, kParts.size() - 1);
    for (size_t i = 0; i < num_parts; ++i) {
      const size_t choice = pick(random_);
      const size_t repeats = random_() % 16 == 0 ? random_() % 40 : 1;
      for (size_t j = 0; j < repeats; ++j) out += kParts[choice];
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

}  // namespace vade::ingest
