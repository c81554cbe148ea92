// Errors in the words of the API that was spoken to.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "qa/server/http_message.h"

namespace vade::qa::server {

/// {"error": "..."} for Ollama's routes, {"error": {"message", "type", "code", "param"}} elsewhere.
[[nodiscard]] Response ErrorResponse(std::string_view path, int status, const std::string& message);

/// The status that fits, and no more of the message than a stranger may see.
[[nodiscard]] Response ErrorResponse(std::string_view path, const Error& error);

[[nodiscard]] int StatusOf(const Error& error);

/// OpenAI's word for a status.
[[nodiscard]] std::string_view ErrorType(int status);

}  // namespace vade::qa::server
