// Each stop string runs its own Knuth-Morris-Pratt automaton over the bytes.
#include "engine/runtime/stop_strings.h"

#include <algorithm>
#include <cstdint>

#include "engine/base/utf8.h"

namespace vade::runtime {
namespace {

std::vector<size_t> Borders(std::string_view text) {
  std::vector<size_t> border(text.size(), 0);
  for (size_t i = 1, length = 0; i < text.size(); ++i) {
    while (length > 0 && text[i] != text[length]) length = border[length - 1];
    if (text[i] == text[length]) ++length;
    border[i] = length;
  }
  return border;
}

// Bytes at the end of `text` that are the beginning of a code point and may still become one.
size_t IncompleteTail(std::string_view text) noexcept {
  for (size_t length = 1; length <= std::min<size_t>(3, text.size()); ++length) {
    const auto lead = static_cast<uint8_t>(text[text.size() - length]);
    if (lead < 0x80) return 0;
    if (lead < 0xC0) continue;  // a continuation: its lead is further left
    const utf8::CodePoint c = utf8::Decode(text, text.size() - length);
    const size_t needs = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    return !c.valid && c.length == length && length < needs && lead >= 0xC2 && lead <= 0xF4 ? length
                                                                                            : 0;
  }
  return 0;
}

}  // namespace

Result<StopStrings> StopStrings::Create(const std::vector<std::string>& stops) {
  if (stops.size() > kMaxStops) {
    return Fail(ErrorCode::kInvalidArgument, "stop: got " + std::to_string(stops.size()) +
                                                 " strings, want at most " +
                                                 std::to_string(kMaxStops));
  }
  StopStrings out;
  for (const std::string& text : stops) {
    if (text.empty() || text.size() > kMaxStopBytes) {
      return Fail(ErrorCode::kInvalidArgument,
                  "stop: got a string of " + std::to_string(text.size()) + " bytes, want 1 to " +
                      std::to_string(kMaxStopBytes));
    }
    out.stops_.push_back({text, Borders(text), 0});
  }
  return out;
}

const StopStrings::Stop* StopStrings::Feed(char byte) {
  const Stop* complete = nullptr;
  for (Stop& stop : stops_) {
    while (stop.matched > 0 && stop.text[stop.matched] != byte) {
      stop.matched = stop.border[stop.matched - 1];
    }
    if (stop.text[stop.matched] == byte) ++stop.matched;
    const bool longer = complete == nullptr || stop.text.size() > complete->text.size();
    if (stop.matched == stop.text.size() && longer) complete = &stop;
  }
  return complete;
}

// The next `count` pending bytes as valid UTF-8.
std::string StopStrings::Release(size_t count) {
  std::string out = utf8::Repair(std::string_view(pending_).substr(shown_, count));
  shown_ += count;
  if (shown_ > pending_.size() / 2) {  // each byte is moved at most twice on average
    pending_.erase(0, shown_);
    shown_ = 0;
  }
  return out;
}

std::string StopStrings::Append(std::string_view piece) {
  if (stopped_by_) return {};
  for (size_t i = 0; i < piece.size(); ++i) {
    const Stop* complete = Feed(piece[i]);
    if (complete == nullptr) continue;
    pending_ += piece.substr(0, i + 1);
    stopped_by_ = complete->text;
    return Release(pending_.size() - shown_ - complete->text.size());
  }
  pending_ += piece;
  size_t held = 0;
  for (const Stop& stop : stops_) held = std::max(held, stop.matched);
  const std::string_view safe =
      std::string_view(pending_).substr(shown_, pending_.size() - shown_ - held);
  return Release(safe.size() - IncompleteTail(safe));
}

std::string StopStrings::Finish() {
  if (stopped_by_) return {};
  return Release(pending_.size() - shown_);
}

}  // namespace vade::runtime
