// Log lines to stderr through spdlog: off by default except warnings; -v and -vv raise the level.
#pragma once

#include <spdlog/spdlog.h>

namespace vade {

enum class Verbosity { kQuiet, kNormal, kVerbose, kDebug };

/// Called once by main, before any other thread exists.
void InitLogging(Verbosity verbosity);

}  // namespace vade
