// Unit map: which judged unit of a file (page or section) a retrieved passage stands for.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qa/eval/relevance.h"
#include "retriever/retriever.h"

namespace vade::qa::eval {

/// Unit ids are "<file>#p=<page label>" for files with pages and "<file>#<heading path>" for the
/// others; "<file>#" is what stands before the first heading. Const-safe once all texts are known.
class UnitMap {
 public:
  /// The units of a file are given in the order of its text.
  explicit UnitMap(const std::vector<std::string>& unit_ids);

  /// Finds where the sections of `file` begin in its extracted text, by their heading lines, so
  /// that a passage over several small sections maps to each of them. Files with pages need no
  /// text.
  void AddText(std::string_view file, std::string_view text);

  /// The units a passage lies in, in text order. Where the text is unknown, or a heading was not
  /// found in it, the passage's heading path decides: the unit itself or the nearest enclosing one.
  /// Empty when the file has no such units at all.
  [[nodiscard]] std::vector<std::string> UnitsOf(const retriever::Passage& passage) const;

  /// Ranks units by their best passage: each passage adds the unit of its own with the highest
  /// grade (the first of equals) unless that is ranked already. Scores are the passages'.
  [[nodiscard]] std::vector<Retrieved> RankUnits(std::span<const retriever::Passage> passages,
                                                 std::span<const Judgment> judgments,
                                                 size_t depth) const;

 private:
  struct Section {
    std::string path;  // headings joined by " > "
    bool located = false;
    uint64_t begin = 0;  // byte offsets into the text, heading lines included
    uint64_t end = 0;
  };
  struct File {
    std::vector<std::string> pages;  // labels in order
    std::vector<Section> sections;   // in order
  };

  static std::vector<std::string> PagesOf(const File& file, const retriever::Passage& passage);
  static std::vector<std::string> SectionsOf(const File& file, const retriever::Passage& passage);

  std::map<std::string, File, std::less<>> files_;
};

}  // namespace vade::qa::eval
