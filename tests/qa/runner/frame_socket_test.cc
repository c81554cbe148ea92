// Frames as they are, and frames as a broken or hostile process sends them.
#include "qa/runner/frame_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace vade::qa {
namespace {

using nlohmann::json;

class FrameSocketTest : public ::testing::Test {
 protected:
  FrameSocketTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_ = std::make_unique<FrameSocket>(UniqueFd(ends[0]));
    theirs_ = UniqueFd(ends[1]);
  }
  void Raw(std::string bytes) {
    ASSERT_EQ(write(theirs_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  static std::string Frame(const std::string& text) {
    std::string head;
    for (int shift = 0; shift < 32; shift += 8) {
      head.push_back(static_cast<char>(text.size() >> shift & 0xFF));
    }
    return head + text;
  }
  ErrorCode Refused() {
    const auto got = ours_->Receive();
    return got ? ErrorCode::kInternal : got.error().code;
  }

  std::unique_ptr<FrameSocket> ours_;
  UniqueFd theirs_;
};

TEST_F(FrameSocketTest, WhatIsSentArrives) {
  FrameSocket other(std::move(theirs_));
  const json message = {{"text", std::string(300'000, 'x')}, {"n", 5}};
  std::thread sender([&] {
    EXPECT_TRUE(other.Send(message));
    EXPECT_TRUE(other.Send({{"bad", "\xFF"}}));
    other.Close();
  });
  EXPECT_EQ(ours_->Receive().value().value(), message);
  EXPECT_EQ(ours_->Receive().value().value(), (json{{"bad", "\xEF\xBF\xBD"}}));
  EXPECT_FALSE(ours_->Receive().value().has_value()) << "the end";
  sender.join();
}

TEST_F(FrameSocketTest, ALengthThatIsTooLongTakesNoMemory) {
  Raw("\xFF\xFF\xFF\xFF");
  EXPECT_EQ(Refused(), ErrorCode::kCorruptData);
}

TEST_F(FrameSocketTest, AFrameThatIsCutIsAnError) {
  Raw(Frame(R"({"op":"done"})").substr(0, 9));
  theirs_.reset();
  EXPECT_EQ(Refused(), ErrorCode::kCorruptData);
}

TEST_F(FrameSocketTest, OnlyShallowObjectsAreRead) {
  for (const std::string& text :
       {std::string("[]"), std::string("nonsense"), std::string(), std::string("{\"a\":"),
        "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"}) {
    Raw(Frame(text));
    EXPECT_EQ(Refused(), ErrorCode::kCorruptData) << text.substr(0, 20);
  }
}

TEST_F(FrameSocketTest, APeerThatIsGoneIsUnavailable) {
  theirs_.reset();
  EXPECT_EQ(ours_->Send({{"op", "go"}}).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace vade::qa
