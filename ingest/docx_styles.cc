// Style inheritance and list counters of WordprocessingML (ECMA-376 part 1, 17.7 and 17.9).
#include "ingest/docx_styles.h"

#include <cctype>

#include "engine/base/utf8.h"
#include "ingest/ooxml.h"

namespace vade::ingest {
namespace {

using ooxml::Attribute;
using ooxml::Child;
using ooxml::ChildValue;
using ooxml::LocalName;
using ooxml::Number;

constexpr int kMaxStyleDepth = 32;  // basedOn chains are short; a cycle ends here
constexpr int kMaxCount = 1'000'000;

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string Roman(int value) {
  struct Digit {
    int value;
    const char* text;
  };
  constexpr Digit kDigits[] = {{1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"},
                               {90, "xc"},  {50, "l"},   {40, "xl"}, {10, "x"},   {9, "ix"},
                               {5, "v"},    {4, "iv"},   {1, "i"}};
  if (value <= 0 || value > 3999) return std::to_string(value);
  std::string out;
  for (const Digit& digit : kDigits) {
    for (; value >= digit.value; value -= digit.value) out += digit.text;
  }
  return out;
}

// a..z, aa, bb ...: Word repeats the letter.
std::string Letters(int value) {
  if (value <= 0 || value > 26 * 8) return std::to_string(value);
  return std::string(static_cast<size_t>((value - 1) / 26 + 1),
                     static_cast<char>('a' + (value - 1) % 26));
}

std::string FromAlphabet(int value, std::u32string_view alphabet) {
  if (value <= 0 || static_cast<size_t>(value) > alphabet.size()) return std::to_string(value);
  std::string out;
  utf8::Append(alphabet[static_cast<size_t>(value - 1)], out);
  return out;
}

std::string Upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string FormatNumber(int value, std::string_view format) {
  if (format == "lowerLetter") return Letters(value);
  if (format == "upperLetter") return Upper(Letters(value));
  if (format == "lowerRoman") return Roman(value);
  if (format == "upperRoman") return Upper(Roman(value));
  if (format == "decimalZero" && value < 10) {
    std::string padded("0");
    return padded.append(std::to_string(value));
  }
  if (format == "ganada") return FromAlphabet(value, U"가나다라마바사아자차카타파하");
  if (format == "chosung") return FromAlphabet(value, U"ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ");
  if (format == "decimalEnclosedCircle") {
    return FromAlphabet(value, U"①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳");
  }
  return std::to_string(value);
}

}  // namespace

DocxStyles::DocxStyles(pugi::xml_node styles_xml) {
  std::map<std::string, pugi::xml_node> nodes;
  for (const pugi::xml_node node : styles_xml.children()) {
    if (LocalName(node.name()) == "style") nodes[std::string(Attribute(node, "styleId"))] = node;
  }
  for (const auto& [id, node] : nodes) styles_[id] = Resolve(id, nodes, 0);
}

const DocxStyle& DocxStyles::Find(std::string_view id) const {
  const auto found = styles_.find(id);
  return found == styles_.end() ? plain_ : found->second;
}

DocxStyle DocxStyles::Resolve(const std::string& id,
                              const std::map<std::string, pugi::xml_node>& nodes, int depth) const {
  const auto found = nodes.find(id);
  if (found == nodes.end() || depth > kMaxStyleDepth) return {};
  const pugi::xml_node node = found->second;
  DocxStyle style;
  if (const std::string_view base = ChildValue(node, "basedOn"); !base.empty()) {
    style = Resolve(std::string(base), nodes, depth + 1);
  }
  style.name = Lower(ChildValue(node, "name"));
  // Built-in headings carry their level in the name; outlineLvl may say otherwise.
  if (style.name.starts_with("heading ")) {
    style.outline_level =
        Number(std::string_view(style.name).substr(8), 1, 9, style.outline_level + 1) - 1;
  }
  const pugi::xml_node properties = Child(node, "pPr");
  if (Child(properties, "outlineLvl")) {
    // 9 is "body text".
    style.outline_level = Number(ChildValue(properties, "outlineLvl"), 0, 8, -1);
  }
  if (const pugi::xml_node list = Child(properties, "numPr")) {
    ListReference reference = style.list.value_or(ListReference{});
    reference.num_id = Number(ChildValue(list, "numId"), 0, kMaxCount, reference.num_id);
    reference.level =
        Number(ChildValue(list, "ilvl"), 0, DocxNumbering::kLevels - 1, reference.level);
    style.list = reference;
  }
  if (Child(Child(node, "rPr"), "vanish")) style.hidden = ooxml::IsOn(Child(node, "rPr"), "vanish");
  return style;
}

DocxNumbering::DocxNumbering(pugi::xml_node numbering_xml) {
  std::map<int, Levels> families;
  for (const pugi::xml_node node : numbering_xml.children()) {
    if (LocalName(node.name()) != "abstractNum") continue;
    Levels& levels = families[Number(Attribute(node, "abstractNumId"), 0, kMaxCount, 0)];
    for (const pugi::xml_node level : node.children()) {
      if (LocalName(level.name()) == "lvl") ReadLevel(level, levels);
    }
  }
  for (const pugi::xml_node node : numbering_xml.children()) {
    if (LocalName(node.name()) != "num") continue;
    List list;
    list.abstract_id = Number(ChildValue(node, "abstractNumId"), 0, kMaxCount, 0);
    list.levels = families[list.abstract_id];
    for (const pugi::xml_node change : node.children()) {
      if (LocalName(change.name()) != "lvlOverride") continue;
      const auto level = static_cast<size_t>(Number(Attribute(change, "ilvl"), 0, kLevels - 1, 0));
      if (const pugi::xml_node replaced = Child(change, "lvl")) ReadLevel(replaced, list.levels);
      if (Child(change, "startOverride")) {
        list.restart[level] = Number(ChildValue(change, "startOverride"), 0, kMaxCount, 1);
      }
    }
    lists_[Number(Attribute(node, "numId"), 0, kMaxCount, 0)] = std::move(list);
  }
}

void DocxNumbering::ReadLevel(pugi::xml_node node, Levels& levels) {
  Level& level = levels[static_cast<size_t>(Number(Attribute(node, "ilvl"), 0, kLevels - 1, 0))];
  level.start = Number(ChildValue(node, "start"), 0, kMaxCount, 1);
  if (Child(node, "numFmt")) level.format = ChildValue(node, "numFmt");
  level.text = ChildValue(node, "lvlText").substr(0, 64);
}

std::optional<std::string> DocxNumbering::Next(ListReference reference) {
  const auto found = lists_.find(reference.num_id);
  if (reference.num_id == 0 || found == lists_.end()) return std::nullopt;
  List& list = found->second;
  Counters& counters = counters_[list.abstract_id];
  const auto at = static_cast<size_t>(reference.level);
  if (list.restart[at]) {
    counters.running[at] = false;
    list.levels[at].start = *list.restart[at];
    list.restart[at].reset();
  }
  counters.value[at] =
      counters.running[at] ? std::min(counters.value[at] + 1, kMaxCount) : list.levels[at].start;
  counters.running[at] = true;
  for (size_t deeper = at + 1; deeper < kLevels; ++deeper) counters.running[deeper] = false;
  const std::string& format = list.levels[at].format;
  if (format == "none") return std::nullopt;
  if (format == "bullet") return "-";
  std::string marker = Marker(list, counters, reference.level);
  if (marker.empty()) return std::nullopt;
  return marker;
}

std::string DocxNumbering::Marker(const List& list, const Counters& counters, int level) {
  const std::string& text = list.levels[static_cast<size_t>(level)].text;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size() || text[i + 1] < '1' || text[i + 1] > '9') {
      out.push_back(text[i]);
      continue;
    }
    const auto shown = static_cast<size_t>(text[++i] - '1');
    const int value = counters.running[shown] ? counters.value[shown] : list.levels[shown].start;
    out += FormatNumber(value, list.levels[shown].format);
  }
  return out;
}

}  // namespace vade::ingest
