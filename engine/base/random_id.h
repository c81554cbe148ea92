// Random names and secrets from the operating system.
#pragma once

#include <string>

namespace vade {

/// 16 hexadecimal digits: unique for our purposes, no secret.
[[nodiscard]] std::string RandomId();

/// 64 hexadecimal digits: 256 bits nobody can guess.
[[nodiscard]] std::string RandomToken();

}  // namespace vade
