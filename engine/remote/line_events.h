// LineEvents: pieces of a body -> the JSON values of a stream, one per line (NDJSON) or per
// server-sent event.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace vade::remote {

/// Single-thread.
class LineEvents {
 public:
  /// Takes a value; false ends the stream.
  using Sink = std::function<Result<bool>(const nlohmann::json&)>;

  LineEvents(bool is_sse, size_t max_line_bytes, Sink sink)
      : is_sse_(is_sse), max_line_bytes_(max_line_bytes), sink_(std::move(sink)) {}

  /// Returns: whether more is wanted.
  /// Errors: kUnavailable for a line that is too long or no JSON; those of the sink.
  [[nodiscard]] Result<bool> Append(std::string_view bytes);
  /// The last line may lack its end.
  [[nodiscard]] Result<bool> Finish();

  /// Server-sent events: "[DONE]" was there.
  [[nodiscard]] bool done() const { return done_; }

 private:
  [[nodiscard]] Result<bool> TakeLine(std::string_view line);
  [[nodiscard]] Result<bool> TakeValue(std::string_view text);
  [[nodiscard]] Result<bool> TakeEvent();

  bool is_sse_;
  size_t max_line_bytes_;
  Sink sink_;
  std::string line_;
  std::string event_;  // the data lines of an event so far
  bool done_ = false;
};

/// JSON of a stranger: no exceptions, at most 64 deep. Discarded when it is none.
[[nodiscard]] nlohmann::json ParseJson(std::string_view text);

}  // namespace vade::remote
