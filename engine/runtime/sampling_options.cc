// Ranges of the sampling options.
#include "engine/runtime/sampling_options.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

namespace vade::runtime {
namespace {

constexpr size_t kMaxBiases = 1024;
constexpr int32_t kMaxTopLogprobs = 20;  // the OpenAI API's

std::string Show(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

tl::unexpected<Error> OutOfRange(const char* name, double got, const std::string& want) {
  return Fail(ErrorCode::kInvalidArgument,
              std::string(name) + ": got " + Show(got) + ", want " + want);
}

// NaN is outside of every range.
Result<void> InRange(const char* name, double value, double low, double high) {
  if (value >= low && value <= high) return {};
  return OutOfRange(name, value, "a number from " + Show(low) + " to " + Show(high));
}

Result<void> ValidateBias(const LogitBias& bias, size_t vocab_size) {
  if (bias.id < 0 || static_cast<size_t>(bias.id) >= vocab_size) {
    return OutOfRange("logit_bias token id", bias.id,
                      "0 to " + std::to_string(vocab_size - 1) + " (the vocabulary)");
  }
  if (bias.bias == -std::numeric_limits<float>::infinity()) return {};
  return InRange("logit_bias", static_cast<double>(bias.bias), -1e6, 1e6);
}

}  // namespace

Result<void> Validate(const SamplingOptions& options, size_t vocab_size) {
  constexpr double kMaxInt = std::numeric_limits<int32_t>::max();
  if (vocab_size == 0) return Fail(ErrorCode::kInvalidArgument, "the vocabulary is empty");
  const auto wide = [](float value) { return static_cast<double>(value); };
  VADE_CHECK_OK(InRange("temperature", wide(options.temperature), 0, 100));
  VADE_CHECK_OK(InRange("top_k", options.top_k, 0, kMaxInt));
  VADE_CHECK_OK(InRange("top_p", wide(options.top_p), 0, 1));
  VADE_CHECK_OK(InRange("min_p", wide(options.min_p), 0, 1));
  VADE_CHECK_OK(InRange("typical_p", wide(options.typical_p), 0, 1));
  VADE_CHECK_OK(InRange("repeat_last_n", options.repeat_last_n, -1, kMaxInt));
  VADE_CHECK_OK(InRange("repeat_penalty", wide(options.repeat_penalty), 0.01, 100));
  VADE_CHECK_OK(InRange("presence_penalty", wide(options.presence_penalty), -100, 100));
  VADE_CHECK_OK(InRange("frequency_penalty", wide(options.frequency_penalty), -100, 100));
  VADE_CHECK_OK(InRange("top_logprobs", options.top_logprobs, 0, kMaxTopLogprobs));
  if (options.top_logprobs > 0 && !options.logprobs) {
    return Fail(ErrorCode::kInvalidArgument, "top_logprobs: got " +
                                                 std::to_string(options.top_logprobs) +
                                                 " with logprobs false, want logprobs true");
  }
  if (options.logit_bias.size() > kMaxBiases) {
    return OutOfRange("logit_bias", static_cast<double>(options.logit_bias.size()),
                      "at most " + std::to_string(kMaxBiases) + " entries");
  }
  for (const LogitBias& bias : options.logit_bias) VADE_CHECK_OK(ValidateBias(bias, vocab_size));
  return {};
}

}  // namespace vade::runtime
