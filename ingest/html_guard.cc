// A tokenizer for tags only, after the HTML standard's section 13.2.5; text passes through as it
// is.
#include "ingest/html_guard.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace vade::ingest {
namespace {

constexpr size_t kMaxDepth = 512;
constexpr size_t kMaxNameBytes = 32;
constexpr size_t kMaxValueBytes = 4096;

enum class TagKind : uint8_t {
  kInline,      // formatting and anything unknown: tags dropped, text kept
  kBlock,       // forwarded, nests
  kImpliedEnd,  // forwarded, closes itself when a sibling begins: does not nest
  kVoid,        // forwarded, has no content
  kDropped,     // tag dropped, never pushed: void elements without text
  kRawDropped,  // dropped with its content up to its end tag, or to the end of the file
  kSkipped,     // dropped with its content when it is closed at all
  kRawText,     // forwarded with its content as text (title)
};

// Names of one kind, each between spaces.
struct TagGroup {
  TagKind kind;
  std::string_view names;
};

constexpr std::array<TagGroup, 7> kTagGroups = {{
    {TagKind::kBlock,
     " address article aside blockquote button caption center details dialog dir div dl "
     "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup legend "
     "listing main menu nav object ol pre search section summary table template ul "},
    {TagKind::kSkipped,
     " annotation iframe noembed noframes noscript rp rt select svg textarea xmp "},
    {TagKind::kDropped,
     " area base col colgroup embed frame head input keygen link meta optgroup option "
     "param source track wbr "},
    {TagKind::kImpliedEnd, " body dd dt html li p tbody td tfoot th thead tr "},
    {TagKind::kVoid, " br hr image img "},
    {TagKind::kRawDropped, " script style "},
    {TagKind::kRawText, " title "},
}};

TagKind KindOf(std::string_view name) {
  const std::string padded = std::string(1, ' ').append(name).append(1, ' ');
  for (const TagGroup& group : kTagGroups) {
    if (group.names.find(padded) != std::string_view::npos) return group.kind;
  }
  return TagKind::kInline;
}

constexpr bool IsSpace(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r';
}
constexpr bool IsLetter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char Lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Lower);
  return out;
}

struct Tag {
  std::string name;  // lower case
  bool end = false;
  bool hidden = false;
  std::string attributes;  // those kept, ready to print
};

// What hides an element without a style sheet.
bool HidesByStyle(std::string_view style) {
  std::string compact;
  for (const char c : style) {
    if (!IsSpace(c)) compact.push_back(Lower(c));
  }
  for (const std::string_view rule : {"display:none", "visibility:hidden", "font-size:0;",
                                      "font-size:0px", "opacity:0;", "mso-hide:all"}) {
    if (compact.find(rule) != std::string::npos) return true;
  }
  return compact.ends_with("font-size:0") || compact.ends_with("opacity:0");
}

class HtmlGuard {
 public:
  explicit HtmlGuard(std::string_view html) : html_(html) { out_.reserve(html.size()); }

  std::string Run();

 private:
  struct Open {
    std::string name;
    std::string_view forwarded;  // empty: the tag was dropped; "span": hidden inline text
  };

  void ReadMarkup();
  void SkipPast(std::string_view marker, size_t from);
  [[nodiscard]] bool ReadTag(Tag& tag);
  void ReadAttribute(Tag& tag);
  void KeepAttribute(Tag& tag, std::string_view name, std::string_view value);
  void Start(const Tag& tag);
  void End(const std::string& name);
  void Forward(const Tag& tag);
  void ForwardEnd(std::string_view name) { out_.append("</").append(name).append(">"); }
  [[nodiscard]] size_t FindEndTag(std::string_view name, size_t from);

  std::string_view html_;
  size_t at_ = 0;
  std::string out_;
  std::vector<Open> open_;
  std::vector<std::string> never_closed_;  // searched once, not found: keeps FindEndTag linear
};

std::string HtmlGuard::Run() {
  while (at_ < html_.size()) {
    const size_t markup = std::min(html_.find('<', at_), html_.size());
    out_.append(html_.substr(at_, markup - at_));
    at_ = markup;
    if (at_ < html_.size()) ReadMarkup();
  }
  return std::move(out_);
}

void HtmlGuard::ReadMarkup() {
  const char next = at_ + 1 < html_.size() ? html_[at_ + 1] : '\0';
  if (html_.compare(at_, 4, "<!--") == 0) return SkipPast("-->", at_ + 2);
  if (next == '!' || next == '?') return SkipPast(">", at_ + 2);
  const bool end_tag = next == '/';
  const size_t name_at = at_ + (end_tag ? 2 : 1);
  if (name_at >= html_.size() || !IsLetter(html_[name_at])) {
    if (end_tag) return SkipPast(">", name_at);
    out_ += "&lt;";
    ++at_;
    return;
  }
  Tag tag;
  if (!ReadTag(tag)) return;  // cut off by the end of the file: not shown by browsers either
  tag.end ? End(tag.name) : Start(tag);
}

void HtmlGuard::SkipPast(std::string_view marker, size_t from) {
  const size_t found = html_.find(marker, from);
  at_ = found == std::string_view::npos ? html_.size() : found + marker.size();
}

bool HtmlGuard::ReadTag(Tag& tag) {
  ++at_;
  if (html_[at_] == '/') {
    tag.end = true;
    ++at_;
  }
  const size_t name_begin = at_;
  while (at_ < html_.size() && !IsSpace(html_[at_]) && html_[at_] != '/' && html_[at_] != '>')
    ++at_;
  tag.name = LowerCase(html_.substr(name_begin, std::min(at_ - name_begin, kMaxNameBytes)));
  while (at_ < html_.size()) {
    if (html_[at_] == '>') {
      ++at_;
      return true;
    }
    if (IsSpace(html_[at_]) || html_[at_] == '/') {
      ++at_;
    } else {
      ReadAttribute(tag);
    }
  }
  return false;
}

void HtmlGuard::ReadAttribute(Tag& tag) {
  const size_t name_begin = at_++;
  const auto ends_name = [](char c) { return IsSpace(c) || c == '/' || c == '>' || c == '='; };
  while (at_ < html_.size() && !ends_name(html_[at_])) ++at_;
  const std::string_view name = html_.substr(name_begin, at_ - name_begin);
  size_t value_at = at_;
  while (value_at < html_.size() && IsSpace(html_[value_at])) ++value_at;
  if (value_at >= html_.size() || html_[value_at] != '=') {
    at_ = value_at;
    return KeepAttribute(tag, name, {});
  }
  do ++value_at;
  while (value_at < html_.size() && IsSpace(html_[value_at]));
  if (value_at >= html_.size()) {
    at_ = value_at;
    return;
  }
  const char quote = html_[value_at];
  size_t end = value_at;
  if (quote == '"' || quote == '\'') {
    end = std::min(html_.find(quote, ++value_at), html_.size());
    at_ = std::min(end + 1, html_.size());
  } else {
    while (end < html_.size() && !IsSpace(html_[end]) && html_[end] != '>') ++end;
    at_ = end;
  }
  KeepAttribute(tag, name, html_.substr(value_at, std::min(end - value_at, kMaxValueBytes)));
}

void HtmlGuard::KeepAttribute(Tag& tag, std::string_view raw_name, std::string_view value) {
  if (tag.end || raw_name.size() > kMaxNameBytes) return;
  const std::string name = LowerCase(raw_name);
  if (name == "hidden" || (name == "aria-hidden" && LowerCase(value) == "true") ||
      (name == "style" && HidesByStyle(value))) {
    tag.hidden = true;
    return;
  }
  static constexpr std::array<std::string_view, 8> kKept = {"colspan", "rowspan", "start", "type",
                                                            "value",   "alt",     "role",  "lang"};
  if (std::find(kKept.begin(), kKept.end(), name) == kKept.end()) return;
  const std::string printed = std::string(1, ' ').append(name).append("=\"");
  if (tag.attributes.find(printed) != std::string::npos) return;  // the first one counts
  tag.attributes += printed;
  for (const char c : value) {
    if (c == '"') {
      tag.attributes += "&quot;";
    } else {
      tag.attributes.push_back(c);
    }
  }
  tag.attributes.push_back('"');
}

void HtmlGuard::Start(const Tag& tag) {
  const TagKind kind = KindOf(tag.name);
  switch (kind) {
    case TagKind::kDropped:
      return;
    case TagKind::kVoid:
    case TagKind::kImpliedEnd:
      return Forward(tag);
    case TagKind::kSkipped:
    case TagKind::kRawDropped:
    case TagKind::kRawText: {
      const size_t end = FindEndTag(tag.name, at_);
      if (end == std::string_view::npos) {
        if (kind == TagKind::kRawDropped) at_ = html_.size();
        return;
      }
      if (kind == TagKind::kRawText) {
        Forward(tag);
        out_.append(html_.substr(at_, end - at_));
        ForwardEnd(tag.name);
      }
      at_ = end;
      return SkipPast(">", end);
    }
    case TagKind::kInline:
    case TagKind::kBlock:
      break;
  }
  if (open_.size() >= kMaxDepth) return;
  if (kind == TagKind::kBlock) {
    Forward(tag);
    open_.push_back({tag.name, "block"});
  } else if (tag.hidden) {
    out_ += "<span hidden>";
    open_.push_back({tag.name, "span"});
  } else {
    open_.push_back({tag.name, {}});
  }
}

void HtmlGuard::End(const std::string& name) {
  const TagKind kind = KindOf(name);
  if (kind == TagKind::kImpliedEnd || name == "br" || name == "p") {
    return ForwardEnd(name);
  }
  if (kind != TagKind::kInline && kind != TagKind::kBlock) return;
  // An inline end tag does not reach out of the block it stands in.
  size_t i = open_.size();
  while (i > 0 && open_[i - 1].name != name) {
    if (kind == TagKind::kInline && open_[i - 1].forwarded == "block") return;
    --i;
  }
  if (i == 0) return;
  for (size_t j = open_.size(); j >= i; --j) {
    if (open_[j - 1].forwarded == "span") out_ += "</span>";
  }
  if (open_[i - 1].forwarded == "block") ForwardEnd(name);
  open_.resize(i - 1);
}

void HtmlGuard::Forward(const Tag& tag) {
  out_.append("<").append(tag.name).append(tag.attributes).append(tag.hidden ? " hidden>" : ">");
}

size_t HtmlGuard::FindEndTag(std::string_view name, size_t from) {
  if (std::find(never_closed_.begin(), never_closed_.end(), name) != never_closed_.end()) {
    return std::string_view::npos;
  }
  for (size_t at = html_.find("</", from); at != std::string_view::npos;
       at = html_.find("</", at + 2)) {
    if (LowerCase(html_.substr(at + 2, name.size())) != name) continue;
    const size_t behind = at + 2 + name.size();
    if (behind >= html_.size() || IsSpace(html_[behind]) || html_[behind] == '>' ||
        html_[behind] == '/') {
      return at;
    }
  }
  never_closed_.emplace_back(name);
  return std::string_view::npos;
}

}  // namespace

std::string GuardHtml(std::string_view html) { return HtmlGuard(html).Run(); }

}  // namespace vade::ingest
