// Names find models; paths, and names made of paths, find nothing.
#include "qa/runner/model_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/process.h"

namespace vade::qa {
namespace {

TEST(ModelNames, FindWhatIsKeptAndWhatIsNamed) {
  const testing::TemporaryFolder folder;
  folder.Write("one.gguf", "x");
  folder.Write("two-00001-of-00002.gguf", "x");
  const ModelNames names{folder.path(), {{"big", "/somewhere/big.gguf"}}};
  EXPECT_EQ(names.Find("one").value(), folder.path() / "one.gguf");
  EXPECT_EQ(names.Find("one.gguf").value(), folder.path() / "one.gguf");
  EXPECT_EQ(names.Find("one:latest").value(), folder.path() / "one.gguf");
  EXPECT_EQ(names.Find("two").value(), folder.path() / "two-00001-of-00002.gguf");
  EXPECT_EQ(names.Find("big:latest").value(), "/somewhere/big.gguf");
}

TEST(ModelNames, APathNamesNothingWhetherItExistsOrNot) {
  const testing::TemporaryFolder folder;
  folder.Write("models/one.gguf", "x");
  folder.Write("secret.gguf", "x");
  folder.Write("models/.hidden.gguf", "x");
  const ModelNames names{folder.path() / "models", {}};
  for (const std::string& name :
       {std::string("../secret"), std::string("../nothing"),
        (folder.path() / "secret.gguf").string(), std::string("./one"), std::string(".hidden"),
        std::string("..%2fsecret"), std::string(""), std::string("one\0", 4),
        std::string(5000, 'a')}) {
    const auto found = names.Find(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
    EXPECT_THAT(found.error().message, ::testing::EndsWith("' not found"));
    EXPECT_LT(found.error().message.size(), 1000u);
  }
}

}  // namespace
}  // namespace vade::qa
