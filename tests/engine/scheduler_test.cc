// Many replies at once are those of one alone, and nobody is harmed by anybody.
#include "engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "engine/session.h"
#include "tests/support/fake_decoder.h"

namespace vade::engine {
namespace {

using ::testing::HasSubstr;

std::vector<TokenId> Tokens(const std::string& text) { return {text.begin(), text.end()}; }

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    options_.sampling.temperature = 0;
    options_.max_tokens = 60;
  }
  Result<Generation> Generate(const std::string& prompt, const TextSink& sink = {},
                              const CancelToken* cancel = nullptr) {
    return scheduler_.Generate(Tokens(prompt), options_, sink, cancel);
  }
  std::string Alone(const std::string& prompt) const {
    testing::FakeDecoder engine(2048);
    Session session(engine);
    return session.Generate(Tokens(prompt), options_, {}).value().text;
  }
  static std::string Prompt(size_t i) {
    return "all begin like this, and then " + std::string(i % 7, 'x') + std::to_string(i * 37);
  }

  testing::FakeDecoder engine_{2048};
  Scheduler scheduler_{engine_, {.max_parallel = 8, .max_queue = 100}};
  GenerateOptions options_;
};

TEST_F(SchedulerTest, OneIsAsInASession) {
  std::string streamed;
  const auto generation = Generate("abcabc", [&](std::string_view text) {
    streamed += text;
    return true;
  });
  ASSERT_TRUE(generation) << generation.error().message;
  EXPECT_EQ(generation->text, Alone("abcabc"));
  EXPECT_EQ(streamed, generation->text);
  EXPECT_EQ(generation->prompt_tokens, 6u);
  EXPECT_GT(generation->accepted_tokens, 0u);
  EXPECT_EQ(generation->reason, StopReason::kMaxTokens);
}

TEST_F(SchedulerTest, ManyAtOnceWriteWhatEachWritesAlone) {
  std::vector<std::thread> callers;
  std::vector<std::string> texts(40);
  for (size_t i = 0; i < texts.size(); ++i) {
    callers.emplace_back([&, i] { texts[i] = Generate(Prompt(i)).value().text; });
  }
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], Alone(Prompt(i))) << i;
  EXPECT_GT(engine_.most_rows, 8u) << "they did run side by side";
  EXPECT_EQ(scheduler_.load().running + scheduler_.load().waiting, 0u);
}

TEST_F(SchedulerTest, WhatIsKnownIsNotComputedAgain) {
  options_.max_tokens = 5;
  EXPECT_EQ(Generate("a common beginning, one")->reused_tokens, 0u);
  EXPECT_EQ(Generate("a common beginning, two")->reused_tokens, 20u);
  EXPECT_EQ(Generate("a common beginning, one")->reused_tokens, 22u) << "still there";
  const auto first = Generate("another").value();
  EXPECT_EQ(Generate("another" + first.text + "and on")->reused_tokens, 7u + 4u)
      << "all but its last token, which was never fed back";
}

TEST_F(SchedulerTest, BadRequestsAreRefusedAtOnce) {
  EXPECT_THAT(Generate(std::string(2048, 'x')).error().message,
              HasSubstr("2048 tokens, the context holds 2048"));
  EXPECT_EQ(Generate("").error().code, ErrorCode::kInvalidArgument);
  options_.sampling.top_p = 3;
  EXPECT_THAT(Generate("x").error().message, HasSubstr("top_p"));
}

// Computes a pass when it is allowed to.
class PacedDecoder : public testing::FakeDecoder {
 public:
  using FakeDecoder::FakeDecoder;
  Result<std::span<const float>> Forward(std::span<const BatchToken> batch,
                                         const CancelToken* cancel) override {
    while (allowed <= 0) std::this_thread::yield();
    --allowed;
    return FakeDecoder::Forward(batch, cancel);
  }
  void Release() { allowed = int64_t{1} << 40; }
  std::atomic<int64_t> allowed{0};  // passes
};

TEST(SchedulerStop, ACancelledReplyEndsWithinATokenAndOthersGoOn) {
  PacedDecoder engine(2048);
  Scheduler scheduler(engine, {.max_parallel = 4});
  GenerateOptions options;
  options.sampling.temperature = 0;
  options.draft_tokens = 0;
  CancelToken cancel;
  engine.allowed = 1;  // the prompt
  const auto generation = scheduler.Generate(
      Tokens("endless"), options,
      [&](std::string_view) {
        cancel.Cancel();
        engine.Release();
        return true;
      },
      &cancel);
  ASSERT_TRUE(generation);
  EXPECT_EQ(generation->reason, StopReason::kCancelled);
  EXPECT_LE(generation->tokens.size(), 2u);
  options.max_tokens = 5;
  EXPECT_EQ(scheduler.Generate(Tokens("other"), options, {})->tokens.size(), 5u);
  EXPECT_EQ(scheduler.Generate(Tokens("x"), options, {}, &cancel)->reason, StopReason::kCancelled)
      << "before it begins";
}

TEST(SchedulerStop, ASinkThatHasEnoughGetsNoMore) {
  PacedDecoder engine(2048);
  Scheduler scheduler(engine, {.max_parallel = 4});
  GenerateOptions options;
  options.sampling.temperature = 0;
  options.draft_tokens = 0;
  engine.allowed = 1;
  std::string seen;
  const auto generation = scheduler.Generate(Tokens("abc"), options, [&](std::string_view text) {
    seen += text;
    if (seen.size() < 3) return ++engine.allowed, true;
    engine.Release();
    return false;
  });
  ASSERT_TRUE(generation);
  EXPECT_EQ(generation->reason, StopReason::kCaller);
  EXPECT_EQ(generation->text, seen);
  EXPECT_LE(generation->tokens.size(), 4u);
}

TEST(SchedulerQueue, AFullQueueRefusesAndForgetsWhoGivesUp) {
  PacedDecoder engine(256);
  Scheduler scheduler(engine, {.max_parallel = 1, .max_queue = 2});
  GenerateOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = 3;
  std::vector<std::thread> callers;
  std::atomic<size_t> done = 0;
  for (size_t i = 0; i < 3; ++i) {
    callers.emplace_back([&, i] {
      EXPECT_TRUE(scheduler.Generate(Tokens("prompt " + std::to_string(i)), options, {}));
      ++done;
    });
    while (scheduler.load().running + scheduler.load().waiting < i + 1 ||
           scheduler.load().running == 0) {
      std::this_thread::yield();
    }
  }
  const auto refused = scheduler.Generate(Tokens("one more"), options, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResource);
  EXPECT_THAT(refused.error().message, HasSubstr("queue full"));
  engine.Release();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(done, 3u);
  EXPECT_TRUE(scheduler.Generate(Tokens("one more"), options, {}));
}

TEST(SchedulerQueue, EndingTheSchedulerEndsItsRequests) {
  PacedDecoder engine(256);
  auto scheduler = std::make_unique<Scheduler>(engine, SchedulerOptions{.max_parallel = 1});
  GenerateOptions options;
  options.max_tokens = 0;
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      const auto generation = scheduler->Generate(Tokens("prompt"), options, {});
      ASSERT_FALSE(generation);
      EXPECT_EQ(generation.error().code, ErrorCode::kUnavailable);
    });
  }
  while (scheduler->load().running + scheduler->load().waiting < 3) std::this_thread::yield();
  std::thread ending([&] { scheduler.reset(); });
  std::this_thread::yield();
  engine.Release();
  ending.join();
  for (std::thread& caller : callers) caller.join();
}

TEST_F(SchedulerTest, OneThatFailsHarmsNobodyElse) {
  engine_.poison = '#';
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 24; ++i) {
    callers.emplace_back([&, i] {
      const bool bad = i % 4 == 0;
      const auto generation = Generate(Prompt(i) + (bad ? "#" : ""));
      EXPECT_EQ(generation.has_value(), !bad);
      if (bad) {
        EXPECT_EQ(generation.error().code, ErrorCode::kInternal);
      } else {
        EXPECT_EQ(generation->text, Alone(Prompt(i)));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(SchedulerCache, RequestsWaitForRoomAndOldPrefixesMakeIt) {
  testing::FakeDecoder engine(256);
  engine.cache_tokens = 300;  // of which a request takes about 90
  Scheduler scheduler(engine, {.max_parallel = 8});
  GenerateOptions options;
  options.sampling.temperature = 0;
  options.max_tokens = 60;
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 20; ++i) {
    callers.emplace_back([&, i] {
      const std::string prompt = std::string(20, static_cast<char>('a' + i)) + "0123456789";
      const auto generation = scheduler.Generate(Tokens(prompt), options, {});
      ASSERT_TRUE(generation) << generation.error().message;
      EXPECT_EQ(generation->tokens.size(), 60u);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(engine.cache_pages().used, 300u);
}

TEST_F(SchedulerTest, AnyMixOfCancelsAndStopsLeavesEveryOtherReplyAsItIs) {
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 60; ++i) {
    callers.emplace_back([&, i] {
      std::mt19937 random(static_cast<uint32_t>(i));
      CancelToken cancel;
      const size_t after = random() % 40;
      const auto way = random() % 3;
      std::string seen;
      const auto generation = Generate(
          Prompt(i),
          [&](std::string_view text) {
            seen += text;
            if (way == 1 && seen.size() > after) cancel.Cancel();
            return way != 2 || seen.size() <= after;
          },
          &cancel);
      ASSERT_TRUE(generation);
      if (way == 0) {
        EXPECT_EQ(generation->text, Alone(Prompt(i)));
      } else {
        EXPECT_TRUE(Alone(Prompt(i)).starts_with(generation->text));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace vade::engine
