// Two passes: collect the outer lines of every page, then keep those that repeat.
#include "ingest/text_running.h"

#include <unordered_map>

#include "ingest/text_lines.h"

namespace vade::ingest {
namespace {

constexpr size_t kMinPages = 3;
constexpr size_t kMaxRunningBytes = 160;

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }

// The line with each number as "#": what stays the same from page to page.
std::string Pattern(std::string_view line) {
  std::string out;
  for (const char c : line.substr(0, kMaxRunningBytes)) {
    if (!IsDigit(c)) {
      out.push_back(c);
    } else if (out.empty() || out.back() != '#') {
      out.push_back('#');
    }
  }
  return out;
}

// The only number of a line, when it is nothing but decoration and that number: "- 7 -", "Page 7".
std::string_view PageNumber(std::string_view line) {
  const std::string pattern = Pattern(line);
  const bool bare = pattern == "#" || pattern == "- # -" || pattern == "[#]" ||
                    pattern == "Page #" || pattern == "page #" || pattern == "p. #";
  if (!bare) return {};
  const size_t first = line.find_first_of("0123456789");
  return line.substr(first, line.find_last_of("0123456789") - first + 1);
}

struct PageEdges {
  std::string_view first, last;
};

std::vector<PageEdges> EdgesOf(std::string_view text) {
  std::vector<PageEdges> pages(1);
  LineReader reader(text);
  for (TextLine line; reader.Next(line);) {
    if (line.page_break_before) pages.emplace_back();
    if (line.text.empty()) continue;
    if (pages.back().first.empty()) pages.back().first = line.text;
    pages.back().last = line.text;
  }
  return pages;
}

}  // namespace

RunningLines::RunningLines(std::string_view text) {
  if (text.find('\f') == std::string_view::npos) return;
  const std::vector<PageEdges> pages = EdgesOf(text);
  std::unordered_map<std::string, size_t> heads, feet;
  for (const PageEdges& page : pages) {
    ++heads[Pattern(page.first)];
    ++feet[Pattern(page.last)];
  }
  for (const PageEdges& page : pages) {
    std::string_view label;
    for (const auto& [line, counts] :
         {std::pair(page.first, &heads), std::pair(page.last, &feet)}) {
      if (line.empty() || line.size() > kMaxRunningBytes || (*counts)[Pattern(line)] < kMinPages) {
        continue;
      }
      lines_.insert(line.data());
      if (label.empty()) label = PageNumber(line);
    }
    labels_.push_back(label);
  }
}

}  // namespace vade::ingest
