// Server: the parts of `vade serve` put together: network, guard, limits, routes, accounts.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/result.h"
#include "qa/server/guard.h"
#include "qa/server/http_server.h"
#include "qa/server/service.h"

namespace vade::qa::server {

enum class LogFormat { kNone, kText, kJson };

struct ServerOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 11435;
  HttpLimits limits;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allowed_origins;
  std::vector<ApiKey> keys;          // required when the host is not loopback
  uint32_t requests_per_minute = 0;  // of each key that has no limit of its own; 0: no limit
  size_t cache_bytes = size_t{64} << 20;
  std::string currency = "USD";
  std::filesystem::path usage_file;
  std::filesystem::path store;
  LogFormat log = LogFormat::kText;
  ModelSettings models;
  ServiceOptions service;
};

/// Single-thread, but for Stop.
class Server {
 public:
  /// Binds and is ready. Errors: kInvalidArgument "needs a token"; those of HttpServer::Listen.
  [[nodiscard]] static Result<std::unique_ptr<Server>> Start(
      const ServerOptions& options, std::unique_ptr<embed::Embedder> embedder);
  virtual ~Server() = default;

  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Until a signal or Stop; see HttpServer::Run.
  virtual void Run(bool handle_signals) = 0;
  virtual void Stop() = 0;
};

/// 127.0.0.0/8, ::1 and "localhost".
[[nodiscard]] bool IsLoopback(const std::string& host);

}  // namespace vade::qa::server
