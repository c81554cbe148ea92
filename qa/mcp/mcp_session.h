// McpSession: the Model Context Protocol without its transport. A message in, at most one message
// out, and notifications beside it. https://modelcontextprotocol.io/specification
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/cancel.h"
#include "qa/mcp/mcp_tools.h"

namespace vade::qa {

inline constexpr size_t kMaxMcpMessageBytes = size_t{4} << 20;
inline constexpr size_t kMaxMcpRunning = 32;  // requests of one session at a time

/// Takes a notification that belongs to a running request (progress); false: nobody listens.
using McpNotify = std::function<bool(const std::string& message)>;

/// A message that was read; running it gives the answer.
struct McpWork {
  bool is_quick = true;      // false: runs a tool, on a thread of its own where others wait
  bool has_reply = false;    // false: a notification or a response of the client
  bool wants_notes = false;  // has a progress token
  bool is_initialize = false;
  /// The answer; none to notifications and to what was cancelled. Call it once or not at all.
  std::function<std::optional<std::string>(const McpNotify& notify)> run;
};

/// Thread-safe: requests run side by side, each on the thread that calls its `run`. Does not own
/// the tools.
///
/// Versions 2025-06-18, 2025-03-26 and 2024-11-05 are spoken; a client that asks for another is
/// offered the first. Batches are read by the older two only. Before `initialize` only `ping` is
/// answered. Hostile input gets a JSON-RPC error: -32700 no JSON text, -32600 no request, too
/// large, too many at a time; -32601 unknown method; -32602 wrong parameters, unknown tool; -32002
/// no such document; -32603 our own fault.
class McpSession {
 public:
  explicit McpSession(const McpTools* tools) : tools_(tools) {}

  /// Reads one message and enters its requests, so that a cancellation finds them even before they
  /// run. `cancel` (may be null) is the token of the whole message, for a transport that notices
  /// that its client is gone.
  [[nodiscard]] McpWork Read(std::string_view message, std::shared_ptr<CancelToken> cancel = {});

  /// Reads and runs.
  [[nodiscard]] std::optional<std::string> Handle(std::string_view message,
                                                  const McpNotify& notify = {});

  /// Cancels all that runs; the session goes on.
  void CancelAll();

  /// What was agreed on; empty before `initialize`.
  [[nodiscard]] std::string version() const;
  [[nodiscard]] size_t num_running() const;

  [[nodiscard]] static bool IsKnownVersion(std::string_view version);

 private:
  struct Request;  // one call of a method
  struct Running;

  McpWork ReadOne(const nlohmann::json& message, std::shared_ptr<CancelToken> cancel,
                  bool in_batch);
  McpWork ReadBatch(const nlohmann::json& messages, const std::shared_ptr<CancelToken>& cancel);
  void TakeNotification(const std::string& method, const nlohmann::json& params);
  Result<nlohmann::json> Run(const Request& request, const McpNotify& notify);
  Result<nlohmann::json> Initialize(const nlohmann::json& params);
  Result<nlohmann::json> CallTool(const Request& request, const McpNotify& notify);
  void Leave(const std::string& id);

  const McpTools* tools_;
  mutable std::mutex mutex_;
  std::string version_;                                          // guarded by mutex_
  std::map<std::string, std::shared_ptr<CancelToken>> running_;  // by the id's JSON; mutex_
};

}  // namespace vade::qa
