// `vade eval` on a small BEIR folder, from the command line to its exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

using ::testing::HasSubstr;

// Three documents and two questions that share their words with one document each.
class EvalTest : public ::testing::Test {
 protected:
  EvalTest() {
    home_.Write("set/corpus.jsonl",
                R"({"_id": "pump", "title": "Pump", "text": "Prime the pump before starting."})"
                "\n"
                R"({"_id": "valve", "title": "Valve", "text": "Close the valve after flushing."})"
                "\n"
                R"({"_id": "seal", "title": "Seal", "text": "Grease every gasket once a year."})"
                "\n");
    home_.Write("set/queries.jsonl", R"({"_id": "q1", "text": "prime the pump"})"
                                     "\n"
                                     R"({"_id": "q2", "text": "flushing valve"})"
                                     "\n");
    home_.Write("set/qrels/test.tsv",
                "query-id\tcorpus-id\tscore\nq1\tpump\t1\nq2\tvalve\t1\nq2\tseal\t0\n");
  }

  [[nodiscard]] Finished Eval(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"eval", (home_.path() / "set").string()});
    return RunVade(home_.path(), arguments);
  }

  TemporaryFolder home_;
};

TEST_F(EvalTest, ScoresEveryModeAndCompares) {
  const Finished run = Eval({"--compare", "lexical,dense,hybrid", "--json", "-m", "ndcg@10"});
  ASSERT_EQ(run.code, 0) << run.err;
  const auto report = nlohmann::json::parse(run.out);
  ASSERT_EQ(report["arms"].size(), 3u);
  EXPECT_EQ(report["judged_questions"], 2);
  for (const auto& arm : report["arms"]) {
    EXPECT_DOUBLE_EQ(arm["measures"]["nDCG@10"]["mean"], 1.0) << arm["name"];
  }
  EXPECT_EQ(report["comparisons"].size(), 3u);
}

TEST_F(EvalTest, AScoreBelowTheMinimumFails) {
  EXPECT_EQ(Eval({"--min", "ndcg@10=0.9"}).code, 0);
  // Both questions have one document to find: the best precision at 2 is a half.
  const Finished run = Eval({"--min", "p@2=0.6"});
  EXPECT_EQ(run.code, 9) << run.err;
  EXPECT_THAT(run.err, HasSubstr("P@2 is 0.5"));
}

TEST_F(EvalTest, TheRunItWritesScoresTheSame) {
  const std::string run_file = (home_.path() / "hybrid.run").string();
  ASSERT_EQ(Eval({"--run-out", run_file}).code, 0);
  home_.Write("q.qrels", "q1 0 pump 1\nq2 0 valve 1\n");
  const Finished scored =
      RunVade(home_.path(), {"eval", "--qrels", (home_.path() / "q.qrels").string(), "--run",
                             run_file, "--trec", "-m", "map"});
  ASSERT_EQ(scored.code, 0) << scored.err;
  EXPECT_EQ(scored.out, "map                   \tall\t1.0000\n");
}

TEST_F(EvalTest, ABrokenLineIsNamed) {
  home_.Write("set/queries.jsonl", "{\"_id\": \"q1\", \"text\": \"prime\"}\n{\"_id\": 7\n");
  const Finished run = Eval({});
  EXPECT_EQ(run.code, 3);
  EXPECT_THAT(run.err, HasSubstr("queries.jsonl:2"));
}

}  // namespace
}  // namespace vade::testing
