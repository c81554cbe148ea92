// vade model and vade debug as a user runs them: outputs, exit codes, nothing half-written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kModel = std::string(VADE_SOURCE_DIR) + "/data/models/all-MiniLM-L6-v2.Q8_0.gguf";
const std::string kTiny = std::string(VADE_SOURCE_DIR) + "/tests/golden/models/bert.gguf";

std::vector<json> Lines(const std::string& out) {
  std::vector<json> lines;
  std::istringstream in(out);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

class ModelCommand : public ::testing::Test {
 protected:
  Finished Vade(const std::vector<std::string>& arguments, const std::string& input = "") const {
    return RunVade(folder_.path(), arguments, {.stdin_text = input});
  }
  TemporaryFolder folder_;
};

TEST_F(ModelCommand, ShowTellsWhatTheDefaultModelHolds) {
  const Finished shown = Vade({"--json", "model", "show", kModel});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const json out = json::parse(shown.out);
  EXPECT_EQ(out["metadata"]["general.license"]["value"], "apache-2.0");
  EXPECT_EQ(out["metadata"]["bert.max_sequence_length"]["value"], 256);
  EXPECT_EQ(out["tensors"].size(), 101u);
  EXPECT_TRUE(out["problems"].empty()) << out["problems"];
  const Finished text = Vade({"model", "show", kModel});
  EXPECT_THAT(text.out, HasSubstr("token_embd.weight q8_0 [384, 30522]"));
  EXPECT_THAT(text.out, HasSubstr("usable as embedder"));
}

TEST_F(ModelCommand, ShowReckonsTheMemoryOfALanguageModel) {
  const std::string model =
      std::string(VADE_SOURCE_DIR) + "/tests/golden/models/llama-linear-mha.gguf";
  const auto shown = [&](const std::string& context) {
    return json::parse(Vade({"--json", "model", "show", model, "--context", context}).out);
  };
  const json small = shown("64");
  EXPECT_EQ(small["usable_as"], "language model");
  ASSERT_EQ(small["memory"].size(), 2u);
  EXPECT_EQ(small["memory"][0]["context_length"], 64);
  const auto cache = [](const json& out, size_t i) {
    return out["memory"][i]["cache_bytes"].get<uint64_t>();
  };
  EXPECT_LT(cache(small, 1), cache(small, 0));  // 8 bits below 16
  EXPECT_EQ(cache(shown("256"), 0), 4 * cache(small, 0));
  EXPECT_THAT(Vade({"model", "show", model}).out, HasSubstr("usable as language model"));
  const Finished too_long = Vade({"model", "show", model, "--context", "999999"});
  EXPECT_EQ(too_long.code, 0);
  EXPECT_THAT(too_long.out, HasSubstr("unsupported: "));
  EXPECT_THAT(too_long.out, HasSubstr("the model was trained for fewer tokens"));
}

TEST_F(ModelCommand, ShowRefusesWhatIsNoModel) {
  const auto page = folder_.Write("page.gguf", "<html>404</html>");
  const Finished shown = Vade({"model", "show", page.native()});
  EXPECT_EQ(shown.code, 3);
  EXPECT_THAT(shown.err, HasSubstr("page.gguf: byte 0: magic: not a GGUF file"));
  EXPECT_EQ(shown.out, "");
  EXPECT_EQ(Vade({"model", "show", "absent.gguf"}).code, 3);
}

TEST_F(ModelCommand, QuantizeWritesOnceUnlessForced) {
  const std::string out = folder_.path() / "q8.gguf";
  const Finished first = Vade({"model", "quantize", kTiny, out});
  ASSERT_EQ(first.code, 0) << first.err;
  const Finished again = Vade({"model", "quantize", kTiny, out});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("exists already (--force replaces it)"));
  EXPECT_EQ(Vade({"model", "quantize", kTiny, out, "--force"}).code, 0);
  const json shown = json::parse(Vade({"--json", "model", "show", out}).out);
  EXPECT_GT(shown["bytes_by_type"]["q8_0"].get<uint64_t>(), 0u);
  EXPECT_EQ(Vade({"model", "quantize", kTiny, out, "--type", "q4_K"}).code, 2);
}

TEST_F(ModelCommand, QuantizeWritesMixtures) {
  const std::string out = folder_.path() / "mixture.gguf";
  const Finished done =
      Vade({"--threads", "2", "model", "quantize", kTiny, out, "--type", "q4_K_M"});
  ASSERT_EQ(done.code, 0) << done.err;
  const json shown = json::parse(Vade({"--json", "model", "show", out}).out);
  EXPECT_EQ(shown["metadata"]["general.file_type"]["value"], 15);
  EXPECT_GT(shown["bytes_by_type"].value("q4_K", 0), 0) << shown["bytes_by_type"];
  EXPECT_GT(shown["bytes_by_type"].value("q6_K", 0), 0) << shown["bytes_by_type"];
}

TEST_F(ModelCommand, ImportNamesTheMissingFile) {
  const Finished done =
      Vade({"model", "import", folder_.path(), "-o", folder_.path() / "out.gguf"});
  EXPECT_EQ(done.code, 3);
  EXPECT_THAT(done.err, HasSubstr("config.json: No such file or directory"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "out.gguf"));
}

TEST_F(ModelCommand, DebugTokenizesAndGoesOnAfterABadLine) {
  const Finished done = Vade({"debug", "tokenize", "-m", kModel},
                             "{\"text\":\"Reset the pump\",\"add_special\":true}\n"
                             "not json\n"
                             "{\"text\":\"[SEP]\",\"parse_special\":true}\n");
  EXPECT_EQ(done.code, 3);
  const auto lines = Lines(done.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], json::parse(R"({"ids":[101,25141,1996,10216,102]})"));
  EXPECT_EQ(lines[1], json::parse(R"({"error":"line 2: not valid JSON"})"));
  EXPECT_EQ(lines[2], json::parse(R"({"ids":[102]})"));
}

TEST_F(ModelCommand, DebugDetokenizesAndEmbeds) {
  const Finished text = Vade({"debug", "detokenize", "-m", kModel},
                             "{\"ids\":[101,25141,1996,10216,102]}\n"
                             "{\"ids\":[101,25141,102],\"unparse_special\":false}\n");
  EXPECT_EQ(text.code, 0);
  const auto texts = Lines(text.out);
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0]["text"], "[CLS] reset the pump[SEP]");
  EXPECT_EQ(texts[1]["text"], " reset");
  const Finished vectors = Vade({"debug", "embed", "-m", kModel},
                                "{\"text\":\"Reset the pump\"}\n"
                                "{\"ids\":[101,25141,1996,10216,102]}\n"
                                "{\"ids\":[101,30522]}\n");
  EXPECT_EQ(vectors.code, 3);  // the last line names an id outside the vocabulary
  const auto lines = Lines(vectors.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["embedding"].size(), 384u);
  EXPECT_EQ(lines[0], lines[1]);
  EXPECT_THAT(lines[2]["error"].get<std::string>(), HasSubstr("30522"));
}

TEST_F(ModelCommand, DebugEmbedTakesAnotherPooling) {
  const Finished done = Vade({"debug", "embed", "-m", kModel},
                             "{\"ids\":[101,2307,102],\"pooling\":\"none\"}\n"
                             "{\"ids\":[101,2307,102],\"pooling\":\"cls\"}\n"
                             "{\"ids\":[101,2307,102],\"pooling\":\"max\"}\n");
  EXPECT_EQ(done.code, 3);
  const auto lines = Lines(done.out);
  ASSERT_EQ(lines.size(), 3u);
  ASSERT_EQ(lines[0]["token_embeddings"].size(), 3u);
  const auto first = lines[0]["token_embeddings"][0].get<std::vector<double>>();
  double squares = 0;
  for (const double x : first) squares += x * x;
  EXPECT_NEAR(lines[1]["embedding"][7].get<double>(), first.at(7) / std::sqrt(squares), 1e-6);
  EXPECT_THAT(lines[2]["error"].get<std::string>(), HasSubstr("'max'"));
}

TEST_F(ModelCommand, DebugRankScoresDocumentsAndPairsOfIds) {
  const std::string model =
      std::string(VADE_SOURCE_DIR) + "/tests/golden/models/modern-bert-reranker.gguf";
  const Finished done = Vade({"debug", "rank", "-m", model},
                             "{\"query\":\"a b\",\"documents\":[\"c\",\"d e\"]}\n"
                             "{\"query\":\"a b\",\"document\":\"d e\"}\n"
                             "{\"ids\":[2,5,7,3,9,3]}\n"
                             "{\"ids\":[[2,5,7,3,9,3],[2,5,7,3,11,13,3]]}\n"
                             "{\"query\":\"a\",\"documents\":[1]}\n"
                             "{\"query\":\"a\",\"documents\":[]}\n");
  EXPECT_EQ(done.code, 3);
  const auto lines = Lines(done.out);
  ASSERT_EQ(lines.size(), 6u);
  ASSERT_EQ(lines[0]["scores"].size(), 2u);
  EXPECT_EQ(lines[0]["values"][1].size(), 2u);
  EXPECT_EQ(lines[1]["scores"][0], lines[0]["scores"][1]);
  EXPECT_EQ(lines[2]["scores"][0], lines[0]["scores"][0]) << "[CLS] a b [SEP] c [SEP]";
  EXPECT_EQ(lines[3]["scores"], lines[0]["scores"]);
  EXPECT_THAT(lines[4]["error"].get<std::string>(), HasSubstr("\"documents\""));
  EXPECT_EQ(lines[5]["scores"], json::array());
  const Finished no_head = Vade({"debug", "rank", "-m", kModel}, "{}\n");
  EXPECT_EQ(no_head.code, 3);
  EXPECT_THAT(no_head.err, HasSubstr("cls.output.weight"));
}

}  // namespace
}  // namespace vade::testing
