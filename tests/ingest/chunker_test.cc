// ChunkDocument: limits, coverage, structure, and linear work on hostile text.
#include "ingest/chunker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ingest/document_builder.h"
#include "tests/ingest/document_checks.h"

namespace vade::ingest {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint64_t kMaxText = uint64_t{256} << 20;

size_t CountWords(std::string_view text) {
  size_t words = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t';
    words += !space && !in_word;
    in_word = !space;
  }
  return words;
}

// Like a byte-pair vocabulary: spaces and line ends cost tokens too.
size_t CountQuarters(std::string_view text) { return (text.size() + 3) / 4; }

size_t CountBytes(std::string_view text) { return text.size(); }

std::string Words(size_t count, std::string_view word = "word") {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    if (!out.empty()) out += ' ';
    out += std::string(word) + std::to_string(i);
  }
  return out;
}

// `count` sentences of ten words.
std::string Sentences(size_t count, std::string_view word = "word") {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += "The " + Words(9, word) + ". ";
  return out;
}

Document Finish(DocumentBuilder& builder) {
  Result<Document> document = builder.Finish("stem");
  EXPECT_TRUE(document.has_value());
  return std::move(*document);
}

std::vector<Chunk> Cut(const Document& document, const ChunkOptions& options = {},
                       const TokenCounter& count_tokens = CountWords) {
  auto chunks = ChunkDocument(document, options, count_tokens);
  CheckChunks(document, chunks, options, count_tokens);
  return chunks;
}

std::string_view Body(const Document& document, const Chunk& chunk) {
  return std::string_view(document.text).substr(chunk.begin, chunk.end - chunk.begin);
}

TEST(Chunker, EmptyDocumentHasNoChunks) {
  DocumentBuilder builder("text", kMaxText);
  EXPECT_TRUE(Cut(Finish(builder)).empty());
}

TEST(Chunker, SectionsOfGoodSizeAreChunksWithTheirHeadings) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddHeading(1, "Setup");
  builder.AddHeading(2, "Network");
  builder.AddParagraph(Sentences(12));
  builder.AddHeading(2, "Proxy");
  builder.AddParagraph(Sentences(15));
  const Document document = Finish(builder);
  const auto chunks = Cut(document);
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].heading_path, "Setup > Network");
  EXPECT_EQ(chunks[1].heading_path, "Setup > Proxy");
  EXPECT_THAT(std::string(Body(document, chunks[0])), StartsWith("Setup\n\nNetwork\n\nThe word0"));
  EXPECT_THAT(EmbeddingText(chunks[0], document.text), StartsWith("Setup > Network\nThe word0"));
  EXPECT_THAT(EmbeddingText(chunks[1], document.text), StartsWith("Setup > Proxy\nThe word0"));
}

TEST(Chunker, TheDocumentTitleIsNotPartOfThePath) {
  DocumentBuilder builder("text", kMaxText);
  builder.SetTitle("Pump manual");
  builder.AddHeading(1, "Pump manual");
  builder.AddHeading(2, "Reset");
  builder.AddParagraph(Sentences(15));
  const auto chunks = Cut(Finish(builder));
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(chunks[0].heading_path, "Reset");
}

TEST(Chunker, TinySiblingsShareAChunkUnderTheirParent) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddHeading(1, "Errors");
  for (int i = 1; i <= 4; ++i) {
    builder.AddHeading(2, "E-" + std::to_string(i));
    builder.AddParagraph(Sentences(3));
  }
  builder.AddHeading(1, "Service");
  builder.AddParagraph(Sentences(15));
  const Document document = Finish(builder);
  const auto chunks = Cut(document);
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(chunks[0].heading_path, "Errors");
  EXPECT_THAT(std::string(Body(document, chunks[0])), HasSubstr("E-4"));
  EXPECT_EQ(chunks[1].heading_path, "Service");
}

TEST(Chunker, LargeSectionsAreNeverMixed) {
  DocumentBuilder builder("text", kMaxText);
  for (int i = 1; i <= 5; ++i) {
    builder.AddHeading(2, "Part" + std::to_string(i));
    builder.AddParagraph(Sentences(9, "p" + std::to_string(i) + "x"));
  }
  const Document document = Finish(builder);
  for (const Chunk& chunk : Cut(document)) {
    const std::string own = chunk.heading_path.substr(4);
    for (int i = 1; i <= 5; ++i) {
      const bool found = EmbeddingText(chunk, document.text).find("p" + std::to_string(i) + "x") !=
                         std::string::npos;
      EXPECT_EQ(found, own == std::to_string(i));
    }
  }
}

TEST(Chunker, LongSectionsAreCutIntoEvenParts) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddHeading(2, "Long");
  builder.AddParagraph(Sentences(30));
  const auto chunks = Cut(Finish(builder));
  ASSERT_EQ(chunks.size(), 2u);
  for (const Chunk& chunk : chunks) EXPECT_NEAR(chunk.token_count, 150, 15);
}

TEST(Chunker, HeadingIsNeverLeftAtTheEndOfAChunk) {
  DocumentBuilder builder("text", kMaxText);
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    builder.AddHeading(static_cast<uint32_t>(1 + random() % 4), "Heading");
    const auto paragraphs = random() % 3 + 1;
    for (size_t j = 0; j < paragraphs; ++j) builder.AddParagraph(Sentences(random() % 30 + 1));
  }
  const Document document = Finish(builder);
  for (const Chunk& chunk : Cut(document)) {
    EXPECT_FALSE(Body(document, chunk).ends_with("Heading"));
  }
}

TEST(Chunker, StepListsStayWholeWhereTheyFit) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddHeading(2, "Reset");
  builder.AddParagraph(Sentences(10));
  builder.AddParagraph("Follow these steps:");
  for (int i = 1; i <= 8; ++i) builder.AddListItem(0, std::to_string(i) + ".", Words(19, "step"));
  builder.AddParagraph(Sentences(10));
  const Document document = Finish(builder);
  size_t with_steps = 0;
  for (const Chunk& chunk : Cut(document)) {
    const std::string_view body = Body(document, chunk);
    const bool has_steps = body.find("step0") != std::string_view::npos;
    with_steps += has_steps;
    if (!has_steps) continue;
    EXPECT_NE(body.find("Follow these steps:"), std::string_view::npos);
    EXPECT_NE(body.find("1. step0"), std::string_view::npos);
    EXPECT_NE(body.find("8. step0"), std::string_view::npos);
  }
  EXPECT_EQ(with_steps, 1u);
}

TEST(Chunker, SplitTableRepeatsItsHeaderRow) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddHeading(2, "Codes");
  std::vector<std::vector<std::string>> rows = {{"Code", "Meaning", "Remedy"}};
  for (int i = 0; i < 60; ++i) rows.push_back({"E-" + std::to_string(i), Words(5), Words(5)});
  builder.AddTable(rows, 1);
  const Document document = Finish(builder);
  const auto chunks = Cut(document);
  ASSERT_GT(chunks.size(), 3u);
  EXPECT_EQ(chunks[0].context, "");
  for (size_t i = 1; i < chunks.size(); ++i) {
    EXPECT_EQ(chunks[i].context, "Code | Meaning | Remedy");
    EXPECT_THAT(EmbeddingText(chunks[i], document.text),
                StartsWith("Codes\nCode | Meaning | Remedy\nE-"));
  }
}

TEST(Chunker, LongParagraphsSplitAtSentenceEnds) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddParagraph(Sentences(100));
  const Document document = Finish(builder);
  for (const Chunk& chunk : Cut(document)) EXPECT_EQ(Body(document, chunk).back(), '.');
}

TEST(Chunker, KoreanSplitsAtSentenceEnds) {
  DocumentBuilder builder("text", kMaxText);
  std::string text;
  for (int i = 0; i < 200; ++i) text += "전원을 끄고 필터를 교체한 다음 다시 켭니다. 작동하나요? ";
  builder.AddParagraph(text);
  const Document document = Finish(builder);
  const auto chunks = Cut(document);
  ASSERT_GT(chunks.size(), 5u);
  for (const Chunk& chunk : chunks) {
    const std::string_view body = Body(document, chunk);
    EXPECT_TRUE(body.ends_with("니다.") || body.ends_with("나요?")) << body;
  }
}

TEST(Chunker, LongHeadingPathsLoseTheirOuterPart) {
  DocumentBuilder builder("text", kMaxText);
  builder.AddHeading(1, Words(40, "outer"));
  builder.AddHeading(2, Words(30, "middle"));
  builder.AddHeading(3, "Inner");
  builder.AddParagraph(Sentences(12));
  const auto chunks = Cut(Finish(builder));
  EXPECT_THAT(chunks.back().heading_path, StartsWith("… > middle0"));
  EXPECT_THAT(chunks.back().heading_path, HasSubstr(" > Inner"));
}

TEST(Chunker, ChunksKnowTheirPages) {
  DocumentBuilder builder("pdf", kMaxText);
  for (int page = 0; page < 10; ++page) {
    builder.BeginPage({});
    builder.AddParagraph(Sentences(13));
  }
  const Document document = Finish(builder);
  const auto chunks = Cut(document);  // CheckChunks compares pages with offsets
  EXPECT_EQ(chunks.front().first_page, 0u);
  EXPECT_EQ(chunks.back().last_page, 9u);
}

TEST(Chunker, DocumentWithoutBlocksIsStillCovered) {
  Document document;
  document.title = "t";
  document.text = Sentences(200);
  EXPECT_GT(Cut(document).size(), 5u);
}

TEST(Chunker, SmallAndOddLimitsHold) {
  HostileText hostile(11);
  DocumentBuilder builder("text", kMaxText);
  for (int i = 0; i < 40; ++i) {
    builder.AddHeading(1 + static_cast<uint32_t>(i) % 6, hostile.Make(4));
    builder.AddParagraph(hostile.Make(60));
    builder.AddCode(hostile.Make(30));
    builder.AddTable({{hostile.Make(3), hostile.Make(3)}, {hostile.Make(9), hostile.Make(9)}}, 1);
    builder.AddListItem(0, "-", hostile.Make(20));
  }
  const Document document = Finish(builder);
  CheckDocument(document);
  for (const size_t max_tokens : {10u, 16u, 33u, 64u, 256u, 512u, 8192u}) {
    const ChunkOptions options{.max_tokens = max_tokens, .target_tokens = max_tokens * 3 / 4};
    Cut(document, options, CountWords);
    Cut(document, options, CountQuarters);
    Cut(document, options, CountBytes);
  }
}

TEST(Chunker, HostileShapesStayBoundedAndLinear) {
  struct Case {
    const char* name;
    std::string text;
  };
  constexpr size_t kBytes = size_t{1} << 20;
  std::string lines;
  while (lines.size() < kBytes) lines += "x\n";
  std::string stops;
  while (stops.size() < kBytes) stops += ". ";
  std::string hangul;
  while (hangul.size() < kBytes) hangul += "가";
  for (const Case& c : {Case{"one word", std::string(10 * kBytes, 'a')}, Case{"lines", lines},
                        Case{"full stops", stops}, Case{"no spaces", hangul},
                        Case{"newlines", std::string(kBytes, '\n')}}) {
    SCOPED_TRACE(c.name);
    for (const bool code : {false, true}) {
      DocumentBuilder builder("text", kMaxText);
      code ? builder.AddCode(c.text) : builder.AddParagraph(c.text);
      const Document document = Finish(builder);
      uint64_t counted_bytes = 0;
      const ChunkOptions options;
      const auto chunks = ChunkDocument(document, options, [&](std::string_view text) {
        counted_bytes += text.size();
        return CountWords(text);
      });
      CheckChunks(document, chunks, options, CountWords);
      EXPECT_LE(counted_bytes, 6 * document.text.size() + 1000);
      for (const Chunk& chunk : chunks) EXPECT_LE(chunk.end - chunk.begin, 4096u);
    }
  }
}

TEST(Chunker, FingerprintNamesVersionAndOptions) {
  ChunkOptions options;
  const std::string fingerprint = ChunkerFingerprint(options);
  EXPECT_EQ(fingerprint, ChunkerFingerprint(ChunkOptions{}));
  options.target_tokens = 100;
  EXPECT_NE(fingerprint, ChunkerFingerprint(options));
}

}  // namespace
}  // namespace vade::ingest
