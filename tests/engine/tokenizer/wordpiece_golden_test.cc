// WordPiece against llama.cpp's ids and texts.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/tokenizer/tokenizer.h"
#include "tests/support/golden.h"

namespace vade::tokenizer {
namespace {

std::unique_ptr<Tokenizer> LoadFrom(const std::filesystem::path& path) {
  auto file = gguf::File::Open(path);
  EXPECT_TRUE(file) << file.error().message;
  auto tokenizer = Tokenizer::Load(*file);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

TEST(WordPieceGolden, BgeVocabulary) {
  const auto tokenizer = LoadFrom(testing::SharedGoldenPath("tokenizers/ggml-vocab-bert-bge.gguf"));
  for (const auto& line :
       testing::ReadJsonLines(testing::SharedGoldenPath("tokenizers/bert-bge.jsonl"))) {
    const auto text = line.at("text").get<std::string>();
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    SCOPED_TRACE(text);
    EXPECT_EQ(tokenizer->Encode(text, line.at("add_special"), line.at("parse_special")), ids);
    if (line.contains("detok")) {
      EXPECT_EQ(tokenizer->Decode(ids, {}), line.at("detok").get<std::string>());
    }
    if (line.contains("detok_plain")) {
      EXPECT_EQ(tokenizer->Decode(ids, {true, false}), line.at("detok_plain").get<std::string>());
    }
  }
}

}  // namespace
}  // namespace vade::tokenizer
