// Unit map: which judged unit of a file (page or section) a retrieved passage stands for.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qa/eval/relevance.h"
#include "retriever/retriever.h"

namespace vade::qa::eval {

/// Unit ids are "<file>#p=<page label>" for files with pages and "<file>#<heading path>" for the
/// others; "<file>#" is what stands before the first heading. Const-safe.
class UnitMap {
 public:
  explicit UnitMap(const std::vector<std::string>& unit_ids);

  /// The units a passage lies in, in text order. A heading path that is no unit stands for the
  /// nearest enclosing one. Empty when the file has no units at all.
  [[nodiscard]] std::vector<std::string> UnitsOf(const retriever::Passage& passage) const;

  /// Ranks units by their best passage: each passage adds the unit of its own with the highest
  /// grade (the first of equals) unless that is ranked already. Scores are the passages'.
  [[nodiscard]] std::vector<Retrieved> RankUnits(std::span<const retriever::Passage> passages,
                                                 std::span<const Judgment> judgments,
                                                 size_t depth) const;

 private:
  struct File {
    std::vector<std::string> pages;  // labels in order of the unit ids
    std::map<std::string, bool, std::less<>> headings;
  };
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace vade::qa::eval
