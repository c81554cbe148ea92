// Unit map: pages by their labels, sections by where their headings stand in the text.
#include "qa/eval/unit_map.h"

#include <algorithm>
#include <set>

namespace vade::qa::eval {
namespace {

constexpr std::string_view kPageMark = "p=";
constexpr std::string_view kHeadingJoin = " > ";

std::string Join(std::string_view file, std::string_view unit) {
  return std::string(file).append("#").append(unit);
}

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> headings;
  while (!path.empty()) {
    const size_t end = std::min(path.find(kHeadingJoin), path.size());
    headings.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + kHeadingJoin.size(), path.size()));
  }
  return headings;
}

/// Where `heading` stands as a line of its own at or after `from`; npos when nowhere.
size_t FindLine(std::string_view text, std::string_view heading, size_t from) {
  for (size_t at = text.find(heading, from); at != std::string_view::npos;
       at = text.find(heading, at + 1)) {
    const size_t end = at + heading.size();
    const bool starts = at == 0 || text[at - 1] == '\n';
    if (starts && (end == text.size() || text[end] == '\n')) return at;
  }
  return std::string_view::npos;
}

int GradeOf(std::string_view unit, std::span<const Judgment> judgments) {
  for (const Judgment& judgment : judgments) {
    if (judgment.doc == unit) return judgment.grade;
  }
  return kMinGrade;
}

}  // namespace

UnitMap::UnitMap(const std::vector<std::string>& unit_ids) {
  for (const std::string& id : unit_ids) {
    const size_t mark = id.find('#');
    if (mark == std::string::npos) continue;
    File& file = files_[id.substr(0, mark)];
    const std::string_view unit = std::string_view(id).substr(mark + 1);
    if (unit.starts_with(kPageMark)) {
      file.pages.emplace_back(unit.substr(kPageMark.size()));
    } else {
      file.sections.push_back({std::string(unit)});
    }
  }
}

// Headings are looked for in reading order, each after the one before. A section's span begins at
// the first heading that it does not share with the section before it: "Care" above "Cleaning"
// belongs to "Care > Cleaning", not to what precedes it.
void UnitMap::AddText(std::string_view name, std::string_view text) {
  const auto found = files_.find(name);
  if (found == files_.end()) return;
  size_t position = 0;
  Section* previous = nullptr;
  std::vector<std::string_view> previous_path;
  for (Section& section : found->second.sections) {
    const std::vector<std::string_view> path = SplitPath(section.path);
    size_t shared = 0;
    while (shared < std::min(path.size(), previous_path.size()) &&
           path[shared] == previous_path[shared]) {
      ++shared;
    }
    size_t begin = std::string_view::npos;
    size_t after = position;
    for (size_t i = shared; i < path.size(); ++i) {
      const size_t line = FindLine(text, path[i], after);
      if (line == std::string_view::npos) continue;
      begin = std::min(begin, line);
      after = line + path[i].size();
    }
    if (path.empty()) begin = 0;
    if (begin == std::string_view::npos) continue;
    if (previous != nullptr) previous->end = begin;
    section.located = true;
    section.begin = begin;
    section.end = text.size();
    position = after;
    previous = &section;
    previous_path = path;
  }
}

std::vector<std::string> UnitMap::PagesOf(const File& file, const retriever::Passage& passage) {
  const auto first = std::find(file.pages.begin(), file.pages.end(), passage.first_page);
  const auto last = std::find(first, file.pages.end(), passage.last_page);
  if (first == file.pages.end()) return {};
  if (last == file.pages.end()) return {std::string(kPageMark) + *first};
  std::vector<std::string> units;
  for (auto page = first; page != last + 1; ++page) {
    units.push_back(std::string(kPageMark) + *page);
  }
  return units;
}

std::vector<std::string> UnitMap::SectionsOf(const File& file, const retriever::Passage& passage) {
  std::vector<std::string> units;
  for (const Section& section : file.sections) {
    if (section.located && section.begin < passage.end && passage.begin < section.end) {
      units.push_back(section.path);
    }
  }
  std::string_view path = passage.heading_path;
  while (true) {
    const auto named = std::find_if(file.sections.begin(), file.sections.end(),
                                    [&](const Section& section) { return section.path == path; });
    // The heading path adds nothing to spans that are known, and is all there is otherwise.
    if (named != file.sections.end()) {
      if (units.empty() || !named->located) units.emplace_back(path);
      return units;
    }
    if (path.empty()) return units;
    const size_t parent = path.rfind(kHeadingJoin);
    path = parent == std::string_view::npos ? std::string_view() : path.substr(0, parent);
  }
}

std::vector<std::string> UnitMap::UnitsOf(const retriever::Passage& passage) const {
  const auto found = files_.find(passage.path);
  if (found == files_.end()) return {};
  const File& file = found->second;
  const bool paged = !passage.first_page.empty() && !file.pages.empty();
  std::vector<std::string> units = paged ? PagesOf(file, passage) : SectionsOf(file, passage);
  for (std::string& unit : units) unit = Join(passage.path, unit);
  return units;
}

std::vector<Retrieved> UnitMap::RankUnits(std::span<const retriever::Passage> passages,
                                          std::span<const Judgment> judgments, size_t depth) const {
  std::vector<Retrieved> ranked;
  std::set<std::string> seen;
  for (const retriever::Passage& passage : passages) {
    if (ranked.size() >= depth) break;
    const std::vector<std::string> units = UnitsOf(passage);
    const auto best = std::max_element(units.begin(), units.end(),
                                       [&](const std::string& a, const std::string& b) {
                                         return GradeOf(a, judgments) < GradeOf(b, judgments);
                                       });
    if (best == units.end() || !seen.insert(*best).second) continue;
    ranked.push_back({*best, passage.score});
  }
  return ranked;
}

}  // namespace vade::qa::eval
