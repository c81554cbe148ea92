// The description of the HTTP API, served at /openapi.json.
#pragma once

#include <string_view>

namespace vade::qa::server {

/// openapi.json, an OpenAPI 3.1 document.
extern const std::string_view kOpenApi;

}  // namespace vade::qa::server
