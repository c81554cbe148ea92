#include "qa/cli/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/process.h"

namespace vade::qa {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  Result<void> Load(std::string_view text) {
    folder_.Write("vade/config.toml", text);
    setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
    options_ = {};
    return LoadConfig(options_);
  }
  std::string ErrorOf(std::string_view text) {
    const auto loaded = Load(text);
    return loaded ? "" : loaded.error().message;
  }
  testing::TemporaryFolder folder_;
  GlobalOptions options_;
};

TEST_F(ConfigTest, ReadsKeysOfTheServer) {
  const std::string hash(64, 'a');
  ASSERT_TRUE(
      Load("threads = 3\n[serve]\ncurrency = \"EUR\"\n[[serve.key]]\nname = \"ali\"\n"
           "token_sha256 = \"" +
           hash + "\"\nrequests_per_minute = 60\nprompt_price = 0.5\n"));
  EXPECT_EQ(options_.threads, 3u);
  EXPECT_EQ(options_.serve.currency, "EUR");
  ASSERT_EQ(options_.serve.keys.size(), 1u);
  EXPECT_EQ(options_.serve.keys[0].name, "ali");
  EXPECT_EQ(options_.serve.keys[0].token_sha256, hash);
  EXPECT_EQ(options_.serve.keys[0].requests_per_minute, 60u);
  EXPECT_EQ(options_.serve.keys[0].prompt_price, 0.5);
}

TEST_F(ConfigTest, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(ErrorOf(""), "");
  for (const auto& [text, word] : std::vector<std::pair<std::string, std::string>>{
           {"stroe = \"x\"", "stroe: unknown key"},
           {"threads = \"x\"", "threads: expected an integer"},
           {"threads = -1", "threads"},
           {"[serve]\nprot = 5", "serve.prot"},
           {"serve = 5", "expected a table [serve]"},
           {"[[serve.key]]\nname = \"a\"", "name and token_sha256 needed"},
           {"[[serve.key]]\nname = \"a\"\ntoken_sha256 = \"abc\"", "serve.key.token_sha256"},
           {"[[serve.key]]\nprompt_price = -1", "serve.key.prompt_price"},
           {"[tools]\nweb_search_url = \"ftp://x\"", "expected an http or https URL"},
           {"a = [", "config.toml:1"}}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr(word)) << text;
  }
}

}  // namespace
}  // namespace vade::qa
