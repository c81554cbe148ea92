#include "qa/server/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace vade::qa::server {
namespace {

using ::testing::HasSubstr;

TEST(LatencyHistogram, PercentilesAreWithinFivePercent) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Percentile(50), 0);
  for (int i = 1; i <= 1000; ++i) histogram.Add(i);
  EXPECT_NEAR(histogram.Percentile(50), 500, 25);
  EXPECT_NEAR(histogram.Percentile(99), 990, 50);
  EXPECT_EQ(histogram.count(), 1000u);
  EXPECT_NEAR(histogram.sum_ms(), 500'500, 1);
  EXPECT_EQ(histogram.CountUpTo(1e9), 1000u);
  EXPECT_EQ(histogram.CountUpTo(0.01), 0u);
  histogram.Add(0);
  histogram.Add(1e12);
  EXPECT_EQ(histogram.count(), 1002u);
}

class AccountsTest : public ::testing::Test {
 protected:
  AccountsTest()
      : accounts_(folder_.path() / "usage.jsonl",
                  {{.name = "ali", .prompt_price = 2, .completion_price = 10}}, "EUR") {}
  ModelUse Use(const std::string& key) {
    return {.request_id = "r1",
            .key = key,
            .model = "m\"1",
            .route = "/v1/x",
            .prompt_tokens = 1000,
            .completion_tokens = 100,
            .prefill_ms = 500,
            .decode_ms = 1000,
            .first_token_ms = 510,
            .ms = 1500};
  }
  testing::TemporaryFolder folder_;
  Accounts accounts_;
};

TEST_F(AccountsTest, SumsRequestsTokensAndCost) {
  accounts_.Add(RequestEnd{"/a", "GET", 200, 5});
  accounts_.Add(RequestEnd{"/a", "GET", 500, 15});
  accounts_.Add(Use("ali"));
  accounts_.Add(Use("local"));
  ModelUse cached = Use("ali");
  cached.cached = true;
  accounts_.Add(cached);
  const auto dashboard = accounts_.Dashboard();
  EXPECT_EQ(dashboard["requests"], 2);
  EXPECT_EQ(dashboard["errors"], 1);
  EXPECT_EQ(dashboard["tokens"]["prompt"], 3000);
  EXPECT_EQ(dashboard["cost"]["currency"], "EUR");
  EXPECT_NEAR(dashboard["cost"]["total"].get<double>(), 0.003, 1e-9);  // one paid use
  EXPECT_EQ(dashboard["series"].size(), 60u);
  EXPECT_EQ(dashboard["series"].back()["requests"], 2);
  EXPECT_EQ(dashboard["models"][0]["tokens_per_s"], 100);
}

TEST_F(AccountsTest, MetricsAreInPrometheusFormat) {
  accounts_.Add(RequestEnd{"/a", "GET", 200, 5});
  accounts_.Add(Use("ali"));
  const std::string metrics = accounts_.Metrics();
  EXPECT_THAT(
      metrics,
      HasSubstr("# TYPE vade:http_requests_total counter\n"
                "vade:http_requests_total{route=\"/a\",method=\"GET\",status=\"200\"} 1\n"));
  EXPECT_THAT(metrics,
              HasSubstr("vade:http_request_duration_seconds_bucket{route=\"/a\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("vade:prompt_tokens_total{model=\"m\\\"1\"} 1000\n"));
  EXPECT_THAT(metrics, HasSubstr("vade:tokens_predicted_total{model=\"m\\\"1\"} 100\n"));
}

TEST_F(AccountsTest, UsageIsReadBackAndForeignLinesAreSkipped) {
  accounts_.Add(Use("ali"));
  accounts_.Add(Use("ali"));
  ModelUse formula = Use("=cmd()");
  accounts_.Add(formula);
  const std::string bad = "not json\n{\"t\":\"x\"}\n[]\n{\"t\":5,\"key\":7,\"prompt_tokens\":-5}\n";
  std::FILE* file = std::fopen(accounts_.usage_file().c_str(), "a");
  std::fputs(bad.c_str(), file);
  std::fclose(file);
  const auto rows = ReadUsage(accounts_.usage_file());
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 3u);
  const UsageRow& ali = rows->back();
  EXPECT_EQ(ali.key, "ali");
  EXPECT_EQ(ali.requests, 2u);
  EXPECT_EQ(ali.prompt_tokens, 2000u);
  EXPECT_NEAR(ali.cost, 0.006, 1e-9);
  const std::string csv = UsageCsv(*rows);
  EXPECT_THAT(csv, HasSubstr("\"ali\",\"m\"\"1\",2,0,2000,200,3,0.006\n"));
  EXPECT_THAT(csv, HasSubstr(",\"'=cmd()\","));  // no formula for a spreadsheet
  EXPECT_EQ(ReadUsage(folder_.path() / "none").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace vade::qa::server
