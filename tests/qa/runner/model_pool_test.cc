// Real runner processes with tiny models: starting, sharing, unloading, crashing, ending.
#include "qa/runner/model_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <thread>

#include "engine/local_model.h"
#include "tests/support/process.h"
#include "tests/support/tiny_encoder.h"

namespace vade::qa {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kTiny =
    std::string(VADE_SOURCE_DIR) + "/tests/golden/models/llama-linear-mha.gguf";

class ModelPoolTest : public ::testing::Test {
 protected:
  ModelPoolTest() {
    folder_.Write("embedder.gguf", testing::TinyEncoder().ToBytes());
    folder_.Write("broken.gguf", std::string("GGUF\3\0\0\0cut", 11));
    options_.names.folder = folder_.path();
    options_.names.named = {
        {"one", kTiny}, {"two", Link("two.gguf")}, {"three", Link("three.gguf")}};
    options_.program = VADE_BINARY_DIR "/bin/vade";
    options_.setup.threads = 1;
    options_.clock = [this] { return now_.load(); };
    request_.messages = {{"user", "hello"}};
    request_.sampling.temperature = 0;
    request_.max_tokens = 16;
    request_.draft_tokens = 0;
  }

  std::filesystem::path Link(const std::string& name) {
    std::filesystem::create_symlink(kTiny, folder_.path() / name);
    return folder_.path() / name;
  }
  ModelPool& Pool() {
    if (!pool_) pool_ = std::make_unique<ModelPool>(options_);
    return *pool_;
  }
  std::shared_ptr<ModelLease> Use(const std::string& name, ModelKind kind = ModelKind::kGenerate,
                                  std::optional<seconds> keep_alive = std::nullopt) {
    auto lease = Pool().Acquire(name, kind, keep_alive);
    EXPECT_TRUE(lease) << lease.error().message;
    return lease ? *std::move(lease) : nullptr;
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const LoadedModel& model : Pool().Loaded()) names.push_back(model.name);
    return names;
  }
  // A reply that goes on until it is stopped.
  engine::ModelRequest Endless() const {
    engine::ModelRequest request = request_;
    request.prompt = "x";
    request.messages.clear();
    request.max_tokens = 0;
    request.format = {engine::OutputFormat::Kind::kGbnf, "root ::= [a-z]{100000}"};
    return request;
  }

  testing::TemporaryFolder folder_;
  ModelPoolOptions options_;
  std::atomic<std::chrono::steady_clock::time_point> now_{std::chrono::steady_clock::time_point()};
  std::unique_ptr<ModelPool> pool_;
  engine::ModelRequest request_;
};

TEST_F(ModelPoolTest, AModelIsStartedOnceAndSharedByAll) {
  std::vector<std::thread> callers;
  std::vector<std::string> texts(6);
  std::vector<pid_t> pids(6);
  static_cast<void>(Pool());
  for (size_t i = 0; i < 6; ++i) {
    callers.emplace_back([&, i] {
      const auto lease = Use("one");
      ASSERT_NE(lease, nullptr);
      pids[i] = lease->client().pid();
      const auto reply = lease->model().Generate(request_, {});
      ASSERT_TRUE(reply) << reply.error().message;
      texts[i] = reply->text;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(texts, ::testing::Each(texts[0]));
  EXPECT_THAT(pids, ::testing::Each(pids[0]));
  ASSERT_THAT(Pool().Loaded(), SizeIs(1));
  const LoadedModel model = Pool().Loaded()[0];
  EXPECT_EQ(model.path, kTiny);
  EXPECT_EQ(model.in_use, 0u);
  EXPECT_GT(model.memory_bytes, 0u);
  EXPECT_GT(model.context_length, 0u);
  EXPECT_EQ(model.expires_at, now_.load() + options_.keep_alive);
}

TEST_F(ModelPoolTest, ItsCountsAndItsTextAreTheEnginesOwn) {
  const auto local = engine::LocalModel::Load(kTiny, {.decoder = {.num_threads = 1}}).value();
  const auto lease = Use("one");
  EXPECT_EQ(lease->model().CountTokens("some text"), local->CountTokens("some text"));
  EXPECT_EQ(lease->model().context_length(), local->context_length());
  EXPECT_EQ(lease->model().CountPrompt(request_)->tokens, local->CountPrompt(request_)->tokens);
  std::string streamed;
  const auto reply = lease->model().Generate(
      request_, [&](std::string_view text) { return (streamed += text), true; });
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text, local->Generate(request_, {})->text);
  EXPECT_EQ(streamed, reply->text);
  engine::ModelRequest bad = request_;
  bad.sampling.top_p = 7;
  EXPECT_EQ(lease->model().Generate(bad, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelPoolTest, EmbeddersGiveUnitVectors) {
  const auto lease = Use("embedder", ModelKind::kEmbed);
  ASSERT_NE(lease, nullptr);
  const std::vector<std::string> texts = {"ab", "cd ef", std::string(400, 'a')};
  EXPECT_EQ(lease->client().Embed(texts, false).error().code, ErrorCode::kInvalidArgument)
      << "the last is too long";
  const auto reply = lease->client().Embed(texts, true);
  ASSERT_TRUE(reply) << reply.error().message;
  ASSERT_THAT(reply->vectors, SizeIs(3));
  for (const auto& vector : reply->vectors) {
    double squares = 0;
    for (const float x : vector) squares += double{x} * double{x};
    EXPECT_NEAR(squares, 1, 1e-5);
  }
  EXPECT_GT(reply->tokens, 0u);
  EXPECT_EQ(Pool().Acquire("embedder", ModelKind::kRerank).error().code, ErrorCode::kUnsupported);
  EXPECT_FALSE(Pool().Acquire("embedder", ModelKind::kGenerate));
}

TEST_F(ModelPoolTest, WhatCannotBeLoadedSaysWhyAndLeavesNothing) {
  EXPECT_EQ(Pool().Acquire("nothing", ModelKind::kGenerate).error().code, ErrorCode::kNotFound);
  const auto broken = Pool().Acquire("broken", ModelKind::kGenerate);
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ErrorCode::kCorruptData) << broken.error().message;
  EXPECT_THAT(Pool().Loaded(), IsEmpty());
}

TEST_F(ModelPoolTest, AKilledRunnerFailsWhatIsInFlightAndTheNextUseStartsAnew) {
  const auto lease = Use("one");
  const pid_t first = lease->client().pid();
  const auto reply = lease->model().Generate(Endless(), [&](std::string_view) {
    kill(first, SIGKILL);
    return true;
  });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reply.error().message, HasSubstr("killed by signal 9"));
  const auto again = Use("one");
  ASSERT_NE(again, nullptr);
  EXPECT_NE(again->client().pid(), first);
  EXPECT_TRUE(again->model().Generate(request_, {}));
  EXPECT_THAT(Pool().Loaded(), SizeIs(1));
}

TEST_F(ModelPoolTest, OneThatKeepsDyingIsLeftAloneForAWhile) {
  for (int i = 0; i < 3; ++i) {
    const auto lease = Use("one");
    ASSERT_NE(lease, nullptr);
    kill(lease->client().pid(), SIGSEGV);
    while (lease->client().alive()) std::this_thread::yield();
  }
  const auto refused = Pool().Acquire("one", ModelKind::kGenerate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("has died 3 times"));
  EXPECT_NE(Use("two"), nullptr) << "others are not harmed";
  now_ = now_.load() + seconds(3);
  EXPECT_NE(Use("one"), nullptr);
}

TEST_F(ModelPoolTest, ACancelledReplyFreesItsPlaceSoon) {
  const auto lease = Use("one");
  CancelToken cancel;
  std::chrono::steady_clock::time_point cancelled;
  const auto reply = lease->model().Generate(
      Endless(),
      [&](std::string_view) {
        if (!cancel.cancelled()) cancelled = std::chrono::steady_clock::now();
        cancel.Cancel();
        return true;
      },
      &cancel);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->reason, engine::StopReason::kCancelled);
  EXPECT_EQ(lease->client().Stats()->running, 0u);
  EXPECT_LT(std::chrono::steady_clock::now() - cancelled, seconds(1));
}

TEST_F(ModelPoolTest, TheOneUsedLongestAgoMakesRoom) {
  options_.max_loaded = 2;
  Use("one");
  Use("two");
  Use("one");
  Use("three");
  EXPECT_THAT(Names(), ::testing::ElementsAre("three", "one"));
  const auto held_three = Use("three");
  const auto held_one = Use("one");
  const auto refused = Pool().Acquire("two", ModelKind::kGenerate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResource);
}

TEST_F(ModelPoolTest, TheBudgetHolds) {
  Use("one");
  const uint64_t need = Pool().Loaded()[0].memory_bytes;
  pool_.reset();
  options_.memory_budget = need + need / 2;
  Use("one");
  Use("two");
  EXPECT_THAT(Names(), ::testing::ElementsAre("two"));
  const auto held = Use("two");
  const auto refused = Pool().Acquire("one", ModelKind::kGenerate);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kResource);
  EXPECT_THAT(refused.error().message, HasSubstr("one: needs "));
  EXPECT_THAT(refused.error().message, HasSubstr("have "));
}

TEST_F(ModelPoolTest, KeepAliveIsCountedFromTheLastUse) {
  Use("one");
  Use("two", ModelKind::kGenerate, seconds(-1));
  Use("three", ModelKind::kGenerate, seconds(0));
  EXPECT_THAT(Names(), ::testing::ElementsAre("two", "one")) << "three: not at all";
  now_ = now_.load() + seconds(299);
  Pool().Tick();
  EXPECT_THAT(Names(), SizeIs(2));
  Use("one");
  now_ = now_.load() + seconds(299);
  Pool().Tick();
  EXPECT_THAT(Names(), ::testing::ElementsAre("one", "two"));
  now_ = now_.load() + seconds(100'000);
  Pool().Tick();
  EXPECT_THAT(Names(), ::testing::ElementsAre("two")) << "two: forever";
  EXPECT_EQ(Pool().Loaded()[0].expires_at, std::nullopt);
}

TEST_F(ModelPoolTest, StopUnloadsNowOrWhenItIsNoLongerUsed) {
  Use("one");
  EXPECT_TRUE(Pool().Stop("one"));
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(Pool().Stop("one").error().code, ErrorCode::kNotFound);
  auto held = Use("two");
  EXPECT_TRUE(Pool().Stop("two"));
  EXPECT_THAT(Names(), SizeIs(1));
  EXPECT_TRUE(held->model().Generate(request_, {}));
  held.reset();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(ModelPoolTest, ShutdownEndsAllAndRefusesWhatComes) {
  auto lease = Use("one");
  const pid_t pid = lease->client().pid();
  lease.reset();
  Use("two");
  Pool().Shutdown(milliseconds(100));
  EXPECT_THAT(Pool().Loaded(), IsEmpty());
  EXPECT_EQ(kill(pid, 0), -1) << "and is gone";
  EXPECT_EQ(Pool().Acquire("one", ModelKind::kGenerate).error().code, ErrorCode::kUnavailable);
}

TEST_F(ModelPoolTest, ShutdownDoesNotWaitForeverForThoseWhoGoOn) {
  const auto lease = Use("one");
  std::thread caller([&] {
    const auto reply = lease->model().Generate(Endless(), {});
    EXPECT_FALSE(reply && reply->reason == engine::StopReason::kMaxTokens);
  });
  Pool().Shutdown(milliseconds(50));
  EXPECT_FALSE(lease->client().alive());
  caller.join();
}

TEST_F(ModelPoolTest, TheCommandIsNotForPeople) {
  const testing::TemporaryFolder home;
  EXPECT_EQ(testing::RunVade(home.path(), {"runner"}).code, 2) << "not for people";
}

}  // namespace
}  // namespace vade::qa
