// HttpServer over real sockets: hostile bytes, slow and lost clients, full queues, stopping.
#include "qa/server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/support/raw_http.h"

namespace vade::qa::server {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::JsonRequest;
using testing::RawAnswer;
using testing::RawHttp;

const std::string kHost = "Host: localhost\r\n";

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    limits_.body_bytes = 1 << 20;
    callbacks_.admit = [](Request&, Reply&) { return false; };
    callbacks_.handle = [this](Request& request, Reply& reply) { Handle(request, reply); };
    callbacks_.done = [this](const Access& access) {
      const std::lock_guard lock(mutex_);
      gone_ += access.client_gone ? 1 : 0;
      ++done_;
      changed_.notify_all();
    };
    callbacks_.error = [](const Request&, int status, const std::string& message) {
      return Response{status, "text/plain", message};
    };
  }
  ~HttpServerTest() override { Stop(); }

  void Start() {
    auto server = HttpServer::Listen("127.0.0.1", 0, limits_, callbacks_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = *std::move(server);
    thread_ = std::thread([this] { server_->Run(false); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    Release();
    server_->Stop();
    thread_.join();
  }
  RawHttp Connect() { return RawHttp(server_->port()); }
  RawAnswer Ask(const std::string& bytes) { return Connect().Ask(bytes); }
  RawAnswer Get(const std::string& path) {
    return Ask("GET " + path + " HTTP/1.1\r\n" + kHost + "\r\n");
  }

  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  /// Until so many handlers are inside "/wait".
  void AwaitWaiting(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; }));
  }
  void AwaitGone(size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return gone_ >= count; }));
  }

  void Handle(const Request& request, Reply& reply) {
    if (request.path == "/echo") return reply.Send({200, "text/plain", request.body});
    if (request.path == "/throw") throw std::runtime_error("secret");
    if (request.path == "/nothing") return;
    if (request.path == "/stream") {
      reply.Begin({200, "text/plain", ""});
      for (int i = 0; i < 5; ++i) reply.Write(std::to_string(i));
      return reply.End();
    }
    if (request.path == "/flood") {
      reply.Begin({200, "text/plain", ""});
      const std::string piece(1 << 18, 'x');
      while (reply.Write(piece)) {
      }
      return;
    }
    if (request.path == "/wait") return Wait(reply);
    reply.Send({200, "text/plain", "ok"});
  }
  void Wait(Reply& reply) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    while (!released_ && !reply.cancel().cancelled()) changed_.wait_for(lock, milliseconds(5));
    cancelled_ += reply.cancel().cancelled() ? 1 : 0;
    changed_.notify_all();
    lock.unlock();
    reply.Send({200, "text/plain", "waited"});
  }

  HttpLimits limits_;
  HttpCallbacks callbacks_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  size_t waiting_ = 0, cancelled_ = 0, gone_ = 0, done_ = 0;
};

TEST_F(HttpServerTest, KeepsConnectionsAndAnswersInOrder) {
  Start();
  RawHttp client = Connect();
  EXPECT_EQ(client.Ask(JsonRequest("POST", "/echo", "one")).body, "one");
  client.Send(JsonRequest("POST", "/echo", "two") + JsonRequest("POST", "/echo", "three"));
  EXPECT_EQ(client.Read().body, "two");
  EXPECT_EQ(client.Read().body, "three");
  EXPECT_EQ(client.Ask("HEAD /x HTTP/1.1\r\n" + kHost + "\r\n").Header("content-length"), "2");
}

TEST_F(HttpServerTest, StreamsInChunksAndOldClientsTheWhole) {
  Start();
  EXPECT_EQ(Get("/stream").body, "01234");
  RawHttp old = Connect();
  old.Send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.ReadToEnd(), ::testing::EndsWith("\r\n\r\n01234"));
}

TEST_F(HttpServerTest, AHandlerThatFailsIsAnErrorOfTheServer) {
  Start();
  EXPECT_EQ(Get("/throw").status, 500);
  EXPECT_THAT(Get("/throw").body, ::testing::Not(HasSubstr("secret")));
  EXPECT_EQ(Get("/nothing").status, 500);
  EXPECT_EQ(Get("/x").status, 200);
}

// faults.md 58.
TEST_F(HttpServerTest, SmugglingIsRefusedAndTheConnectionClosed) {
  Start();
  const std::string post = "POST /echo HTTP/1.1\r\n" + kHost;
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  for (const std::string& bytes : {
           post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
           post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
           post + "Content-Length: -1\r\n\r\n",
           post + "Content-Length: 99999999999999999999999\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\n-2\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
           post + "X : a\r\n\r\n",
           std::string("GET /x HTTP/1.1\nHost: localhost\n\n"),
           std::string("GET /x\r\n\r\n"),
           std::string("GET /x HTTP/9.9\r\nHost: localhost\r\n\r\n"),
           std::string("GET  HTTP/1.1\r\nHost: localhost\r\n\r\n"),
           std::string("GET http://evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
           std::string("GET /x HTTP/1.1\r\n\r\n"),
           std::string("GET /x HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n"),
           hello + std::string(200, 'x'),
       }) {
    RawHttp client = Connect();
    const RawAnswer answer = client.Ask(bytes + JsonRequest("GET", "/smuggled"));
    EXPECT_GE(answer.status, 400) << bytes;
    EXPECT_LE(answer.status, 505) << bytes;
    EXPECT_EQ(answer.Header("connection"), "close") << bytes;
    EXPECT_EQ(client.ReadToEnd(), "") << bytes;  // the smuggled request is not answered
  }
}

// faults.md 55, 56.
TEST_F(HttpServerTest, WhatIsTooLargeIsRefusedBeforeItIsRead) {
  Start();
  EXPECT_EQ(Ask("GET /" + std::string(70'000, 'a') + " HTTP/1.1\r\n" + kHost + "\r\n").status, 414);
  EXPECT_EQ(
      Ask("GET / HTTP/1.1\r\n" + kHost + "X: " + std::string(70'000, 'a') + "\r\n\r\n").status,
      431);
  std::string many = "GET / HTTP/1.1\r\n" + kHost;
  for (int i = 0; i < 10'000; ++i) many += "X" + std::to_string(i) + ": a\r\n";
  EXPECT_EQ(Ask(many + "\r\n").status, 431);
  const std::string post = "POST /echo HTTP/1.1\r\n" + kHost;
  EXPECT_EQ(Ask(post + "Content-Length: 1048577\r\n\r\n").status, 413);
  RawHttp chunked = Connect();
  chunked.Send(post + "Transfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 40 && chunked.Send(chunk); ++i) {
  }
  EXPECT_EQ(chunked.Read().status, 413);
  EXPECT_EQ(Ask(post + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc").status, 415);
}

// faults.md 57.
TEST_F(HttpServerTest, SlowClientsEndAndDisturbNobody) {
  limits_.header_time = milliseconds(300);
  limits_.body_time = milliseconds(300);
  limits_.write_time = milliseconds(300);
  limits_.idle_time = milliseconds(300);
  Start();
  std::vector<std::unique_ptr<RawHttp>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(std::make_unique<RawHttp>(server_->port()));
    slow.back()->Send(i % 2 == 0
                          ? "GET / HT"
                          : "POST /echo HTTP/1.1\r\n" + kHost + "Content-Length: 9\r\n\r\nabc");
  }
  EXPECT_EQ(Get("/x").status, 200);
  for (const auto& client : slow) EXPECT_EQ(client->ReadToEnd(), "");
  RawHttp idle = Connect();
  EXPECT_EQ(idle.ReadToEnd(), "");
  RawHttp deaf = Connect();  // asks for a flood and never reads
  deaf.Send("GET /flood HTTP/1.1\r\n" + kHost + "\r\n");
  AwaitGone(1);
}

// faults.md 67.
TEST_F(HttpServerTest, AClientThatHangsUpFreesItsHandler) {
  Start();
  for (size_t i = 0; i < 50; ++i) {
    RawHttp client = Connect();
    client.Send("GET /wait HTTP/1.1\r\n" + kHost + "\r\n");
    AwaitWaiting(i + 1);
    client.Close();
    AwaitGone(i + 1);
  }
  EXPECT_EQ(Get("/x").status, 200);
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return cancelled_ == 50; }));
}

// faults.md 66.
TEST_F(HttpServerTest, AFullQueueRefusesAtOnce) {
  limits_.max_threads = 2;
  limits_.max_queue = 1;
  Start();
  std::vector<std::unique_ptr<RawHttp>> busy;
  for (size_t i = 0; i < 3; ++i) {
    busy.push_back(std::make_unique<RawHttp>(server_->port()));
    busy.back()->Send("GET /wait HTTP/1.1\r\n" + kHost + "\r\n");
    if (i < 2) AwaitWaiting(i + 1);
  }
  while (server_->load().queued < 1) std::this_thread::yield();
  const RawAnswer refused = Get("/x");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Header("retry-after"), "1");
  Release();
  for (const auto& client : busy) EXPECT_EQ(client->Read().body, "waited");
  EXPECT_EQ(Get("/x").status, 200);
}

TEST_F(HttpServerTest, IdleConnectionsMakeRoomForNewOnes) {
  limits_.max_connections = 10;
  Start();
  std::vector<std::unique_ptr<RawHttp>> idle;
  for (int i = 0; i < 30; ++i) {
    idle.push_back(std::make_unique<RawHttp>(server_->port()));
    EXPECT_EQ(idle.back()->Ask("GET /x HTTP/1.1\r\n" + kHost + "\r\n").status, 200);
  }
  EXPECT_LE(server_->load().connections, 11u);
  EXPECT_EQ(idle.front()->ReadToEnd(), "");
}

// faults.md 69.
TEST_F(HttpServerTest, StoppingLetsRequestsEndAndCancelsThoseThatDoNot) {
  limits_.drain_time = milliseconds(200);
  Start();
  RawHttp idle = Connect();
  EXPECT_EQ(idle.Ask("GET /x HTTP/1.1\r\n" + kHost + "\r\n").status, 200);
  RawHttp busy = Connect();
  busy.Send("GET /wait HTTP/1.1\r\n" + kHost + "\r\n");
  AwaitWaiting(1);
  server_->Stop();
  thread_.join();
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(busy.Read().body, "waited");
  EXPECT_EQ(cancelled_, 1u);
  EXPECT_FALSE(Connect().connected());
}

TEST_F(HttpServerTest, APortInUseIsSaid) {
  Start();
  const auto second = HttpServer::Listen("127.0.0.1", server_->port(), limits_, callbacks_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kIo);
  EXPECT_THAT(second.error().message, HasSubstr("address in use"));
  EXPECT_EQ(HttpServer::Listen("not-a-host", 0, limits_, callbacks_).error().code,
            ErrorCode::kInvalidArgument);
}

TEST_F(HttpServerTest, AQuietStreamIsKeptAlive) {
  limits_.heartbeat = milliseconds(20);
  callbacks_.handle = [this](Request&, Reply& reply) {
    reply.Begin({200, "text/event-stream", ""}, ": ping\n\n");
    std::unique_lock lock(mutex_);
    while (!released_) changed_.wait_for(lock, milliseconds(5));
    lock.unlock();
    reply.End();
  };
  Start();
  RawHttp client = Connect();
  client.Send("GET / HTTP/1.1\r\n" + kHost + "\r\n");
  std::string seen;
  while (seen.find(": ping") == std::string::npos) {
    const std::string more = client.ReadSome();
    ASSERT_FALSE(more.empty());
    seen += more;
  }
  Release();
}

}  // namespace
}  // namespace vade::qa::server
