// DOCX (WordprocessingML, ECMA-376) -> Document: blocks of the main part in order, notes and text
// boxes after the block they hang on. Headers, footers, comments and deleted text are left out.
#include <algorithm>
#include <map>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "ingest/document_builder.h"
#include "ingest/docx_inline.h"
#include "ingest/docx_styles.h"
#include "ingest/docx_table.h"
#include "ingest/extractor.h"
#include "ingest/ooxml.h"
#include "ingest/zip_archive.h"

namespace vade::ingest {
namespace {

using ooxml::Attribute;
using ooxml::Child;
using ooxml::ChildValue;
using ooxml::LocalName;
using XmlPart = std::unique_ptr<pugi::xml_document>;

// What a zip that is not a DOCX is.
std::string ZipKind(ZipArchive& archive) {
  if (archive.Contains("ppt/presentation.xml")) return "PowerPoint (pptx)";
  if (archive.Contains("xl/workbook.xml")) return "Excel (xlsx)";
  if (archive.Contains("visio/document.xml")) return "Visio (vsdx)";
  if (archive.Contains("Contents/content.hpf")) return "Hangul document (hwpx)";
  if (archive.Contains("mimetype")) {
    const auto type = archive.Read("mimetype");
    const std::string_view name = type ? std::string_view(*type) : std::string_view();
    if (name.starts_with("application/epub")) return "e-book (epub)";
    if (name.starts_with("application/vnd.oasis.opendocument.text"))
      return "OpenDocument text (odt)";
    if (name.starts_with("application/vnd.oasis.opendocument.spreadsheet")) {
      return "OpenDocument spreadsheet (ods)";
    }
    if (name.starts_with("application/vnd.oasis.opendocument.presentation")) {
      return "OpenDocument slides (odp)";
    }
    if (name.starts_with("application/hwp+zip")) return "Hangul document (hwpx)";
  }
  return "zip archive";
}

struct Package {
  XmlPart main;
  XmlPart styles;
  XmlPart numbering;
  XmlPart footnotes;
  XmlPart endnotes;
  std::string title;
  std::vector<std::string> notes;  // parts that could not be read
};

// An auxiliary part: when it is broken the document is still worth having.
XmlPart ReadOptional(ZipArchive& archive, const ooxml::Relations& relations, const char* type,
                     Package& package) {
  const auto found = relations.find(type);
  if (found == relations.end()) return std::make_unique<pugi::xml_document>();
  auto xml = archive.Read(found->second);
  if (xml) {
    auto parsed = ooxml::ParseXml(*xml, found->second);
    if (parsed) return std::move(*parsed);
    package.notes.push_back(parsed.error().message);
  } else {
    package.notes.push_back(xml.error().message);
  }
  return std::make_unique<pugi::xml_document>();
}

Result<Package> ReadPackage(ZipArchive& archive) {
  VADE_TRY(const ooxml::Relations top, ooxml::ReadRelations(archive, ""));
  const auto target = top.find("officeDocument");
  std::string main = target == top.end() ? "" : target->second;
  if (!main.starts_with("word/") || !archive.Contains(main)) main = "word/document.xml";
  if (!archive.Contains(main)) {
    return Fail(ErrorCode::kUnsupported, "unsupported: " + ZipKind(archive));
  }
  VADE_TRY(const std::string xml, archive.Read(main));
  Package package;
  VADE_TRY(package.main, ooxml::ParseXml(xml, main));
  VADE_TRY(const ooxml::Relations relations, ooxml::ReadRelations(archive, main));
  package.styles = ReadOptional(archive, relations, "styles", package);
  package.numbering = ReadOptional(archive, relations, "numbering", package);
  package.footnotes = ReadOptional(archive, relations, "footnotes", package);
  package.endnotes = ReadOptional(archive, relations, "endnotes", package);
  const XmlPart core = ReadOptional(archive, top, "core-properties", package);
  package.title = Child(core->document_element(), "title").child_value();
  return package;
}

bool HasElement(const pugi::xml_document& document, std::string_view name) {
  return !document.find_node([name](pugi::xml_node node) { return LocalName(node.name()) == name; })
              .empty();
}

bool HasPageBreak(const pugi::xml_document& document) {
  return !document
              .find_node([](pugi::xml_node node) {
                const std::string_view name = LocalName(node.name());
                return (name == "br" && Attribute(node, "type") == "page") ||
                       name == "lastRenderedPageBreak" || name == "pageBreakBefore";
              })
              .empty();
}

class DocxReader {
 public:
  DocxReader(const Package& package, const ExtractorInput& input)
      : package_(package),
        builder_("docx", input.max_text_bytes),
        styles_(package.styles->document_element()),
        numbering_(package.numbering->document_element()),
        rendered_breaks_(HasElement(*package.main, "lastRenderedPageBreak")),
        inline_(styles_, rendered_breaks_) {
    builder_.SetTitle(package.title);
    has_title_ = !package.title.empty();
    IndexNotes(package.footnotes->document_element(), footnotes_);
    IndexNotes(package.endnotes->document_element(), endnotes_);
  }

  Result<Document> Read(std::string_view fallback_title) {
    has_pages_ = HasPageBreak(*package_.main);
    if (has_pages_) builder_.BeginPage("");
    ReadBlocks(Child(package_.main->document_element(), "body"));
    FlushCode();
    FlushPending();
    for (const std::string& note : package_.notes) builder_.AddNote(0, note);
    if (inline_.hidden_runs() > 0) {
      builder_.AddNote(0, std::to_string(inline_.hidden_runs()) + " runs of hidden text left out");
    }
    return builder_.Finish(fallback_title);
  }

 private:
  using NoteIndex = std::map<std::string, pugi::xml_node, std::less<>>;

  static void IndexNotes(pugi::xml_node part, NoteIndex& index) {
    for (const pugi::xml_node note : part.children()) {
      const std::string_view type = Attribute(note, "type");
      if (type.empty() || type == "normal") index.emplace(Attribute(note, "id"), note);
    }
  }

  // Depth is bounded by ooxml::kMaxDepth.
  void ReadBlocks(pugi::xml_node parent) {
    for (const pugi::xml_node node : parent.children()) {
      const std::string_view name = LocalName(node.name());
      if (name == "p") {
        ReadParagraph(node);
      } else if (name == "tbl") {
        ReadTable(node);
      } else if (name == "sdt") {
        if (!IsTableOfContents(node)) ReadBlocks(Child(node, "sdtContent"));
      } else if (name == "AlternateContent") {
        const pugi::xml_node choice = Child(node, "Choice");
        ReadBlocks(choice ? choice : Child(node, "Fallback"));
      } else if (name == "ins" || name == "moveTo" || name == "customXml" || name == "smartTag") {
        ReadBlocks(node);
      }
    }
  }

  static bool IsTableOfContents(pugi::xml_node sdt) {
    const pugi::xml_node part = Child(Child(sdt, "sdtPr"), "docPartObj");
    return ChildValue(part, "docPartGallery") == "Table of Contents";
  }

  static bool IsCodeStyle(std::string_view name) {
    return name == "code" || name.find("source code") != std::string_view::npos ||
           name.find("preformatted") != std::string_view::npos ||
           name.find("code block") != std::string_view::npos;
  }

  void ReadParagraph(pugi::xml_node node) {
    const pugi::xml_node properties = Child(node, "pPr");
    const DocxStyle& style = styles_.Find(ChildValue(properties, "pStyle"));
    InlineContent content = inline_.Read(node);
    if (style.name.starts_with("toc ") || style.hidden) return;  // headings repeated; hidden text
    if (!carried_text_.empty()) {
      content.parts.front().insert(0, carried_text_);
      carried_text_.clear();
    }
    // A deleted paragraph mark joins this paragraph with the next one.
    if (Child(Child(properties, "rPr"), "del")) {
      carried_text_ = content.Text();
      return;
    }
    if (!rendered_breaks_ && ooxml::IsOn(properties, "pageBreakBefore")) BeginPage();
    if (IsCodeStyle(style.name)) {
      code_ += content.Text() + "\n";
      return;
    }
    FlushCode();
    EmitParagraph(properties, style, content);
    QueueAttachments(content);
    if (!in_list_) FlushPending();
  }

  void EmitParagraph(pugi::xml_node properties, const DocxStyle& style,
                     const InlineContent& content) {
    const bool blank = content.Text().find_first_not_of(" \t\n") == std::string::npos;
    const auto list = ListOf(properties, style);
    const int outline = Child(properties, "outlineLvl")
                            ? ooxml::Number(ChildValue(properties, "outlineLvl"), 0, 8, -1)
                            : style.outline_level;
    const bool is_title = style.name == "title";
    // A blank numbered paragraph shows no number in Word either when it is empty of everything.
    const auto marker = list && !blank ? numbering_.Next(*list) : std::nullopt;
    bool begun = false;
    for (size_t i = 0; i < content.parts.size(); ++i) {
      if (i > 0) BeginPage();
      const std::string& text = content.parts[i];
      if (text.find_first_not_of(" \t\n") == std::string::npos) continue;
      if (begun) {
        builder_.ContinueParagraph(text);
      } else if (is_title || outline >= 0) {
        in_list_ = false;
        FlushPending();
        builder_.AddHeading(is_title ? 1 : static_cast<uint32_t>(outline + 1),
                            marker && *marker != "-" ? *marker + " " + text : text);
        if (is_title && !has_title_) builder_.SetTitle(text);
        has_title_ |= is_title;
      } else if (marker) {
        EmitListItem(*list, *marker, text);
      } else {
        in_list_ = false;
        FlushPending();
        builder_.AddParagraph(text);
      }
      begun = true;
    }
  }

  void EmitListItem(const ListReference& list, const std::string& marker, const std::string& text) {
    // Another list at the outermost level; deeper ones are often lists of their own in the file.
    if (in_list_ && list.level == 0 && outer_list_ != 0 && list.num_id != outer_list_) {
      builder_.EndList();
    }
    if (!in_list_) outer_list_ = 0;
    if (list.level == 0) outer_list_ = list.num_id;
    builder_.AddListItem(static_cast<uint32_t>(list.level), marker, text);
    in_list_ = true;
  }

  static std::optional<ListReference> ListOf(pugi::xml_node properties, const DocxStyle& style) {
    const pugi::xml_node node = Child(properties, "numPr");
    if (!node) return style.list;
    ListReference reference = style.list.value_or(ListReference{});
    reference.num_id = ooxml::Number(ChildValue(node, "numId"), 0, 1'000'000, reference.num_id);
    reference.level =
        ooxml::Number(ChildValue(node, "ilvl"), 0, DocxNumbering::kLevels - 1, reference.level);
    return reference;
  }

  void ReadTable(pugi::xml_node node) {
    FlushCode();
    in_list_ = false;
    FlushPending();
    const DocxTable table =
        ReadDocxTable(node, [this](pugi::xml_node cell) { return ReadCell(cell); });
    if (table.only_cell) {
      ReadBlocks(table.only_cell);
      return;
    }
    EmitTable(table);
    FlushPending();
  }

  // A table that runs over pages becomes one table per page, each with the header rows: the page
  // of every row stays exact.
  void EmitTable(const DocxTable& table) {
    size_t begin = 0;
    const auto header_end = table.rows.begin() + static_cast<std::ptrdiff_t>(table.header_rows);
    const auto emit = [&](size_t end) {
      std::vector<std::vector<std::string>> rows;
      if (begin > 0) rows.assign(table.rows.begin(), header_end);
      rows.insert(rows.end(), table.rows.begin() + static_cast<std::ptrdiff_t>(begin),
                  table.rows.begin() + static_cast<std::ptrdiff_t>(end));
      builder_.AddTable(rows, table.header_rows);
      begin = end;
    };
    for (const size_t row : table.page_breaks) {
      if (row > table.header_rows && row > begin && row < table.rows.size()) emit(row);
      BeginPage();
    }
    if (begin < table.rows.size()) emit(table.rows.size());
  }

  CellText ReadCell(pugi::xml_node cell) {
    CellText out;
    AppendCellText(cell, out);
    return out;
  }

  // Everything below `node` as one line, nested tables included.
  void AppendCellText(pugi::xml_node node, CellText& out) {
    for (const pugi::xml_node child : node.children()) {
      const std::string_view name = LocalName(child.name());
      if (name == "p") {
        InlineContent content = inline_.Read(child);
        if (content.parts.size() > 1) {
          const bool at_start = out.text.empty() && content.parts.front().empty();
          (at_start ? out.break_before : out.break_inside) = true;
        }
        std::string text = content.Text();
        const pugi::xml_node properties = Child(child, "pPr");
        const auto list = ListOf(properties, styles_.Find(ChildValue(properties, "pStyle")));
        const auto marker = list && !text.empty() ? numbering_.Next(*list) : std::nullopt;
        if (marker) text.insert(0, *marker + " ");
        if (!out.text.empty() && !text.empty()) out.text.push_back(' ');
        out.text += text;
        QueueAttachments(content);
      } else if (name != "del" && name != "moveFrom" && name != "tcPr" && name != "sdtPr") {
        AppendCellText(child, out);
      }
    }
  }

  void QueueAttachments(const InlineContent& content) {
    pending_notes_.insert(pending_notes_.end(), content.notes.begin(), content.notes.end());
    pending_boxes_.insert(pending_boxes_.end(), content.text_boxes.begin(),
                          content.text_boxes.end());
  }

  void FlushPending() {
    // Swapped out first: a text box may hold notes and boxes of its own.
    const auto notes = std::exchange(pending_notes_, {});
    const auto boxes = std::exchange(pending_boxes_, {});
    for (const NoteReference& reference : notes) {
      NoteIndex& index = reference.is_endnote ? endnotes_ : footnotes_;
      const auto found = index.find(reference.id);
      if (found == index.end()) continue;
      const pugi::xml_node note = found->second;
      index.erase(found);  // shown once, and a note that refers to itself ends
      builder_.AddParagraph(ReadCell(note).text);
    }
    for (const pugi::xml_node box : boxes) ReadBlocks(box);
  }

  void FlushCode() {
    if (code_.empty()) return;
    in_list_ = false;
    FlushPending();
    builder_.AddCode(std::exchange(code_, {}));
  }

  void BeginPage() {
    if (has_pages_) builder_.BeginPage("");
  }

  const Package& package_;
  DocumentBuilder builder_;
  DocxStyles styles_;
  DocxNumbering numbering_;
  bool rendered_breaks_;
  DocxInlineReader inline_;
  NoteIndex footnotes_;
  NoteIndex endnotes_;
  std::vector<NoteReference> pending_notes_;
  std::vector<pugi::xml_node> pending_boxes_;
  std::string carried_text_;
  std::string code_;
  int outer_list_ = 0;  // number id of the outermost items of the open list
  bool in_list_ = false;
  bool has_title_ = false;
  bool has_pages_ = false;
};

std::string_view Stem(std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? file_name : file_name.substr(0, dot);
}

}  // namespace

Result<Document> ExtractDocx(const ExtractorInput& input) {
  VADE_TRY(ZipArchive archive, ZipArchive::Open(input.bytes));
  VADE_TRY(const Package package, ReadPackage(archive));
  DocxReader reader(package, input);
  return reader.Read(Stem(input.file_name));
}

}  // namespace vade::ingest
