// The client against runners played by the test: polite, slow, mad and dead ones.
#include "qa/runner/runner_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

namespace vade::qa {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers frames by a function of the test until that returns false.
class Played {
 public:
  using Script = std::function<bool(FrameSocket&, const json&)>;

  explicit Played(Script script) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    theirs_ = std::make_unique<FrameSocket>(UniqueFd(ends[1]));
    client_ = std::make_unique<RunnerClient>(RunnerProcess{0, UniqueFd(ends[0])}, "played");
    thread_ = std::thread([this, script = std::move(script)] {
      while (true) {
        const auto frame = theirs_->Receive();
        if (!frame || !*frame || !script(*theirs_, **frame)) break;
      }
      theirs_->Close();
    });
  }
  ~Played() {
    client_.reset();
    thread_.join();
  }
  RunnerClient& client() { return *client_; }

 private:
  std::unique_ptr<FrameSocket> theirs_;
  std::unique_ptr<RunnerClient> client_;
  std::thread thread_;
};

json Done(const json& frame) {
  return {{"op", "done"}, {"id", frame["id"]}, {"reply", ToJson(engine::ModelReply{})}};
}

TEST(RunnerClient, TextComesAsItIsWritten) {
  Played played([](FrameSocket& socket, const json& frame) {
    EXPECT_TRUE(socket.Send({{"op", "progress"}, {"id", frame["id"]}, {"done", 1}, {"total", 2}}));
    for (const char* text : {"one ", "two"}) {
      EXPECT_TRUE(socket.Send({{"op", "text"}, {"id", frame["id"]}, {"text", text}}));
    }
    return socket.Send(Done(frame)).has_value();
  });
  std::string text;
  size_t total = 0;
  const auto reply = played.client().Generate(
      {}, [&](std::string_view piece) { return (text += piece), true; }, nullptr,
      [&](size_t, size_t all) { total = all; });
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(text, "one two");
  EXPECT_EQ(total, 2u);
}

TEST(RunnerClient, ManyCallsAtOnceGetTheirOwnAnswers) {
  std::vector<json> held;
  Played played([&](FrameSocket& socket, const json& frame) {
    held.push_back(frame);
    if (held.size() < 8) return true;
    for (size_t i = held.size(); i-- > 0;) {  // the last first
      EXPECT_TRUE(socket.Send({{"op", "done"},
                               {"id", held[i]["id"]},
                               {"tokens", held[i]["text"].get<std::string>().size()}}));
    }
    return true;
  });
  std::vector<std::thread> callers;
  for (size_t i = 1; i <= 8; ++i) {
    callers.emplace_back(
        [&, i] { EXPECT_EQ(played.client().CountTokens(std::string(i, 'x')).value_or(0), i); });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(RunnerClient, CancellingIsToldOnceAndTheAnswerTaken) {
  CancelToken cancel;
  size_t told = 0;
  json asked;
  Played played([&](FrameSocket& socket, const json& frame) {
    if (frame["op"] == "generate") {
      asked = frame;
      cancel.Cancel();
      return true;
    }
    ++told;
    EXPECT_EQ(frame["id"], asked["id"]);
    json done = Done(asked);
    done["reply"]["reason"] = static_cast<int>(engine::StopReason::kCancelled);
    return socket.Send(done).has_value();
  });
  const auto reply = played.client().Generate({}, {}, &cancel, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->reason, engine::StopReason::kCancelled);
  EXPECT_EQ(told, 1u);
}

TEST(RunnerClient, ASinkThatHasEnoughCancels) {
  json asked;
  Played played([&](FrameSocket& socket, const json& frame) {
    if (frame["op"] == "cancel") return socket.Send(Done(asked)).has_value();
    asked = frame;
    return socket.Send({{"op", "text"}, {"id", frame["id"]}, {"text", "x"}}).has_value();
  });
  const auto reply =
      played.client().Generate({}, [](std::string_view) { return false; }, nullptr, {});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->reason, engine::StopReason::kCaller);
}

TEST(RunnerClient, ErrorsAreTheRunners) {
  Played played([](FrameSocket& socket, const json& frame) {
    return socket
        .Send({{"op", "error"},
               {"id", frame["id"]},
               {"error", ToJson(Error{ErrorCode::kInvalidArgument, "top_p: no"})}})
        .has_value();
  });
  const auto reply = played.client().Generate({}, {}, nullptr, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(reply.error().message, "top_p: no");
}

TEST(RunnerClient, NonsenseIsAnErrorAndNeverAHang) {
  for (const json& nonsense : std::vector<json>{{{"op", "done"}, {"reply", 5}},
                                                {{"op", "done"}, {"reply", {{"reason", 77}}}},
                                                {{"op", 5}},
                                                {{"op", "done"}, {"reply", {{"logprobs", {1, 2}}}}},
                                                {{"op", "error"}, {"error", "what"}}}) {
    Played played([&](FrameSocket& socket, const json& frame) {
      json answer = nonsense;
      answer["id"] = frame["id"];
      return socket.Send(answer).has_value();
    });
    EXPECT_FALSE(played.client().Generate({}, {}, nullptr, {})) << nonsense;
  }
}

TEST(RunnerClient, VectorsOfAnotherNumberAreRefused) {
  Played played([](FrameSocket& socket, const json& frame) {
    return socket.Send({{"op", "done"}, {"id", frame["id"]}, {"vectors", {{1.0, 2.0}}}})
        .has_value();
  });
  const std::vector<std::string> texts = {"a", "b"};
  EXPECT_EQ(played.client().Embed(texts, false).error().code, ErrorCode::kUnavailable);
}

TEST(RunnerClient, ADeadRunnerFailsWhatIsInFlightAndWhatComes) {
  Played played([](FrameSocket&, const json&) { return false; });
  const auto reply = played.client().Generate({}, {}, nullptr, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(played.client().alive());
  EXPECT_EQ(played.client().CountTokens("x").error().code, ErrorCode::kUnavailable);
}

TEST(RunnerClient, AFloodThatNobodyTakesEndsTheRunner) {
  Played played([](FrameSocket& socket, const json& frame) {
    const json flood = {{"op", "text"}, {"id", frame["id"]}, {"text", std::string(1 << 20, 'x')}};
    for (int i = 0; i < 200; ++i) {
      if (!socket.Send(flood)) return false;
    }
    return true;
  });
  const auto reply = played.client().Generate(
      {},
      [&](std::string_view) {
        for (int i = 0; i < 500 && played.client().alive(); ++i) {
          std::this_thread::sleep_for(milliseconds(10));  // a client that does not read
        }
        return true;
      },
      nullptr, {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable);
}

TEST(RunnerClient, LoadingThatTakesTooLongIsUnavailable) {
  Played played([](FrameSocket&, const json&) { return true; });
  EXPECT_EQ(played.client().Measure({}, milliseconds(20)).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace vade::qa
