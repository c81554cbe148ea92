// Running heads and feet of a text paged by form feeds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vade::ingest {

/// Lines that stand first or last on at least three pages, numbers apart: "Pump manual   - 12 -".
class RunningLines {
 public:
  /// Keeps views into `text`.
  explicit RunningLines(std::string_view text);

  /// REQUIRES `line` to be a view into the text given to the constructor.
  [[nodiscard]] bool Contains(std::string_view line) const {
    return !lines_.empty() && lines_.contains(line.data());
  }
  /// The page number printed on a page, "" when there is none.
  [[nodiscard]] std::string_view Label(size_t page_idx) const {
    return page_idx < labels_.size() ? labels_[page_idx] : std::string_view();
  }

 private:
  std::unordered_set<const char*> lines_;  // by where they begin
  std::vector<std::string_view> labels_;   // one per page
};

}  // namespace vade::ingest
