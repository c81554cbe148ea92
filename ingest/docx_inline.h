// The text inside one DOCX paragraph: runs, fields, breaks, tracked changes, references to notes.
#pragma once

#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "ingest/docx_styles.h"

namespace vade::ingest {

struct NoteReference {
  bool is_endnote = false;
  std::string id;
};

struct InlineContent {
  std::vector<std::string> parts{""};  // a page break between each two
  std::vector<NoteReference> notes;
  std::vector<pugi::xml_node> text_boxes;  // <w:txbxContent>, anchored in this paragraph

  /// All parts as one string.
  [[nodiscard]] std::string Text() const;
};

/// Single-thread; keeps the state of fields that run over several paragraphs.
class DocxInlineReader {
 public:
  /// With rendered_breaks only <w:lastRenderedPageBreak/> counts (Word wrote all of them), else
  /// only explicit breaks do.
  DocxInlineReader(const DocxStyles& styles, bool rendered_breaks)
      : styles_(styles), rendered_breaks_(rendered_breaks) {}

  [[nodiscard]] InlineContent Read(pugi::xml_node paragraph);

  /// Runs marked as hidden text, which were left out.
  [[nodiscard]] uint64_t hidden_runs() const noexcept { return hidden_runs_; }

 private:
  void ReadChildren(pugi::xml_node node, InlineContent& out);
  void ReadNode(pugi::xml_node node, InlineContent& out);
  void ReadLeaf(pugi::xml_node node, InlineContent& out);
  void ReadFieldMark(pugi::xml_node node);
  void Append(std::string_view text, InlineContent& out);
  [[nodiscard]] bool IsHidden(pugi::xml_node run) const;

  const DocxStyles& styles_;
  bool rendered_breaks_;
  std::vector<bool> field_shows_result_;  // one per open field; false: still in its code
  uint64_t hidden_runs_ = 0;
};

}  // namespace vade::ingest
