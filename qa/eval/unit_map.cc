// Unit map: pages by their labels, sections by their heading paths.
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
      file.headings.emplace(unit, true);
    }
  }
}

std::vector<std::string> UnitMap::UnitsOf(const retriever::Passage& passage) const {
  const auto found = files_.find(passage.path);
  if (found == files_.end()) return {};
  const File& file = found->second;
  if (!passage.first_page.empty() && !file.pages.empty()) {
    const auto first = std::find(file.pages.begin(), file.pages.end(), passage.first_page);
    const auto last = std::find(first, file.pages.end(), passage.last_page);
    if (first == file.pages.end()) return {};
    std::vector<std::string> units;
    for (auto page = first; page != file.pages.end(); ++page) {
      units.push_back(Join(passage.path, std::string(kPageMark) + *page));
      if (page == last || last == file.pages.end()) break;
    }
    return units;
  }
  std::string_view path = passage.heading_path;
  while (!path.empty() && !file.headings.contains(path)) {
    const size_t parent = path.rfind(kHeadingJoin);
    path = parent == std::string_view::npos ? std::string_view() : path.substr(0, parent);
  }
  if (!file.headings.contains(path)) return {};
  return {Join(passage.path, path)};
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
