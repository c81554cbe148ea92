// Markdown (CommonMark with tables, strikethrough, task lists) -> Document. The tree is walked with
// cmark's iterator; nothing recurses.
#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ingest/charset.h"
#include "ingest/document_builder.h"
#include "ingest/extractor.h"
#include "ingest/front_matter.h"
#include "ingest/html_extractor.h"
#include "ingest/html_guard.h"
#include "ingest/html_tree.h"
#include "ingest/markdown_guard.h"
#include "ingest/text_input.h"

namespace vade::ingest {
namespace {

// A tree node per few bytes: larger files are dumps and are read as plain text.
constexpr size_t kMaxMarkdownBytes = size_t{32} << 20;

struct FreeNode {
  void operator()(cmark_node* node) const { cmark_node_free(node); }
};
using Tree = std::unique_ptr<cmark_node, FreeNode>;

Tree Parse(const std::string& markdown) {
  static std::once_flag registered;
  std::call_once(registered, cmark_gfm_core_extensions_ensure_registered);
  cmark_parser* parser = cmark_parser_new(CMARK_OPT_DEFAULT);
  for (const char* name : {"table", "strikethrough", "tasklist"}) {
    cmark_syntax_extension* extension = cmark_find_syntax_extension(name);
    if (extension != nullptr) cmark_parser_attach_syntax_extension(parser, extension);
  }
  cmark_parser_feed(parser, markdown.data(), markdown.size());
  Tree tree(cmark_parser_finish(parser));
  cmark_parser_free(parser);
  return tree;
}

std::string_view Literal(cmark_node* node) {
  const char* literal = cmark_node_get_literal(node);
  return literal == nullptr ? std::string_view() : literal;
}

// "<folder>": a bare word in brackets that no browser knows is text the author forgot to escape.
bool IsPlaceholder(std::string_view html) {
  constexpr std::string_view kNameChars = "abcdefghijklmnopqrstuvwxyz0123456789_";
  if (html.size() < 3 || html.front() != '<' || html.back() != '>') return false;
  const std::string_view name = html.substr(1, html.size() - 2);
  return name.find_first_not_of(kNameChars) == std::string_view::npos && !IsHtmlElement(name);
}

class MarkdownReader {
 public:
  explicit MarkdownReader(DocumentBuilder& builder) : builder_(builder) {}

  void Read(cmark_node* root);
  [[nodiscard]] const std::string& title() const { return title_; }

 private:
  void Enter(cmark_node* node);
  void Exit(cmark_node* node);
  void NoteTitle(int level);
  void EnterItem(cmark_node* item);
  void AddRawHtml(std::string_view html);
  void AddText(std::string_view text) {
    if (hidden_by_.empty()) text_ += text;
  }
  void FlushParagraph();

  DocumentBuilder& builder_;
  std::string text_;  // of the paragraph, heading or cell being read
  std::vector<std::vector<std::string>> rows_;
  uint32_t header_rows_ = 0;
  std::vector<cmark_node*> lists_;
  std::vector<int> item_numbers_;  // beside lists_
  std::string marker_;             // of a list item whose text has not come yet
  std::string hidden_by_;          // "</span": inline HTML hides the text up to here
  std::string title_;
  int title_level_ = 0;
  bool seen_text_ = false;  // outside of headings
};

void MarkdownReader::Read(cmark_node* root) {
  cmark_iter* iterator = cmark_iter_new(root);
  for (cmark_event_type event; (event = cmark_iter_next(iterator)) != CMARK_EVENT_DONE;) {
    cmark_node* node = cmark_iter_get_node(iterator);
    event == CMARK_EVENT_ENTER ? Enter(node) : Exit(node);
  }
  cmark_iter_free(iterator);
}

void MarkdownReader::Enter(cmark_node* node) {
  switch (cmark_node_get_type(node)) {
    case CMARK_NODE_TEXT:
    case CMARK_NODE_CODE:
      return AddText(Literal(node));
    case CMARK_NODE_SOFTBREAK:
    case CMARK_NODE_LINEBREAK:
      return AddText(" ");
    case CMARK_NODE_HTML_INLINE:
      return AddRawHtml(Literal(node));
    case CMARK_NODE_HTML_BLOCK:
      return AppendHtmlFragment(Literal(node), builder_);
    case CMARK_NODE_CODE_BLOCK:
      return builder_.AddCode(Literal(node));
    case CMARK_NODE_LIST:
      marker_.clear();
      if (lists_.empty()) builder_.EndList();
      lists_.push_back(node);
      item_numbers_.push_back(cmark_node_get_list_start(node));
      return;
    case CMARK_NODE_ITEM:
      return EnterItem(node);
    default:
      break;
  }
  // The table extension's types have no names in the public header.
  const std::string_view type = cmark_node_get_type_string(node);
  if (type == "table") {
    rows_.clear();
    header_rows_ = 0;
  } else if (type == "table_header" || type == "table_row") {
    rows_.emplace_back();
    header_rows_ += type == "table_header";
  }
}

void MarkdownReader::Exit(cmark_node* node) {
  const cmark_node_type type = cmark_node_get_type(node);
  const std::string_view type_name = cmark_node_get_type_string(node);
  if (type == CMARK_NODE_PARAGRAPH) {
    FlushParagraph();
  } else if (type == CMARK_NODE_HEADING) {
    // "Title {#anchor}": an attribute list of pandoc, kramdown and others.
    const size_t brace = text_.ends_with('}') ? text_.rfind(" {") : std::string::npos;
    if (brace != std::string::npos && text_.find_first_of("#.", brace) == brace + 2) {
      text_.resize(brace);
    }
    const int level = cmark_node_get_heading_level(node);
    NoteTitle(level);
    builder_.AddHeading(static_cast<uint32_t>(std::max(level, 1)), std::exchange(text_, {}));
    hidden_by_.clear();
  } else if (type == CMARK_NODE_LIST) {
    lists_.pop_back();
    item_numbers_.pop_back();
    if (lists_.empty()) builder_.EndList();
  } else if (type == CMARK_NODE_ITEM) {
    marker_.clear();
  } else if (type_name == "table") {
    builder_.AddTable(rows_, header_rows_);
    rows_.clear();
  } else if (type_name == "table_cell") {
    if (!rows_.empty()) rows_.back().push_back(std::exchange(text_, {}));
    hidden_by_.clear();
  }
}

// The first H1; or the heading the file begins with, for books that keep H1 for their cover.
void MarkdownReader::NoteTitle(int level) {
  if (level != 1 && (seen_text_ || !title_.empty())) return;
  if (level == 1 && title_level_ == 1) return;
  title_ = text_;
  title_level_ = level;
}

void MarkdownReader::EnterItem(cmark_node* item) {
  cmark_node* list = lists_.back();
  if (cmark_node_get_list_type(list) == CMARK_ORDERED_LIST) {
    const bool paren = cmark_node_get_list_delim(list) == CMARK_PAREN_DELIM;
    marker_ = std::to_string(item_numbers_.back()++) + (paren ? ")" : ".");
  } else {
    marker_.assign(1, '-');
  }
  if (std::string_view(cmark_node_get_type_string(item)) == "tasklist") {
    marker_ += cmark_gfm_extensions_get_tasklist_item_checked(item) ? " [x]" : " [ ]";
  }
}

// Tags of inline HTML are dropped; what they hide goes with them.
void MarkdownReader::AddRawHtml(std::string_view html) {
  if (!hidden_by_.empty()) {
    if (html.substr(0, hidden_by_.size()) == hidden_by_) hidden_by_.clear();
    return;
  }
  if (IsPlaceholder(html)) return AddText(html);
  if (html.substr(0, 3) == "<br" || html.substr(0, 3) == "<BR") return AddText(" ");
  const std::string guarded = GuardHtml(html);
  if (guarded.find(" hidden>") == std::string::npos) return;
  const size_t name_end = html.find_first_of(" \t\n>");
  hidden_by_ = "</" + std::string(html.substr(1, name_end - 1));
}

void MarkdownReader::FlushParagraph() {
  const std::string text = std::exchange(text_, {});
  seen_text_ = true;
  hidden_by_.clear();
  if (!marker_.empty()) {
    const auto depth = static_cast<uint32_t>(lists_.size() - 1);
    builder_.AddListItem(depth, std::exchange(marker_, {}), text);
  } else if (!lists_.empty()) {
    builder_.ContinueParagraph(text);
  } else {
    builder_.AddParagraph(text);
  }
}

}  // namespace

Result<Document> ExtractMarkdown(const ExtractorInput& input) {
  if (input.bytes.size() > kMaxMarkdownBytes) {
    VADE_TRY(Document document, ExtractText(input));
    document.notes.push_back(
        {0, "Markdown of " + std::to_string(input.bytes.size()) + " bytes read as plain text"});
    return document;
  }
  const DecodedText decoded = DecodeText(input.bytes);
  const FrontMatter front_matter = ParseFrontMatter(decoded.text);
  const Tree tree = Parse(GuardMarkdown(std::string_view(decoded.text).substr(front_matter.bytes)));
  DocumentBuilder builder("markdown", input.max_text_bytes);
  MarkdownReader reader(builder);
  reader.Read(tree.get());
  builder.SetTitle(front_matter.title.empty() ? reader.title() : front_matter.title);
  VADE_TRY(Document document, builder.Finish(FileStem(input.file_name)));
  AddCharsetNotes(decoded, document);
  return document;
}

}  // namespace vade::ingest
