// Where the text of a reply turns into tool calls.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/grammar.h"

namespace vade::engine {

struct CallTrigger {
  std::vector<std::string> marks;  // any of these begins a call; none: the whole reply is one
  bool only_at_start = false;      // of the reply, white space aside
  std::optional<runtime::Grammar> grammar;  // of the mark and all that follows
};

/// Looks for a mark in a stream of text. What might still become one is held back.
class TriggerScan {
 public:
  TriggerScan(std::vector<std::string> marks, bool only_at_start)
      : marks_(std::move(marks)), only_at_start_(only_at_start) {}

  /// The text that can be shown after `piece`.
  [[nodiscard]] std::string Append(std::string_view piece);
  /// A mark has come: held() begins with it.
  [[nodiscard]] bool found() const noexcept { return found_; }
  [[nodiscard]] const std::string& held() const noexcept { return held_; }
  /// No mark can come any more.
  [[nodiscard]] bool over() const noexcept { return over_; }

 private:
  std::vector<std::string> marks_;
  bool only_at_start_;
  bool found_ = false;
  bool over_ = false;
  std::string held_;
};

}  // namespace vade::engine
