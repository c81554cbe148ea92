// Every vocabulary of the wider reference collection: ids and texts equal llama.cpp's.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "engine/base/file.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/golden.h"

namespace vade::tokenizer {
namespace {

std::filesystem::path Folder() { return testing::SharedGoldenPath("tokenizers"); }

// "ggml-vocab-NAME.gguf" and its tokenizer.
template <typename Function>
void ForEachVocabulary(const Function& function) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
    if (entry.path().extension() != ".gguf") continue;
    SCOPED_TRACE(entry.path().filename().string());
    const auto file = gguf::File::Open(entry.path());
    ASSERT_TRUE(file) << file.error().message;
    const auto tokenizer = Tokenizer::Load(*file);
    ASSERT_TRUE(tokenizer) << tokenizer.error().message;
    function(entry.path(), **tokenizer);
    ++count;
  }
  EXPECT_GE(count, 6u);
}

std::string FromHex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

std::string TextOf(const nlohmann::json& line, const std::string& key) {
  const auto hex = line.find(key + "_hex");
  return hex != line.end() ? FromHex(hex->get<std::string>()) : line.at(key).get<std::string>();
}

TEST(VocabulariesGolden, IdsAndTexts) {
  if (!std::filesystem::exists(Folder())) GTEST_SKIP() << "no " << Folder();
  ForEachVocabulary([](const std::filesystem::path& path, const Tokenizer& tokenizer) {
    const std::string name = path.stem().string().substr(std::string("ggml-vocab-").size());
    const auto lines = testing::ReadJsonLines(path.parent_path() / (name + ".jsonl"));
    EXPECT_EQ(lines.size(), 636u);
    for (const auto& line : lines) {
      const auto text = line.at("text").get<std::string>();
      const auto ids = line.at("ids").get<std::vector<TokenId>>();
      SCOPED_TRACE(text);
      EXPECT_EQ(tokenizer.Encode(text, line.at("add_special"), line.at("parse_special")), ids);
      EXPECT_EQ(tokenizer.Decode(ids, {}), TextOf(line, "detok"));
      EXPECT_EQ(tokenizer.Decode(ids, {.remove_added = true, .render_special = false}),
                TextOf(line, "detok_plain"));
    }
  });
}

// llama.cpp's own list: texts between separator lines, ids one line a text.
TEST(VocabulariesGolden, LlamaCppTestStrings) {
  if (!std::filesystem::exists(Folder())) GTEST_SKIP() << "no " << Folder();
  ForEachVocabulary([](const std::filesystem::path& path, const Tokenizer& tokenizer) {
    const std::string separator = "\n__ggml_vocab_test__\n";
    const std::string input = ReadFile(path.string() + ".inp").value();
    std::ifstream output(path.string() + ".out");
    size_t num_texts = 0;
    for (size_t at = 0;; ++num_texts) {
      const size_t end = input.find(separator, at);
      if (end == std::string::npos) break;  // what follows the last separator is no text
      std::string line;
      ASSERT_TRUE(std::getline(output, line));
      std::istringstream numbers(line);
      std::vector<TokenId> ids;
      for (TokenId id; numbers >> id;) ids.push_back(id);
      EXPECT_EQ(tokenizer.Encode(input.substr(at, end - at), false, false), ids) << num_texts;
      at = end + separator.size();
    }
    EXPECT_GE(num_texts, 40u);
  });
}

}  // namespace
}  // namespace vade::tokenizer
