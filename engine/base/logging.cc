#include "engine/base/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <memory>

namespace vade {

void InitLogging(Verbosity verbosity) {
  auto logger = std::make_shared<spdlog::logger>(
      "vade", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("vade: %^%l%$: %v");
  switch (verbosity) {
    case Verbosity::kQuiet:
      logger->set_level(spdlog::level::err);
      break;
    case Verbosity::kNormal:
      logger->set_level(spdlog::level::warn);
      break;
    case Verbosity::kVerbose:
      logger->set_level(spdlog::level::info);
      break;
    case Verbosity::kDebug:
      logger->set_level(spdlog::level::debug);
      break;
  }
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace vade
