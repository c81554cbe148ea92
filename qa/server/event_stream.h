// Streams of JSON over one reply: Server-Sent Events, or a line per object.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "qa/server/http_message.h"

namespace vade::qa::server {

/// JSON text whatever the strings hold: invalid UTF-8 becomes U+FFFD.
[[nodiscard]] inline std::string Dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

[[nodiscard]] inline Response JsonResponse(const nlohmann::json& value, int status = 200) {
  return {status, "application/json", Dump(value)};
}

/// For one handler's thread.
class EventStream {
 public:
  explicit EventStream(Reply& reply) : reply_(reply) {
    reply_.Begin({200, "text/event-stream", "", {{"Cache-Control", "no-store"}}}, ": ping\n\n");
  }
  ~EventStream() { reply_.End(); }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// "event: name", "data: {...}". False: the client has gone.
  bool Send(std::string_view name, const nlohmann::json& data) {
    return reply_.Write("event: " + std::string(name) + "\ndata: " + Dump(data) + "\n\n");
  }
  /// "data: text" alone, as OpenAI has it.
  bool Send(std::string_view data) { return reply_.Write("data: " + std::string(data) + "\n\n"); }

 private:
  Reply& reply_;
};

/// One JSON object a line, as Ollama has it.
class LineStream {
 public:
  explicit LineStream(Reply& reply) : reply_(reply) {
    reply_.Begin({200, "application/x-ndjson", "", {{"Cache-Control", "no-store"}}});
  }
  ~LineStream() { reply_.End(); }
  LineStream(const LineStream&) = delete;
  LineStream& operator=(const LineStream&) = delete;

  bool Send(const nlohmann::json& object) { return reply_.Write(Dump(object) + "\n"); }

 private:
  Reply& reply_;
};

}  // namespace vade::qa::server
