// Rows, spans and header rows of <w:tbl>.
#include "ingest/docx_table.h"

#include "ingest/ooxml.h"

namespace vade::ingest {
namespace {

using ooxml::Attribute;
using ooxml::Child;
using ooxml::ChildValue;
using ooxml::LocalName;

constexpr int kMaxSpan = 63;               // Word's own limit on columns
constexpr size_t kMaxRepeatedBytes = 120;  // a label is repeated, a paragraph is not

// Rows and cells may be wrapped in content controls, insertions or custom XML.
void Collect(pugi::xml_node parent, std::string_view wanted, std::vector<pugi::xml_node>& out) {
  for (const pugi::xml_node child : parent.children()) {
    const std::string_view name = LocalName(child.name());
    if (name == wanted) {
      out.push_back(child);
    } else if (name == "sdt" || name == "sdtContent" || name == "ins" || name == "customXml" ||
               name == "moveTo") {
      Collect(child, wanted, out);
    }
  }
}

bool IsDeleted(pugi::xml_node row) { return !Child(Child(row, "trPr"), "del").empty(); }

bool FirstRowIsHeader(pugi::xml_node table) {
  const pugi::xml_node look = Child(Child(table, "tblPr"), "tblLook");
  if (!look) return false;
  if (const std::string_view flag = Attribute(look, "firstRow"); !flag.empty()) {
    return flag == "1" || flag == "true" || flag == "on";
  }
  // Older files: a bit mask in hexadecimal, 0x0020 is "first row".
  const std::string_view mask = Attribute(look, "val");
  return mask.size() == 4 &&
         std::string_view("2367abefABEF").find(mask[2]) != std::string_view::npos;
}

void AddRow(pugi::xml_node row, const std::function<CellText(pugi::xml_node)>& read_cell,
            std::vector<std::string>& above, DocxTable& out) {
  std::vector<std::string> cells(static_cast<size_t>(
      ooxml::Number(ChildValue(Child(row, "trPr"), "gridBefore"), 0, kMaxSpan, 0)));
  std::vector<pugi::xml_node> nodes;
  Collect(row, "tc", nodes);
  bool break_before = false;
  bool break_inside = false;
  for (const pugi::xml_node node : nodes) {
    const pugi::xml_node properties = Child(node, "tcPr");
    CellText cell = read_cell(node);
    break_before |= cell.break_before;
    break_inside |= cell.break_inside;
    const size_t column = cells.size();
    if (above.size() <= column) above.resize(column + 1);
    if (const pugi::xml_node merge = Child(properties, "vMerge")) {
      // Without "restart" the cell continues the one above.
      if (Attribute(merge, "val") != "restart" && cell.text.empty()) cell.text = above[column];
      above[column] = cell.text.size() <= kMaxRepeatedBytes ? cell.text : "";
    } else {
      above[column].clear();
    }
    cells.push_back(std::move(cell.text));
    const int span = ooxml::Number(ChildValue(properties, "gridSpan"), 1, kMaxSpan, 1);
    cells.resize(cells.size() + static_cast<size_t>(span - 1));
  }
  if (break_before && !out.rows.empty()) out.page_breaks.push_back(out.rows.size());
  out.rows.push_back(std::move(cells));
  if (break_inside && !break_before) out.page_breaks.push_back(out.rows.size());
}

}  // namespace

DocxTable ReadDocxTable(pugi::xml_node table,
                        const std::function<CellText(pugi::xml_node)>& read_cell) {
  DocxTable out;
  std::vector<pugi::xml_node> rows;
  Collect(table, "tr", rows);
  if (rows.size() == 1) {
    std::vector<pugi::xml_node> cells;
    Collect(rows[0], "tc", cells);
    if (cells.size() == 1) {
      out.only_cell = cells[0];
      return out;
    }
  }
  std::vector<std::string> above;
  bool in_header = true;
  for (const pugi::xml_node row : rows) {
    if (IsDeleted(row)) continue;
    in_header = in_header && ooxml::IsOn(Child(row, "trPr"), "tblHeader");
    out.header_rows += in_header;
    AddRow(row, read_cell, above, out);
  }
  if (out.header_rows == 0 && out.rows.size() > 1 && FirstRowIsHeader(table)) out.header_rows = 1;
  if (out.header_rows == out.rows.size()) out.header_rows = 0;
  return out;
}

}  // namespace vade::ingest
