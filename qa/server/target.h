// The target of a request line: path and query, decoded.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::qa::server {

/// Only origin-form ("/path?a=b"). An encoded slash, a NUL, "." and ".." are refused wherever they
/// stand, so that no later reader can take them for something else.
/// Errors: kInvalidArgument.
[[nodiscard]] Result<void> DecodeTarget(std::string_view target, std::string& path,
                                        std::map<std::string, std::string>& query);

}  // namespace vade::qa::server
