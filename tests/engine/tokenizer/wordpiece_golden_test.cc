// WordPiece against llama.cpp's ids and texts, and against Hugging Face's for the default model.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/base/file.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/golden.h"

namespace vade::tokenizer {
namespace {

std::unique_ptr<Tokenizer> LoadFrom(const std::filesystem::path& path) {
  const auto file = gguf::File::Open(path);
  EXPECT_TRUE(file) << file.error().message;
  auto tokenizer = Tokenizer::Load(*file);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return std::move(*tokenizer);
}

TEST(WordPieceGolden, ReferenceModels) {
  for (const std::string name : {"bert", "bert-cls", "bert-reranker", "nomic-bert"}) {
    SCOPED_TRACE(name);
    const auto tokenizer = LoadFrom(testing::GoldenPath("models/" + name + ".gguf"));
    const auto json =
        nlohmann::json::parse(ReadFile(testing::GoldenPath("models/" + name + ".json")).value());
    ASSERT_FALSE(json.at("tokenization").empty());
    for (const auto& line : json.at("tokenization")) {
      const bool add_special = line.value("add_special", true);
      const bool parse_special = line.value("parse_special", false);
      EXPECT_EQ(tokenizer->Encode(line.at("text").get<std::string>(), add_special, parse_special),
                line.at("ids").get<std::vector<TokenId>>())
          << line.at("text");
    }
  }
}

TEST(WordPieceGolden, DefaultModelAgreesWithHuggingFace) {
  const auto tokenizer =
      LoadFrom(std::filesystem::path(VADE_SOURCE_DIR) / "data/models/all-MiniLM-L6-v2.Q8_0.gguf");
  const auto lines = testing::ReadJsonLines(testing::GoldenPath("minilm/reference.jsonl"));
  ASSERT_GE(lines.size(), 200u);
  for (const auto& line : lines) {
    const auto text = line.at("text").get<std::string>();
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    EXPECT_EQ(tokenizer->Encode(text, true, false), ids) << text;
    EXPECT_EQ(tokenizer->Count(text) + tokenizer->num_added(), ids.size());
  }
}

TEST(WordPieceGolden, BgeVocabulary) {
  const auto folder = testing::SharedGoldenPath("tokenizers");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const auto tokenizer = LoadFrom(folder / "ggml-vocab-bert-bge.gguf");
  const auto lines = testing::ReadJsonLines(folder / "bert-bge.jsonl");
  EXPECT_EQ(lines.size(), 636u);
  for (const auto& line : lines) {
    const auto text = line.at("text").get<std::string>();
    const auto ids = line.at("ids").get<std::vector<TokenId>>();
    SCOPED_TRACE(text);
    EXPECT_EQ(tokenizer->Encode(text, line.at("add_special"), line.at("parse_special")), ids);
    EXPECT_EQ(tokenizer->Decode(ids, {}), line.at("detok").get<std::string>());
    EXPECT_EQ(tokenizer->Decode(ids, {.remove_added = true, .render_special = false}),
              line.at("detok_plain").get<std::string>());
  }
}

// llama.cpp's own list: texts between separator lines, ids one line a text.
TEST(WordPieceGolden, LlamaCppTestStrings) {
  const auto folder = testing::SharedGoldenPath("tokenizers");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const auto tokenizer = LoadFrom(folder / "ggml-vocab-bert-bge.gguf");
  const std::string separator = "\n__ggml_vocab_test__\n";
  std::string input = ReadFile(folder / "ggml-vocab-bert-bge.gguf.inp").value();
  std::ifstream output(folder / "ggml-vocab-bert-bge.gguf.out");
  size_t num_texts = 0;
  for (size_t at = 0; at < input.size(); ++num_texts) {
    const size_t end = std::min(input.find(separator, at), input.size());
    if (end == input.size()) break;  // what follows the last separator is no text
    std::string line;
    ASSERT_TRUE(std::getline(output, line));
    std::istringstream numbers(line);
    std::vector<TokenId> ids;
    for (TokenId id; numbers >> id;) ids.push_back(id);
    EXPECT_EQ(tokenizer->Encode(input.substr(at, end - at), false, false), ids) << num_texts;
    at = end + separator.size();
  }
  EXPECT_GE(num_texts, 40u);
}

}  // namespace
}  // namespace vade::tokenizer
