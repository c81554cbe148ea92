// HTML -> Document: guard, parse, walk the tree without recursion. Nothing is ever fetched or run.
#include "ingest/html_extractor.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "ingest/charset.h"
#include "ingest/extractor.h"
#include "ingest/html_guard.h"
#include "ingest/html_table.h"
#include "ingest/html_tree.h"
#include "ingest/text_input.h"

namespace vade::ingest {
namespace {

// Tree nodes cost tens of times their markup; larger files are dumps, not manuals.
constexpr size_t kMaxGuardedBytes = size_t{32} << 20;

struct PageShape {
  bool has_main = false;
  bool has_article = false;
};

bool IsMain(const GumboNode* node) {
  return TagOf(node) == GUMBO_TAG_MAIN || Attribute(node, "role") == "main";
}

PageShape ShapeOf(const GumboNode* root) {
  PageShape shape;
  WalkTree(
      root,
      [&](const GumboNode* node) {
        if (IsText(node) || IsHidden(node)) return false;
        shape.has_main |= IsMain(node);
        shape.has_article |= TagOf(node) == GUMBO_TAG_ARTICLE;
        return true;
      },
      [](const GumboNode*) {});
  return shape;
}

// Menus, banners and link columns around the content of a page.
bool IsBoilerplate(const GumboNode* node, bool in_content) {
  const std::string_view role = Attribute(node, "role");
  if (TagOf(node) == GUMBO_TAG_NAV || role == "navigation" || role == "search") return true;
  if (in_content) return false;
  const GumboTag tag = TagOf(node);
  return tag == GUMBO_TAG_ASIDE || tag == GUMBO_TAG_HEADER || tag == GUMBO_TAG_FOOTER ||
         role == "banner" || role == "contentinfo" || role == "complementary";
}

class HtmlReader {
 public:
  HtmlReader(DocumentBuilder& builder, PageShape shape, bool whole_page)
      : builder_(builder), shape_(shape), whole_page_(whole_page) {}

  void Read(const GumboNode* root) {
    WalkTree(
        root, [this](const GumboNode* node) { return Enter(node); },
        [this](const GumboNode* node) { Leave(node); });
    Flush();
  }

  [[nodiscard]] const std::string& title() const { return title_; }
  [[nodiscard]] const std::string& first_h1() const { return first_h1_; }
  [[nodiscard]] const std::string& language() const { return language_; }
  [[nodiscard]] bool found_text() const { return found_text_; }

 private:
  struct List {
    GumboTag tag;
    int64_t next_number = 1;
    char style = '1';
  };

  bool Enter(const GumboNode* node);
  void Leave(const GumboNode* node);
  void AddText(std::string_view text);
  void EnterList(const GumboNode* node);
  void EnterItem(const GumboNode* item);
  void EndTerm();
  void AddTable(const GumboNode* table);
  void AddLineBreak();
  void Flush();
  [[nodiscard]] bool Skips(const GumboNode* node) const;
  [[nodiscard]] uint32_t Depth() const {
    return lists_.empty() ? 0 : static_cast<uint32_t>(lists_.size() - 1);
  }

  DocumentBuilder& builder_;
  PageShape shape_;
  bool whole_page_;
  std::string text_;  // of the block being read
  std::vector<List> lists_;
  std::string marker_;  // of a list item whose text has not come yet; empty: none
  std::string term_;    // "<dt>" text to stand before its definition
  uint32_t heading_level_ = 0;
  size_t pre_depth_ = 0;
  size_t content_depth_ = 0;  // open <main> and <article> elements
  size_t main_depth_ = 0;
  bool after_line_break_ = false;
  bool found_text_ = false;
  std::string title_, first_h1_, language_;
};

bool HtmlReader::Skips(const GumboNode* node) const {
  if (IsHidden(node)) return true;
  return !whole_page_ &&
         IsBoilerplate(node, content_depth_ > 0 || (!shape_.has_main && !shape_.has_article));
}

bool HtmlReader::Enter(const GumboNode* node) {
  if (IsText(node)) {
    AddText(node->v.text.text);
    return false;
  }
  if (Skips(node)) return false;
  const GumboTag tag = TagOf(node);
  switch (tag) {
    case GUMBO_TAG_TITLE:
      if (title_.empty()) title_ = VisibleText(node);
      return false;
    case GUMBO_TAG_HTML:
      language_ = Attribute(node, "lang");
      return true;
    case GUMBO_TAG_BR:
      AddLineBreak();
      return false;
    case GUMBO_TAG_IMG:
      AddText(std::string(1, ' ').append(ImageText(node)).append(1, ' '));
      return false;
    default:
      break;
  }
  if (!IsBlock(tag)) return true;
  if (tag == GUMBO_TAG_H1 && first_h1_.empty()) first_h1_ = VisibleText(node);
  Flush();
  if (tag == GUMBO_TAG_TABLE && IsDataTable(node)) {
    AddTable(node);
    return false;
  }
  const bool main = IsMain(node);
  main_depth_ += main;
  content_depth_ += main || tag == GUMBO_TAG_ARTICLE;
  if (const uint32_t level = HeadingLevelOf(tag)) heading_level_ = level;
  pre_depth_ += tag == GUMBO_TAG_PRE || tag == GUMBO_TAG_LISTING;
  EnterList(node);
  if (tag == GUMBO_TAG_LI) EnterItem(node);
  return true;
}

void HtmlReader::Leave(const GumboNode* node) {
  const GumboTag tag = TagOf(node);
  if (!IsBlock(tag)) return;
  if (tag == GUMBO_TAG_DT) {
    EndTerm();
  } else {
    Flush();
  }
  const bool main = IsMain(node);
  main_depth_ -= main;
  content_depth_ -= main || tag == GUMBO_TAG_ARTICLE;
  if (HeadingLevelOf(tag) > 0) heading_level_ = 0;
  pre_depth_ -= tag == GUMBO_TAG_PRE || tag == GUMBO_TAG_LISTING;
  if (tag == GUMBO_TAG_LI) marker_.clear();
  if (!lists_.empty() && lists_.back().tag == tag) {
    if (!term_.empty()) builder_.AddListItem(Depth(), "-", std::exchange(term_, {}));
    marker_.clear();
    lists_.pop_back();
    if (lists_.empty()) builder_.EndList();
  }
}

void HtmlReader::AddText(std::string_view text) {
  if (!whole_page_ && shape_.has_main && main_depth_ == 0) return;
  if (text.find_first_not_of(" \t\n\r\f") != std::string_view::npos) {
    found_text_ = true;
    after_line_break_ = false;
  }
  const size_t begin = text_.size();
  text_ += text;
  if (pre_depth_ > 0) return;
  // A line end in the source is a space, not a hyphenation.
  std::replace(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.end(), '\n', ' ');
}

// One <br> is a space; two in a row are how old pages write paragraphs.
void HtmlReader::AddLineBreak() {
  if (pre_depth_ > 0) {
    text_ += '\n';
  } else if (after_line_break_ && heading_level_ == 0) {
    Flush();
  } else {
    text_ += ' ';
  }
  after_line_break_ = true;
}

void HtmlReader::EnterList(const GumboNode* node) {
  const GumboTag tag = TagOf(node);
  if (tag != GUMBO_TAG_UL && tag != GUMBO_TAG_OL && tag != GUMBO_TAG_DL && tag != GUMBO_TAG_MENU &&
      tag != GUMBO_TAG_DIR) {
    return;
  }
  if (lists_.empty()) builder_.EndList();
  // A list that opens its parent's item has no text of its own to carry that item's marker.
  marker_.clear();
  List list{.tag = tag};
  if (tag == GUMBO_TAG_OL) {
    const std::string start(Attribute(node, "start").substr(0, 9));
    if (!start.empty()) list.next_number = std::strtol(start.c_str(), nullptr, 10);
    const std::string_view type = Attribute(node, "type");
    if (type == "a" || type == "A") list.style = type.front();
  }
  lists_.push_back(list);
}

void HtmlReader::EnterItem(const GumboNode* item) {
  marker_.assign(1, '-');
  if (lists_.empty() || lists_.back().tag != GUMBO_TAG_OL) return;
  List& list = lists_.back();
  const std::string value(Attribute(item, "value").substr(0, 9));
  if (!value.empty()) list.next_number = std::strtol(value.c_str(), nullptr, 10);
  const int64_t number = list.next_number++;
  if (list.style != '1' && number >= 1 && number <= 26) {
    marker_.assign(1, static_cast<char>(list.style + (number - 1))).append(1, '.');
  } else {
    marker_ = std::to_string(number).append(1, '.');
  }
}

// A term waits for its definition: "- term: definition" is one item.
void HtmlReader::EndTerm() {
  CleaningCounts ignored;
  std::string term;
  AppendOneLine(text_, term, ignored);
  text_.clear();
  if (term.empty()) return;
  if (!term_.empty()) term_ += ", ";
  term_ += term;
}

void HtmlReader::AddTable(const GumboNode* table) {
  if (!whole_page_ && shape_.has_main && main_depth_ == 0) return;
  HtmlTable data = ReadTable(table);
  found_text_ |= !data.rows.empty();
  for (const std::string& caption : data.captions) builder_.AddParagraph(caption);
  builder_.AddTable(data.rows, data.header_rows);
}

// Self-links that documentation generators hang on headings.
std::string_view WithoutPermalink(std::string_view heading) {
  for (const std::string_view mark : {"¶", "#", "§", "🔗"}) {
    const size_t end = heading.find_last_not_of(" \t\n");
    if (end == std::string_view::npos) return {};
    heading = heading.substr(0, end + 1);
    if (heading.ends_with(mark) && heading.size() > mark.size()) {
      heading.remove_suffix(mark.size());
    }
  }
  return heading;
}

void HtmlReader::Flush() {
  const std::string text = std::exchange(text_, {});
  if (text.find_first_not_of(" \t\n\r\f") == std::string::npos) return;
  if (heading_level_ > 0) {
    builder_.AddHeading(heading_level_, WithoutPermalink(text));
  } else if (pre_depth_ > 0) {
    builder_.AddCode(text);
  } else if (!term_.empty()) {
    const std::string_view join = term_.back() == ':' ? " " : ": ";
    builder_.AddListItem(Depth(), "-", std::exchange(term_, {}).append(join) + text);
  } else if (!marker_.empty()) {
    builder_.AddListItem(Depth(), std::exchange(marker_, {}), text);
  } else if (!lists_.empty()) {
    builder_.ContinueParagraph(text);
  } else {
    builder_.AddParagraph(text);
  }
}

// <meta charset>, <meta http-equiv>, or an XML declaration, in the first kilobytes as browsers do.
std::string_view DeclaredCharset(std::string_view bytes) {
  constexpr size_t kPrescanBytes = 4096;
  constexpr std::string_view kNameChars =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:.";
  const std::string_view head = bytes.substr(0, kPrescanBytes);
  for (const std::string_view key : {"charset", "CHARSET", "Charset", "encoding"}) {
    for (size_t at = head.find(key); at != std::string_view::npos; at = head.find(key, at + 1)) {
      const size_t equals = head.find_first_not_of(" \t\n\r", at + key.size());
      if (equals == std::string_view::npos || head[equals] != '=') continue;
      const size_t name = head.find_first_not_of(" \t\n\r\"'", equals + 1);
      if (name == std::string_view::npos) continue;
      const size_t end = std::min(head.find_first_not_of(kNameChars, name), head.size());
      if (end > name) return head.substr(name, end - name);
    }
  }
  return {};
}

// "Reset - Pump manual" over <h1>Reset</h1>: the site's name is not the page's.
std::string ChooseTitle(const std::string& title, const std::string& h1) {
  CleaningCounts ignored;
  std::string clean_title, clean_h1;
  AppendOneLine(title, clean_title, ignored);
  AppendOneLine(WithoutPermalink(h1), clean_h1, ignored);
  const bool h1_is_part = !clean_h1.empty() && clean_title.find(clean_h1) != std::string::npos;
  return clean_title.empty() || h1_is_part ? clean_h1 : clean_title;
}

}  // namespace

void AppendHtmlFragment(std::string_view html, DocumentBuilder& builder) {
  std::string guarded = GuardHtml(html);
  if (guarded.find_first_not_of(" \t\n\r") == std::string::npos) return;
  if (guarded.size() > kMaxGuardedBytes) {
    builder.AddNote(0, "an HTML block of " + std::to_string(guarded.size()) + " bytes left out");
    return;
  }
  const HtmlTree tree(std::move(guarded));
  HtmlReader(builder, {}, true).Read(tree.root());
}

Result<Document> ExtractHtml(const ExtractorInput& input) {
  const DecodedText decoded = DecodeText(input.bytes, DeclaredCharset(input.bytes));
  std::string guarded = GuardHtml(decoded.text);
  if (guarded.size() > kMaxGuardedBytes) {
    return Fail(ErrorCode::kResource, "HTML: " + std::to_string(guarded.size()) +
                                          " bytes of markup and text, the limit is " +
                                          std::to_string(kMaxGuardedBytes));
  }
  const HtmlTree tree(std::move(guarded));
  const PageShape shape = ShapeOf(tree.root());
  DocumentBuilder builder("html", input.max_text_bytes);
  HtmlReader reader(builder, shape, false);
  reader.Read(tree.root());
  // A page that is all navigation, or keeps its text outside of <main>, is read whole.
  if (!reader.found_text()) HtmlReader(builder, {}, true).Read(tree.root());
  builder.SetTitle(ChooseTitle(reader.title(), reader.first_h1()));
  VADE_TRY(Document document, builder.Finish(FileStem(input.file_name)));
  if (document.language.empty()) document.language = reader.language().substr(0, 2);
  AddCharsetNotes(decoded, document);
  return document;
}

}  // namespace vade::ingest
