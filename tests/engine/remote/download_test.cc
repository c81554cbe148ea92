// Downloads from a server of ours that behaves well, and ones that do not (faults.md 71).
#include "engine/remote/download.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "engine/remote/part_file.h"
#include "tests/support/http_server.h"

namespace vade::remote {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::HttpServer;
using testing::ServedAnswer;
using testing::ServedRequest;

constexpr uint64_t kPiece = 1000;

std::string Sha(const std::string& text) {
  Sha256 hash;
  hash.Add(std::as_bytes(std::span(text)));
  return hash.Finish();
}

class DownloadTest : public ::testing::Test {
 protected:
  DownloadTest()
      : folder_(fs::path(::testing::TempDir()) / "vade_download"), out_(folder_ / "m.gguf") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    body_ = "GGUF";
    while (body_.size() < 10'500) body_ += static_cast<char>(body_.size() * 7 % 251);
  }
  ~DownloadTest() override { fs::remove_all(folder_); }

  [[nodiscard]] RemoteFile File(const HttpServer& server) const {
    return {.url = server.url() + "/m.gguf",
            .size_bytes = body_.size(),
            .sha256 = Sha(body_),
            .etag = "\"one\"",
            .beginning = "GGUF"};
  }
  [[nodiscard]] DownloadOptions Options() const {
    return {.num_connections = 3,
            .piece_bytes = kPiece,
            .max_attempts = 3,
            .retry_delay = std::chrono::milliseconds(1)};
  }
  // The file is whole and right, and nothing else is left.
  void ExpectWhole() const {
    EXPECT_EQ(ReadFile(out_).value(), body_);
    EXPECT_FALSE(fs::exists(out_.native() + ".part"));
    EXPECT_FALSE(fs::exists(out_.native() + ".part.state"));
  }
  void ExpectFails(const Result<void>& done, const std::string& reason) const {
    ASSERT_FALSE(done) << "want: " << reason;
    EXPECT_THAT(done.error().message, HasSubstr(reason));
    EXPECT_FALSE(fs::exists(out_));
  }

  fs::path folder_;
  fs::path out_;
  std::string body_;
};

TEST_F(DownloadTest, PiecesBecomeTheFile) {
  HttpServer server([&](const ServedRequest& r) { return HttpServer::File(r, body_, "\"one\""); });
  uint64_t last = 0;
  DownloadOptions options = Options();
  options.on_progress = [&](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, body_.size());
    EXPECT_GE(done, last);
    last = done;
  };
  const auto done = Download(File(server), out_, options);
  ASSERT_TRUE(done) << done.error().message;
  ExpectWhole();
  EXPECT_EQ(server.requests().size(), 11u);
  EXPECT_EQ(server.requests().front().Header("if-range"), "\"one\"");
  EXPECT_THAT(Download(File(server), out_, Options()).error().message, HasSubstr("exists already"));
  options.replace = true;
  EXPECT_TRUE(Download(File(server), out_, options));
}

TEST_F(DownloadTest, ACutConnectionGoesOnWhereItWasCut) {
  int count = 0;
  HttpServer server([&](const ServedRequest& r) {
    ServedAnswer answer = HttpServer::File(r, body_, "\"one\"");
    if (++count % 2 == 1) answer.cut_after = 300;
    return answer;
  });
  const auto done = Download(File(server), out_, Options());
  ASSERT_TRUE(done) << done.error().message;
  ExpectWhole();
}

TEST_F(DownloadTest, ALaterRunGoesOn) {
  int served = 0;
  bool broken = true;
  HttpServer server([&](const ServedRequest& r) {
    if (broken && ++served > 4) return ServedAnswer{.status = 503};
    return HttpServer::File(r, body_, "\"one\"");
  });
  ExpectFails(Download(File(server), out_, Options()), "status 503");
  EXPECT_TRUE(fs::exists(out_.native() + ".part"));
  broken = false;
  const size_t before = server.requests().size();
  std::string note;
  DownloadOptions options = Options();
  options.on_note = [&](const std::string& text) { note = text; };
  const auto done = Download(File(server), out_, options);
  ASSERT_TRUE(done) << done.error().message;
  ExpectWhole();
  EXPECT_THAT(note, HasSubstr("goes on at"));
  EXPECT_EQ(server.requests().size() - before, 7u);  // four of eleven pieces were there
}

TEST_F(DownloadTest, AnotherFileOfThatNameStartsAnew) {
  bool broken = true;
  int served = 0;
  HttpServer server([&](const ServedRequest& r) {
    if (broken && ++served > 4) return ServedAnswer{.status = 503};
    return HttpServer::File(r, body_, "\"one\"");
  });
  EXPECT_FALSE(Download(File(server), out_, Options()));
  broken = false;
  body_[500] = '!';
  const auto done = Download(File(server), out_, Options());
  ASSERT_TRUE(done) << done.error().message;
  ExpectWhole();
}

TEST_F(DownloadTest, AFileThatChangesMeanwhileIsNotMixed) {
  int served = 0;
  HttpServer server([&](const ServedRequest& r) {
    return HttpServer::File(r, body_, ++served > 4 ? "\"two\"" : "\"one\"");
  });
  ExpectFails(Download(File(server), out_, Options()), "the file changed on the server");
  EXPECT_FALSE(fs::exists(out_.native() + ".part"));
}

TEST_F(DownloadTest, AFileThatShrankIsNotMixed) {
  HttpServer server([&](const ServedRequest& r) {
    return HttpServer::File(r, body_.substr(0, 2500), "\"one\"");
  });
  ExpectFails(Download(File(server), out_, Options()), "the file changed on the server");
}

TEST_F(DownloadTest, AWrongHashIsRemoved) {
  HttpServer server([&](const ServedRequest& r) {
    std::string wrong = body_;
    wrong[9000] ^= 1;
    return HttpServer::File(r, wrong, "\"one\"");
  });
  ExpectFails(Download(File(server), out_, Options()), "want " + Sha(body_) + ": removed");
  EXPECT_FALSE(fs::exists(out_.native() + ".part"));
  EXPECT_FALSE(fs::exists(out_.native() + ".part.state"));
}

TEST_F(DownloadTest, WhatIsNoModelIsRemoved) {
  body_ = "<!DOCTYPE html>" + body_;
  HttpServer server([&](const ServedRequest& r) { return HttpServer::File(r, body_, "\"one\""); });
  ExpectFails(Download(File(server), out_, Options()), "begins with \"<!DOCTYPE html>G\"");
}

TEST_F(DownloadTest, AServerWithoutRanges) {
  int count = 0;
  HttpServer server([&](const ServedRequest&) {
    ServedAnswer answer{.headers = {{"ETag", "\"one\""}}, .body = body_};
    if (++count == 5) answer.cut_after = 2000;
    return answer;
  });
  std::string note;
  DownloadOptions options = Options();
  options.on_note = [&](const std::string& text) { note = text; };
  const auto done = Download(File(server), out_, options);
  ASSERT_TRUE(done) << done.error().message;
  ExpectWhole();
  EXPECT_THAT(note, HasSubstr("no ranges"));
}

TEST_F(DownloadTest, StatusesThatEndIt) {
  int status = 0;
  HttpServer server([&](const ServedRequest&) { return ServedAnswer{.status = status}; });
  for (const auto& [code, reason] : std::vector<std::pair<int, std::string>>{
           {404, "status 404"}, {403, "needs a token"}, {416, "changed on the server"}}) {
    status = code;
    ExpectFails(Download(File(server), out_, Options()), reason);
  }
  const size_t before = server.requests().size();
  status = 500;  // worth three attempts
  DownloadOptions options = Options();
  options.num_connections = 1;
  ExpectFails(Download(File(server), out_, options), "status 500");
  EXPECT_EQ(server.requests().size() - before, 3u);
}

TEST_F(DownloadTest, MoreThanAskedForIsNotWritten) {
  HttpServer server([&](const ServedRequest& r) {
    ServedAnswer answer = HttpServer::File(r, body_, "\"one\"");
    answer.body += "more";
    return answer;
  });
  ExpectFails(Download(File(server), out_, Options()), "more than the range asked for");
}

TEST_F(DownloadTest, CancelledGoesOnLater) {
  CancelToken cancel;
  int served = 0;
  HttpServer server([&](const ServedRequest& r) {
    if (++served == 4) cancel.Cancel();
    return HttpServer::File(r, body_, "\"one\"");
  });
  DownloadOptions options = Options();
  options.num_connections = 1;
  options.cancel = &cancel;
  const auto done = Download(File(server), out_, options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(fs::exists(out_));
  ASSERT_TRUE(Download(File(server), out_, Options()));
  ExpectWhole();
}

TEST_F(DownloadTest, TwoAtOnceAreRefused) {
  HttpServer server([&](const ServedRequest& r) { return HttpServer::File(r, body_, "\"one\""); });
  const auto first = PartFile::Open(out_, "x", body_.size(), kPiece);
  ASSERT_TRUE(first);
  ExpectFails(Download(File(server), out_, Options()), "another download of this file is running");
}

TEST_F(DownloadTest, RoomOnTheDiskIsCheckedFirst) {
  HttpServer server([&](const ServedRequest& r) { return HttpServer::File(r, body_, "\"one\""); });
  RemoteFile file = File(server);
  file.size_bytes = uint64_t{1} << 60;
  DownloadOptions options = Options();
  options.piece_bytes = uint64_t{1} << 50;
  const auto done = Download(file, out_, options);
  ExpectFails(done, "needs ");
  EXPECT_EQ(done.error().code, ErrorCode::kIo);
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace vade::remote
