// Result<T>: how everything that can fail reports it. No exceptions cross a library boundary.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace vade {

enum class ErrorCode {
  kInvalidArgument,  // the caller asked for something that makes no sense
  kNotFound,
  kCorruptData,  // a file or a message breaks its format
  kUnsupported,  // well-formed, but not something we can do
  kIo,           // disk, permission
  kResource,     // would need more memory, time or space than there is
  kCancelled,
  kUnavailable,  // locked, upstream down: later may work
  kInternal,     // our own bug
};

/// What failed. The message says what, where, got, expected, in one line:
/// "model.gguf: tensor blk.0.attn_q.weight: got [4096,512], want [4096,4096]".
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

/// The same error with "context: " put before its message.
[[nodiscard]] inline tl::unexpected<Error> Fail(std::string_view context, Error error) {
  error.message = std::string(context) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace vade

#define VADE_CONCAT_INNER(a, b) a##b
#define VADE_CONCAT(a, b) VADE_CONCAT_INNER(a, b)

/// VADE_TRY(auto x, F()): x = the value of F(), or return its error.
#define VADE_TRY(declaration, expression) \
  VADE_TRY_INNER(VADE_CONCAT(vade_try_, __LINE__), declaration, expression)
#define VADE_TRY_INNER(tmp, declaration, expression)                      \
  auto tmp = (expression);                                                \
  if (!tmp) return tl::unexpected<::vade::Error>(std::move(tmp).error()); \
  declaration = std::move(*tmp)

/// VADE_CHECK_OK(F()): return F()'s error, if any. For Result<void>.
#define VADE_CHECK_OK(expression)                                           \
  do {                                                                      \
    if (auto vade_status = (expression); !vade_status)                      \
      return tl::unexpected<::vade::Error>(std::move(vade_status).error()); \
  } while (false)
