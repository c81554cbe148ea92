// vade mcp: a client that speaks to the real program over its pipes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/unique_fd.h"
#include "tests/support/process.h"

namespace vade::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json Request(int id, const std::string& method, const json& params = json::object()) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
}

json Begin(int id) {
  return Request(id, "initialize",
                 {{"protocolVersion", "2025-06-18"},
                  {"capabilities", json::object()},
                  {"clientInfo", {{"name", "test"}, {"version", "1"}}}});
}

json Call(int id, const std::string& tool, const json& arguments) {
  return Request(id, "tools/call", {{"name", tool}, {"arguments", arguments}});
}

/// vade mcp with its standard input and output in our hands.
class Server {
 public:
  explicit Server(const std::filesystem::path& home) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    to_ = UniqueFd(in[1]);
    from_ = UniqueFd(out[0]);
    const UniqueFd child_in(in[0]);
    const UniqueFd child_out(out[1]);
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "HOME=" + home.string(),
                                            "VADE_STORE=" + (home / "library.db").string()};
    std::string program = VADE_BINARY_DIR "/bin/vade";
    std::string command = "mcp";
    char* argv[] = {program.data(), command.data(), nullptr};
    std::vector<char*> envp;
    for (std::string& text : environment) envp.push_back(text.data());
    envp.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      dup2(child_in.get(), STDIN_FILENO);
      dup2(child_out.get(), STDOUT_FILENO);
      execve(argv[0], argv, envp.data());
      _exit(127);
    }
  }
  ~Server() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  void Send(const std::string& text) {
    EXPECT_EQ(write(to_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Send(const json& message) { Send(message.dump() + "\n"); }
  /// The next line; null when none comes.
  json Receive() {
    for (;;) {
      if (const size_t end = pending_.find('\n'); end != std::string::npos) {
        const std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        return json::parse(line);
      }
      pollfd wait{from_.get(), POLLIN, 0};
      char buffer[4096];
      const ssize_t n = poll(&wait, 1, 60'000) == 1 ? read(from_.get(), buffer, sizeof buffer) : -1;
      if (n <= 0) return nullptr;
      pending_.append(buffer, static_cast<size_t>(n));
    }
  }
  void CloseInput() { to_.reset(); }
  void Signal(int signal) { kill(child_, signal); }
  int Wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t child_ = -1;
  UniqueFd to_;
  UniqueFd from_;
  std::string pending_;
};

class McpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    home_.Write("manuals/pump.md",
                "# Pump P200\n\nThe maximum pressure of the P200 is 8 bar.\n\n"
                "# Pump P350\n\nThe maximum pressure of the P350 is 10 bar.\n");
    ASSERT_EQ(RunVade(home_.path(), {"index", (home_.path() / "manuals").string()}).code, 0);
  }
  TemporaryFolder home_;
};

TEST_F(McpTest, PipedMessagesAreAllAnswered) {
  std::string input;
  const json note = {{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}};
  for (const json& message :
       {Begin(1), note, Request(2, "tools/list"),
        Call(3, "ask", {{"question", "What is the maximum pressure of the P350?"}}),
        Call(4, "search", {{"question", "pressure"}, {"k", 2}}),
        Call(5, "get", {{"address", "pump.md"}}), Call(6, "status", json::object()),
        Call(7, "rm", json::object()), Request(8, "resources/list")}) {
    input += message.dump() + "\n";
  }
  const Finished run = RunVade(home_.path(), {"mcp"}, {.stdin_text = input + "not JSON\n"});
  EXPECT_EQ(run.code, 0) << run.err;
  std::map<int, json> replies;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    const json reply = json::parse(line);
    replies[reply["id"].is_null() ? 0 : reply["id"].get<int>()] = reply;
  }
  ASSERT_EQ(replies.size(), 9u) << run.out;
  EXPECT_EQ(replies[1]["result"]["serverInfo"]["name"], "vade");
  EXPECT_EQ(replies[2]["result"]["tools"].size(), 4u);
  const json answer = replies[3]["result"]["structuredContent"];
  EXPECT_EQ(answer["refused"], false);
  EXPECT_THAT(answer["answer"].get<std::string>(), HasSubstr("P350 is 10 bar. [1]"));
  EXPECT_EQ(answer["citations"][0]["match"], "exact");
  EXPECT_EQ(replies[4]["result"]["structuredContent"]["passages"].size(), 1u)
      << "neighbours are one passage";
  EXPECT_THAT(replies[5]["result"]["content"][0]["text"].get<std::string>(), HasSubstr("8 bar"));
  EXPECT_EQ(replies[6]["result"]["structuredContent"]["documents"], 1);
  EXPECT_EQ(replies[7]["error"]["code"], -32602);
  EXPECT_EQ(replies[8]["result"]["resources"][0]["name"], "pump.md");
  EXPECT_EQ(replies[0]["error"]["code"], -32700);
}

TEST_F(McpTest, AConversationEndsWithTheInput) {
  Server server(home_.path());
  server.Send(Begin(1));
  EXPECT_EQ(server.Receive()["id"], 1);
  const std::string ping = Request(2, "ping").dump();
  server.Send(ping.substr(0, 10));
  server.Send(ping.substr(10) + "\r\n\n");
  EXPECT_EQ(server.Receive()["id"], 2) << "a message may come in pieces";
  server.Send(std::string(5 << 20, 'x') + "\n");
  EXPECT_EQ(server.Receive()["error"]["code"], -32600) << "and a line may be too long";
  server.Send(Request(3, "ping"));
  EXPECT_EQ(server.Receive()["id"], 3);
  server.CloseInput();
  EXPECT_TRUE(server.Receive().is_null());
  EXPECT_EQ(server.Wait(), 0);
}

TEST_F(McpTest, SignalsEndIt) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Server server(home_.path());
    server.Send(Begin(1));
    EXPECT_EQ(server.Receive()["id"], 1);
    server.Signal(signal);
    EXPECT_EQ(server.Wait(), 128 + signal);
  }
}

TEST_F(McpTest, WithoutALibraryItSaysSo) {
  const Finished none = RunVade(home_.path(), {"mcp", "--store", "/nowhere/library.db"});
  EXPECT_EQ(none.code, 5);
  EXPECT_EQ(none.out, "");
  const Finished unknown = RunVade(home_.path(), {"mcp", "-c", "nowhere"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no collection 'nowhere'"));
}

}  // namespace
}  // namespace vade::testing
