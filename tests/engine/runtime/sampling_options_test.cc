#include "engine/runtime/sampling_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace vade::runtime {
namespace {

using ::testing::HasSubstr;

TEST(SamplingOptions, DefaultsAreOllamas) {
  const SamplingOptions options;
  EXPECT_FLOAT_EQ(options.temperature, 0.8f);
  EXPECT_EQ(options.top_k, 40);
  EXPECT_FLOAT_EQ(options.top_p, 0.9f);
  EXPECT_FLOAT_EQ(options.repeat_penalty, 1.0f);
  EXPECT_EQ(options.repeat_last_n, 64);
  EXPECT_TRUE(Validate(options, 10).has_value());
}

TEST(SamplingOptions, ErrorsNameTheOptionWhatItGotAndWhatItWants) {
  struct Case {
    const char* message;
    std::function<void(SamplingOptions&)> break_it;
  };
  const Case cases[] = {
      {"temperature: got -1, want a number from 0 to 100", [](auto& o) { o.temperature = -1; }},
      {"temperature: got nan", [](auto& o) { o.temperature = NAN; }},
      {"top_k: got -5", [](auto& o) { o.top_k = -5; }},
      {"top_p: got 1.5, want a number from 0 to 1", [](auto& o) { o.top_p = 1.5f; }},
      {"min_p: got inf", [](auto& o) { o.min_p = INFINITY; }},
      {"typical_p: got -0.5", [](auto& o) { o.typical_p = -0.5f; }},
      {"repeat_last_n: got -2", [](auto& o) { o.repeat_last_n = -2; }},
      {"repeat_penalty: got 0", [](auto& o) { o.repeat_penalty = 0; }},
      {"presence_penalty: got nan", [](auto& o) { o.presence_penalty = NAN; }},
      {"frequency_penalty: got 1000", [](auto& o) { o.frequency_penalty = 1000; }},
      {"top_logprobs: got 21", [](auto& o) { o.logprobs = true, o.top_logprobs = 21; }},
      {"with logprobs false", [](auto& o) { o.top_logprobs = 3; }},
      {"logit_bias token id: got 10, want 0 to 9",
       [](auto& o) {
         o.logit_bias = {{10, 1}};
       }},
      {"logit_bias token id: got -1",
       [](auto& o) {
         o.logit_bias = {{-1, 1}};
       }},
      {"logit_bias: got nan",
       [](auto& o) {
         o.logit_bias = {{1, NAN}};
       }},
      {"logit_bias: got inf",
       [](auto& o) {
         o.logit_bias = {{1, INFINITY}};
       }},
      {"logit_bias: got 100000, want at most 1024 entries",
       [](auto& o) { o.logit_bias.resize(100'000); }},
  };
  for (const Case& c : cases) {
    SamplingOptions options;
    c.break_it(options);
    const auto valid = Validate(options, 10);
    ASSERT_FALSE(valid.has_value()) << c.message;
    EXPECT_EQ(valid.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(valid.error().message, HasSubstr(c.message));
  }
}

TEST(SamplingOptions, MinusInfinityBansAToken) {
  SamplingOptions options;
  options.logit_bias = {{3, -INFINITY}};
  EXPECT_TRUE(Validate(options, 10).has_value());
}

}  // namespace
}  // namespace vade::runtime
