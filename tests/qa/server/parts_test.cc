// The small parts: caches, limits, conversations, workers, the choice of a model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "qa/server/conversations.h"
#include "qa/server/errors.h"
#include "engine/base/lru_cache.h"
#include "qa/server/models.h"
#include "qa/server/rate_limiter.h"
#include "qa/server/workers.h"

namespace vade::qa::server {
namespace {

using ::testing::HasSubstr;

TEST(LruCache, TheLeastRecentlyUsedGoesFirst) {
  LruCache<int> cache(40);
  for (int i = 0; i < 4; ++i) cache.Put(std::to_string(i), i, 10);
  EXPECT_EQ(cache.Find("0"), 0);
  cache.Put("4", 4, 10);
  EXPECT_EQ(cache.Find("1"), std::nullopt);
  EXPECT_EQ(cache.Find("0"), 0);
  cache.Put("large", 5, 11);
  EXPECT_EQ(cache.Find("large"), std::nullopt);
  cache.Put("0", 7, 10);
  EXPECT_EQ(cache.Find("0"), 0);
  EXPECT_EQ(cache.counts().entries, 4u);
  EXPECT_EQ(cache.counts().hits, 3u);
  EXPECT_EQ(cache.counts().misses, 2u);
}

TEST(RateLimiter, RefillsEvenly) {
  RateLimiter limiter;
  RateLimiter::Time now{};
  EXPECT_FALSE(limiter.Take("a", 0, now));
  for (int i = 0; i < 60; ++i) EXPECT_FALSE(limiter.Take("a", 60, now)) << i;
  EXPECT_EQ(limiter.Take("a", 60, now), 2u);  // rounded up
  EXPECT_FALSE(limiter.Take("b", 60, now));
  now += std::chrono::milliseconds(1100);
  EXPECT_FALSE(limiter.Take("a", 60, now));
  EXPECT_TRUE(limiter.Take("a", 60, now));
}

TEST(Conversations, BelongToTheKeyThatStartedThem) {
  Conversations conversations;
  const auto mine = conversations.Start("ali", {});
  EXPECT_EQ(conversations.Find(mine->id, "ali"), mine);
  EXPECT_EQ(conversations.Find(mine->id, "eve"), nullptr);
  EXPECT_FALSE(conversations.Forget(mine->id, "eve"));
  EXPECT_TRUE(conversations.Forget(mine->id, "ali"));
  EXPECT_EQ(conversations.Find(mine->id, "ali"), nullptr);
  const auto old = conversations.Start("ali", {});
  for (int i = 0; i < 600; ++i) (void)conversations.Start("ali", {});
  EXPECT_EQ(conversations.Find(old->id, "ali"), nullptr);
}

TEST(Workers, RunEverythingAndRefuseWhatIsTooMuch) {
  std::atomic<int> ran = 0;
  std::atomic<bool> go = false;
  Workers workers(2, 3);
  const auto task = [&] {
    while (!go) std::this_thread::yield();
    ++ran;
  };
  int taken = 0;
  while (workers.Submit(task)) ++taken;
  EXPECT_GE(taken, 5);
  EXPECT_LE(taken, 7);  // two may have begun meanwhile
  go = true;
  workers.Join();
  EXPECT_EQ(ran, taken);
  EXPECT_FALSE(workers.Submit(task));
}

TEST(Models, AutoChoosesByTheQuestionAndSaysWhy) {
  EXPECT_LT(MeasureComplexity("What is the weight of the LW-300?").score, .3);
  EXPECT_GE(
      MeasureComplexity("Compare the P200 with the P350: which of them is quieter, and why?").score,
      .6);
  EXPECT_GE(MeasureComplexity("두 모델의 차이를 비교해서 설명해 주세요").score, .6);
  EXPECT_THAT(MeasureComplexity("Why does it leak?").reason, HasSubstr("'why'"));
  ModelSettings settings;
  settings.pool.program = "/nonexistent";
  EXPECT_EQ(Models(settings).Route("x").error().code, ErrorCode::kNotFound);
  settings.small = "s";
  EXPECT_EQ(Models(settings).Route("Compare a and b, and explain why.")->model, "s");
  settings.large = "l";
  const Models models(settings);
  const auto hard = models.Route("Compare a and b, and explain why.");
  EXPECT_EQ(hard->model, "l");
  EXPECT_EQ(hard->size, "large");
  const auto middle = models.Route("Why does it leak?");
  EXPECT_EQ(middle->model, "l");
  EXPECT_THAT(middle->reason, HasSubstr("no medium model"));
  EXPECT_EQ(models.Route("How heavy is it?")->model, "s");
}

TEST(Models, ANameIsNeverAPath) {
  ModelSettings settings;
  settings.pool.names.folder = "/etc/ssl";
  settings.pool.program = "/nonexistent";
  Models models(settings);
  for (const char* name : {"/etc/passwd", "../etc/passwd", "..", ".", "a/../b", "nope"}) {
    const auto use = models.Generator(name, std::nullopt, nullptr);
    ASSERT_FALSE(use) << name;
    EXPECT_EQ(use.error().code, ErrorCode::kNotFound) << name;
  }
}

TEST(ErrorResponse, SpeaksTheApisWords) {
  EXPECT_EQ(ErrorResponse("/api/chat", 404, "x").body, R"({"error":"x"})");
  EXPECT_THAT(ErrorResponse("/v1/models", 404, "x").body, HasSubstr(R"("type":"not_found_error")"));
  EXPECT_THAT(ErrorResponse("/api/v1/ask", 400, "x").body, HasSubstr(R"("message":"x")"));
  EXPECT_THAT(ErrorResponse("/v1/x", 400, "prompt: got 9 tokens, the context holds 8").body,
              HasSubstr("context_length_exceeded"));
  EXPECT_EQ(ErrorResponse("/v1/x", Error{ErrorCode::kResource, "full"}).status, 503);
  EXPECT_EQ(ErrorResponse("/v1/x", 400, "bad \xff").body.find('\xff'), std::string::npos);
}

}  // namespace
}  // namespace vade::qa::server
