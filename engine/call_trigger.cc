#include "engine/call_trigger.h"

#include <algorithm>
#include <utility>

namespace vade::engine {

std::string TriggerScan::Append(std::string_view piece) {
  held_ += piece;
  const std::string_view held = held_;
  size_t at = only_at_start_ ? held.find_first_not_of(" \t\r\n") : 0;
  for (; at < held.size(); ++at) {
    const std::string_view rest = held.substr(at);
    const auto begins = [&](const std::string& mark) { return rest.starts_with(mark); };
    const auto may_begin = [&](const std::string& mark) { return mark.starts_with(rest); };
    if (std::ranges::any_of(marks_, begins)) {
      found_ = true;
      break;
    }
    if (std::ranges::any_of(marks_, may_begin)) break;
    if (only_at_start_) {
      over_ = true;
      return std::exchange(held_, "");
    }
  }
  if (only_at_start_ && !found_) return "";  // white space, or the beginning of a mark
  std::string shown = held_.substr(0, std::min(at, held_.size()));
  held_.erase(0, shown.size());
  return only_at_start_ ? "" : shown;  // white space before a call is nobody's text
}

}  // namespace vade::engine
