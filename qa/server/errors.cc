#include "qa/server/errors.h"

#include <nlohmann/json.hpp>

#include "qa/server/event_stream.h"

namespace vade::qa::server {

using nlohmann::json;

std::string_view ErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

int StatusOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kResource:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kCorruptData:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

Response ErrorResponse(std::string_view path, int status, const std::string& message) {
  Response response;
  response.status = status;
  const bool ollama = path.starts_with("/api/") && !path.starts_with("/api/v1/");
  if (ollama) {
    response.body = Dump({{"error", message}});
  } else {
    // OpenAI's clients tell a prompt that is too long by this word.
    const bool too_long = message.find("the context holds") != std::string::npos;
    response.body =
        Dump({{"error",
               {{"message", message},
                {"type", ErrorType(status)},
                {"param", nullptr},
                {"code", too_long ? json("context_length_exceeded") : json(nullptr)}}}});
  }
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

Response ErrorResponse(std::string_view path, const Error& error) {
  return ErrorResponse(path, StatusOf(error), error.message);
}

}  // namespace vade::qa::server
