// Tests of engine/base/result.
#include "engine/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace vade {
namespace {

Result<int> Half(int x) {
  if (x % 2 != 0) return Fail(ErrorCode::kInvalidArgument, std::to_string(x) + " is odd");
  return x / 2;
}

Result<int> Quarter(int x) {
  VADE_TRY(const int half, Half(x));
  VADE_TRY(const int quarter, Half(half));
  return quarter;
}

Result<void> CheckEven(int x) {
  VADE_CHECK_OK(Half(x));
  return {};
}

TEST(Result, TryPassesValuesAndErrorsOn) {
  EXPECT_EQ(Quarter(8).value(), 2);
  EXPECT_EQ(Quarter(6).error().message, "3 is odd");
  EXPECT_TRUE(CheckEven(2));
  EXPECT_EQ(CheckEven(3).error().code, ErrorCode::kInvalidArgument);
}

TEST(Result, TryMovesWhatCannotBeCopied) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto use = [&]() -> Result<int> {
    VADE_TRY(const auto pointer, make());
    return *pointer;
  };
  EXPECT_EQ(use().value(), 5);
}

TEST(Result, ContextIsPutBeforeTheMessage) {
  const Result<int> failed = Fail("model.gguf", Half(1).error());
  EXPECT_EQ(failed.error().message, "model.gguf: 1 is odd");
  EXPECT_EQ(failed.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace vade
