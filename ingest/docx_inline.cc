// Insertions are kept and deletions dropped: the text as if all changes were accepted. Field codes
// are dropped, their last results kept.
#include "ingest/docx_inline.h"

#include <algorithm>
#include <charconv>

#include "engine/base/utf8.h"
#include "ingest/ooxml.h"

namespace vade::ingest {
namespace {

using ooxml::Attribute;
using ooxml::Child;
using ooxml::ChildValue;
using ooxml::LocalName;

constexpr size_t kMaxOpenFields = 256;

// Never shown: properties, deleted text, field codes, ruby annotations, drawing geometry.
constexpr std::string_view kSkipped[] = {"pPr",     "rPr",          "del",       "moveFrom",
                                         "delText", "delInstrText", "instrText", "rt",
                                         "sdtPr",   "fldData",      "tblPr"};

// <w:sym w:char="F0B7"/>: symbol fonts live in the private use area and cannot be mapped in
// general.
std::string SymbolText(pugi::xml_node node) {
  const std::string_view hex = Attribute(node, "char");
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (error != std::errc() || end != hex.data() + hex.size()) return {};
  const std::string_view font = Attribute(node, "font");
  const bool symbol_font = font == "Symbol" || font.starts_with("Wingdings");
  if (symbol_font && value < 0x100) value += 0xF000;  // either way of writing it is in use
  if (value == 0xF0B7 || value == 0xF0A7) return "\u2022";
  if (value == 0xF0E0) return "\u2192";
  if (value < 0x20 || value > 0xFFFF || (value >= 0xD800 && value < 0xF900)) return {};
  std::string out;
  utf8::Append(value, out);
  return out;
}

}  // namespace

std::string InlineContent::Text() const {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty() && !part.empty() && out.back() != ' ') out.push_back(' ');
    out += part;
  }
  return out;
}

InlineContent DocxInlineReader::Read(pugi::xml_node paragraph) {
  InlineContent out;
  ReadChildren(paragraph, out);
  return out;
}

void DocxInlineReader::ReadChildren(pugi::xml_node node, InlineContent& out) {
  for (const pugi::xml_node child : node.children()) ReadNode(child, out);
}

// Depth is bounded by ooxml::kMaxDepth.
void DocxInlineReader::ReadNode(pugi::xml_node node, InlineContent& out) {
  const std::string_view name = LocalName(node.name());
  if (name.empty() ||
      std::find(std::begin(kSkipped), std::end(kSkipped), name) != std::end(kSkipped)) {
    return;
  }
  if (name == "r" && IsHidden(node)) {
    hidden_runs_ += !std::string_view(Child(node, "t").child_value()).empty();
    return;
  }
  if (name == "txbxContent") {
    out.text_boxes.push_back(node);
    return;
  }
  if (name == "AlternateContent") {
    // Two renderings of the same thing; the first one is the better.
    const pugi::xml_node choice = Child(node, "Choice");
    ReadChildren(choice ? choice : Child(node, "Fallback"), out);
    return;
  }
  ReadLeaf(node, out);
  if (name != "t") ReadChildren(node, out);
}

void DocxInlineReader::ReadLeaf(pugi::xml_node node, InlineContent& out) {
  const std::string_view name = LocalName(node.name());
  if (name == "t") {
    Append(node.child_value(), out);
  } else if (name == "tab" || name == "ptab" || name == "cr") {
    Append(" ", out);
  } else if (name == "br") {
    const bool page = Attribute(node, "type") == "page";
    if (page && !rendered_breaks_) out.parts.emplace_back();
    if (!page) Append(" ", out);
  } else if (name == "lastRenderedPageBreak") {
    if (rendered_breaks_) out.parts.emplace_back();
  } else if (name == "noBreakHyphen") {
    Append("-", out);
  } else if (name == "sym") {
    Append(SymbolText(node), out);
  } else if (name == "fldChar") {
    ReadFieldMark(node);
  } else if (name == "footnoteReference" || name == "endnoteReference") {
    out.notes.push_back({name == "endnoteReference", std::string(Attribute(node, "id"))});
  }
}

void DocxInlineReader::ReadFieldMark(pugi::xml_node node) {
  const std::string_view type = Attribute(node, "fldCharType");
  if (type == "begin") {
    if (field_shows_result_.size() < kMaxOpenFields) field_shows_result_.push_back(false);
  } else if (type == "separate") {
    if (!field_shows_result_.empty()) field_shows_result_.back() = true;
  } else if (type == "end") {
    if (!field_shows_result_.empty()) field_shows_result_.pop_back();
  }
}

void DocxInlineReader::Append(std::string_view text, InlineContent& out) {
  const bool in_code = std::find(field_shows_result_.begin(), field_shows_result_.end(), false) !=
                       field_shows_result_.end();
  if (!in_code) out.parts.back() += text;
}

bool DocxInlineReader::IsHidden(pugi::xml_node run) const {
  const pugi::xml_node properties = Child(run, "rPr");
  if (!properties) return false;
  if (Child(properties, "vanish")) return ooxml::IsOn(properties, "vanish");
  const std::string_view style = ChildValue(properties, "rStyle");
  return !style.empty() && styles_.Find(style).hidden;
}

}  // namespace vade::ingest
