// What the styles and the numbering of a DOCX say about its paragraphs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vade::ingest {

/// Reference to a list level: <w:numPr>.
struct ListReference {
  int num_id = 0;
  int level = 0;  // 0..8
};

/// A style with everything it inherits folded in.
struct DocxStyle {
  std::string name;        // lower case: "heading 1", "title", "toc 2"
  int outline_level = -1;  // 0..8, -1: body text
  std::optional<ListReference> list;
  bool hidden = false;  // <w:vanish/>
};

class DocxStyles {
 public:
  /// `styles_xml` may be null: a document without styles.
  explicit DocxStyles(pugi::xml_node styles_xml);
  /// Never fails: an unknown id is plain body text.
  [[nodiscard]] const DocxStyle& Find(std::string_view id) const;

 private:
  DocxStyle Resolve(const std::string& id, const std::map<std::string, pugi::xml_node>& nodes,
                    int depth) const;

  std::map<std::string, DocxStyle, std::less<>> styles_;
  DocxStyle plain_;
};

/// Counts list items the way a word processor does. Single-thread; feed paragraphs in order.
class DocxNumbering {
 public:
  explicit DocxNumbering(pugi::xml_node numbering_xml);

  /// The marker of the next paragraph at this level: "3.", "2.1", "b)", "-" for a bullet; nothing
  /// when the level shows none.
  [[nodiscard]] std::optional<std::string> Next(ListReference reference);

  static constexpr int kLevels = 9;

 private:
  struct Level {
    int start = 1;
    std::string format = "decimal";
    std::string text;  // "%1.%2"
  };
  using Levels = std::array<Level, kLevels>;
  struct List {
    int abstract_id = 0;
    Levels levels;
    std::array<std::optional<int>, kLevels> restart;  // startOverride, used once
  };
  struct Counters {
    std::array<int, kLevels> value{};
    std::array<bool, kLevels> running{};
  };

  static void ReadLevel(pugi::xml_node node, Levels& levels);
  [[nodiscard]] static std::string Marker(const List& list, const Counters& counters, int level);

  std::map<int, List> lists_;
  std::map<int, Counters> counters_;  // by abstract id: lists of one family count on
};

}  // namespace vade::ingest
