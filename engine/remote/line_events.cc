#include "engine/remote/line_events.h"

#include <algorithm>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::remote {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kShownBytes = 80;

}  // namespace

nlohmann::json ParseJson(std::string_view text) {
  using nlohmann::json;
  bool too_deep = false;
  const auto limit = [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth >= kMaxDepth;
    return !too_deep;
  };
  json value = json::parse(text, limit, false);
  return too_deep ? json(json::value_t::discarded) : value;
}

Result<bool> LineEvents::TakeValue(std::string_view text) {
  const nlohmann::json value = ParseJson(text);
  if (value.is_discarded()) {
    return Fail(ErrorCode::kUnavailable,
                "a line of the answer is no JSON: \"" +
                    utf8::Escape(text.substr(0, utf8::FloorBoundary(text, kShownBytes))) + "\"");
  }
  return sink_(value);
}

Result<bool> LineEvents::TakeEvent() {
  const std::string data = std::exchange(event_, {});
  if (data.empty()) return true;
  if (data == "[DONE]") {
    done_ = true;
    return false;
  }
  return TakeValue(data);
}

Result<bool> LineEvents::TakeLine(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!is_sse_) {
    const bool blank = line.find_first_not_of(" \t") == std::string_view::npos;
    return blank ? Result<bool>(true) : TakeValue(line);
  }
  if (line.empty()) return TakeEvent();
  if (line.starts_with("data:") || line.starts_with("error:")) {  // llama-server says "error:"
    line.remove_prefix(line.find(':') + 1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (!event_.empty()) event_ += '\n';
    event_ += line;
    if (event_.size() > max_line_bytes_) {
      return Fail(ErrorCode::kUnavailable,
                  "an event of more than " + std::to_string(max_line_bytes_) + " bytes");
    }
  }
  return true;  // comments and other fields
}

Result<bool> LineEvents::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    if (line_.size() + end > max_line_bytes_) {
      return Fail(ErrorCode::kUnavailable,
                  "a line of more than " + std::to_string(max_line_bytes_) + " bytes");
    }
    line_ += bytes.substr(0, end);
    if (end == bytes.size()) return true;
    bytes.remove_prefix(end + 1);
    VADE_TRY(const bool more, TakeLine(std::exchange(line_, {})));
    if (!more) return false;
  }
  return true;
}

Result<bool> LineEvents::Finish() {
  if (!line_.empty()) {
    VADE_TRY(const bool more, TakeLine(std::exchange(line_, {})));
    if (!more) return false;
  }
  return is_sse_ ? TakeEvent() : Result<bool>(true);
}

}  // namespace vade::remote
