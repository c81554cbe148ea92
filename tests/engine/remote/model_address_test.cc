// Addresses of models and the keys that go with them: nothing leaves for where it was not meant.
#include "engine/remote/model_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "engine/base/file.h"
#include "tests/support/process.h"

namespace vade::remote {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Environment Variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) -> const char* {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : found->second.c_str();
  };
}

std::string Parsed(const std::string& text, const Environment& environment = Variables({})) {
  const auto address = ParseModelAddress(text, environment);
  return address ? address->base_url + " " + address->model : "error: " + address.error().message;
}

TEST(ModelAddress, AnOllamaServerIsFound) {
  EXPECT_EQ(Parsed("ollama://llama3.2:1b"), "http://127.0.0.1:11434 llama3.2:1b");
  EXPECT_EQ(Parsed("ollama:///team/m"), "http://127.0.0.1:11434 team/m");
  EXPECT_EQ(Parsed("ollama://box/m"), "http://box:11434 m");
  EXPECT_EQ(Parsed("ollama://Box:1/team/m:q4"), "http://box:1 team/m:q4");
  EXPECT_EQ(Parsed("ollama://[::1]:99/m"), "http://[::1]:99 m");
  EXPECT_EQ(Parsed("ollama://:99/m"), "http://127.0.0.1:99 m");
  EXPECT_EQ(Parsed("ollama+https://box/m"), "https://box:11434 m");
}

TEST(ModelAddress, OllamaHostIsReadAsOllamaReadsIt) {
  const auto with = [](const char* host) {
    return Parsed("ollama://m", Variables({{"OLLAMA_HOST", host}}));
  };
  EXPECT_EQ(with("box"), "http://box:11434 m");
  EXPECT_EQ(with(":99"), "http://127.0.0.1:99 m");
  EXPECT_EQ(with("box:99"), "http://box:99 m");
  EXPECT_EQ(with("http://box"), "http://box:80 m");
  EXPECT_EQ(with("https://box/"), "https://box:443 m");
  EXPECT_EQ(with("0.0.0.0"), "http://127.0.0.1:11434 m") << "where it listens, not where it is";
  EXPECT_THAT(with("ftp://box"), HasSubstr("error: OLLAMA_HOST"));
  EXPECT_THAT(with("bo x"), HasSubstr("error: OLLAMA_HOST"));
  EXPECT_EQ(Parsed("ollama://here/m", Variables({{"OLLAMA_HOST", "there"}})),
            "http://here:11434 m");
}

TEST(ModelAddress, AnOpenAiServerIsFound) {
  EXPECT_EQ(Parsed("openai://m"), "https://api.openai.com/v1 m");
  EXPECT_EQ(Parsed("openai://127.0.0.1:8080/m"), "http://127.0.0.1:8080/v1 m");
  EXPECT_EQ(Parsed("openai://localhost:8080/v1/org/m"), "http://localhost:8080/v1 org/m");
  EXPECT_EQ(Parsed("openai://host.example/api/v3/org/m"), "https://host.example/api/v3 org/m");
  EXPECT_EQ(Parsed("openai+http://box:8000/m"), "http://box:8000/v1 m");
  EXPECT_EQ(Parsed("openai+https://localhost:8000/m"), "https://localhost:8000/v1 m");
  EXPECT_EQ(Parsed("openai://m", Variables({{"OPENAI_BASE_URL", "http://box:1/v1/"}})),
            "http://box:1/v1 m");
  EXPECT_THAT(Parsed("openai://m", Variables({{"OPENAI_BASE_URL", "box"}})),
              HasSubstr("want http://"));
}

TEST(ModelAddress, OthersAreRefused) {
  for (const char* text :
       {"http://box/m", "gemini://m", "ollama+ftp://box/m", "model.gguf", "ollama:/m"}) {
    EXPECT_FALSE(IsModelAddress(text)) << text;
    EXPECT_THAT(Parsed(text), HasSubstr("error: ")) << text;
  }
  for (const char* text : {"ollama://", "ollama://box/", "ollama://box:99999/m", "ollama://bo x/m",
                           "ollama://m\n", "openai://[zz]/m"}) {
    EXPECT_TRUE(IsModelAddress(text)) << text;
    EXPECT_THAT(Parsed(text), HasSubstr("error: ")) << text;
  }
  EXPECT_THAT(Parsed("openai://user:hunter2@box/m"), Not(HasSubstr("hunter2")));
}

class ApiKeyTest : public ::testing::Test {
 protected:
  std::string KeyOf(const std::string& address, std::map<std::string, std::string> variables = {}) {
    variables["VADE_API_KEYS"] = keys_.string();
    const Environment environment = Variables(variables);
    const auto parsed = ParseModelAddress(address, environment);
    if (!parsed) return "error: " + parsed.error().message;
    const auto key = ReadApiKey(*parsed, environment);
    return key ? *key : "error: " + key.error().message;
  }
  void WriteKeys(const std::string& text, mode_t mode = 0600) {
    ASSERT_TRUE(WriteFileAtomically(keys_, text));
    ASSERT_EQ(chmod(keys_.c_str(), mode), 0);
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path keys_ = folder_.path() / "keys";
};

TEST_F(ApiKeyTest, AKeyOfTheEnvironmentStaysWithItsServer) {
  EXPECT_EQ(KeyOf("openai://m", {{"OPENAI_API_KEY", "sk-1"}}), "sk-1");
  EXPECT_EQ(KeyOf("openai://evil.example/m", {{"OPENAI_API_KEY", "sk-1"}}), "");
  EXPECT_EQ(KeyOf("openai+http://api.openai.com:443/m", {{"OPENAI_API_KEY", "sk-1"}}), "")
      << "not in the clear";
  const std::map<std::string, std::string> box = {{"OPENAI_API_KEY", "sk-1"},
                                                  {"OPENAI_BASE_URL", "http://box:1/v1"}};
  EXPECT_EQ(KeyOf("openai://m", box), "sk-1");
  EXPECT_EQ(KeyOf("openai+http://box:1/m", box), "sk-1");
  EXPECT_EQ(KeyOf("openai+http://box:2/m", box), "");
  EXPECT_EQ(KeyOf("ollama://box:1/m", box), "") << "another kind of server";
  EXPECT_THAT(KeyOf("openai://m", {{"OPENAI_API_KEY", "sk\r\nX: y"}}), HasSubstr("is no key"));
}

TEST_F(ApiKeyTest, AFileHoldsKeysByHost) {
  WriteKeys("# mine\nbox.example  sk-box\n127.0.0.1:8080 sk-local\n");
  EXPECT_EQ(KeyOf("openai://box.example/m"), "sk-box");
  EXPECT_EQ(KeyOf("openai://127.0.0.1:8080/m"), "sk-local");
  EXPECT_EQ(KeyOf("openai://127.0.0.1:8081/m"), "");
  EXPECT_EQ(KeyOf("openai://sub.box.example/m"), "");
}

TEST_F(ApiKeyTest, AFileThatOthersReadIsRefused) {
  WriteKeys("box.example sk-box\n", 0640);
  EXPECT_THAT(KeyOf("openai://box.example/m"), HasSubstr("chmod 600"));
}

TEST_F(ApiKeyTest, ABadLineIsNamedButNotShown) {
  WriteKeys("# mine\nsk-secret\n");
  EXPECT_THAT(KeyOf("openai://box.example/m"), HasSubstr("keys:2: want"));
  EXPECT_THAT(KeyOf("openai://box.example/m"), Not(HasSubstr("sk-secret")));
}

}  // namespace
}  // namespace vade::remote
