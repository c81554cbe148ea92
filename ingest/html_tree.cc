// gumbo behind a bump allocator.
#include "ingest/html_tree.h"

#include <algorithm>
#include <utility>

namespace vade::ingest {

HtmlTree::HtmlTree(std::string guarded_html) : html_(std::move(guarded_html)) {
  GumboOptions options = kGumboDefaultOptions;
  options.allocator = Allocate;
  options.deallocator = Deallocate;
  options.userdata = this;
  options.max_errors = 0;
  output_ = gumbo_parse_with_options(&options, html_.data(), html_.size());
}

void* HtmlTree::Allocate(void* self, size_t size) {
  constexpr size_t kAlignment = alignof(std::max_align_t);
  constexpr size_t kFirstBlockBytes = size_t{16} << 10;
  constexpr size_t kLargestBlockBytes = size_t{1} << 20;
  auto* tree = static_cast<HtmlTree*>(self);
  size = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (size > tree->free_bytes_) {
    const size_t growing = kFirstBlockBytes << std::min<size_t>(tree->blocks_.size(), 6);
    const size_t block_bytes = std::max(size, std::min(growing, kLargestBlockBytes));
    tree->blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_bytes));
    tree->free_ = tree->blocks_.back().get();
    tree->free_bytes_ = block_bytes;
  }
  void* memory = tree->free_;
  tree->free_ += size;
  tree->free_bytes_ -= size;
  return memory;
}

std::span<const GumboNode* const> Children(const GumboNode* node) {
  const GumboVector* children = nullptr;
  if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE) {
    children = &node->v.element.children;
  } else if (node->type == GUMBO_NODE_DOCUMENT) {
    children = &node->v.document.children;
  }
  if (children == nullptr || children->length == 0) return {};
  return {reinterpret_cast<const GumboNode* const*>(children->data), children->length};
}

GumboTag TagOf(const GumboNode* node) {
  const bool element = node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE;
  return element ? node->v.element.tag : GUMBO_TAG_UNKNOWN;
}

bool IsText(const GumboNode* node) {
  return node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
         node->type == GUMBO_NODE_CDATA;
}

bool IsHtmlElement(std::string_view name) {
  return gumbo_tagn_enum(name.data(), static_cast<unsigned>(name.size())) != GUMBO_TAG_UNKNOWN;
}

std::string_view Attribute(const GumboNode* node, const char* name) {
  if (node->type != GUMBO_NODE_ELEMENT) return {};
  const GumboAttribute* attribute = gumbo_get_attribute(&node->v.element.attributes, name);
  return attribute == nullptr ? std::string_view() : attribute->value;
}

bool IsHidden(const GumboNode* node) {
  if (node->type == GUMBO_NODE_TEMPLATE || node->type == GUMBO_NODE_COMMENT) return true;
  if (node->type != GUMBO_NODE_ELEMENT) return false;
  const GumboTag tag = node->v.element.tag;
  return tag == GUMBO_TAG_TEMPLATE || tag == GUMBO_TAG_BUTTON ||
         gumbo_get_attribute(&node->v.element.attributes, "hidden") != nullptr;
}

bool IsBlock(GumboTag tag) {
  // After html_guard.h the only inline elements left are these; unknown stands for text.
  return tag != GUMBO_TAG_SPAN && tag != GUMBO_TAG_IMG && tag != GUMBO_TAG_BR &&
         tag != GUMBO_TAG_UNKNOWN;
}

uint32_t HeadingLevelOf(GumboTag tag) {
  switch (tag) {
    case GUMBO_TAG_H1:
      return 1;
    case GUMBO_TAG_H2:
      return 2;
    case GUMBO_TAG_H3:
      return 3;
    case GUMBO_TAG_H4:
      return 4;
    case GUMBO_TAG_H5:
      return 5;
    case GUMBO_TAG_H6:
      return 6;
    default:
      return 0;
  }
}

std::string VisibleText(const GumboNode* node) {
  std::string text;
  WalkTree(
      node,
      [&](const GumboNode* child) {
        if (IsText(child)) {
          text += child->v.text.text;
          return false;
        }
        if (IsHidden(child)) return false;
        if (TagOf(child) == GUMBO_TAG_BR || IsBlock(TagOf(child))) text += ' ';
        if (TagOf(child) == GUMBO_TAG_IMG)
          text.append(1, ' ').append(ImageText(child)).append(1, ' ');
        return true;
      },
      [&](const GumboNode* child) {
        if (IsBlock(TagOf(child))) text += ' ';
      });
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string ImageText(const GumboNode* image) {
  const std::string_view alt = Attribute(image, "alt");
  const bool file_name = alt.find(' ') == std::string_view::npos && alt.find('.') != alt.npos;
  return file_name ? std::string() : std::string(alt);
}

}  // namespace vade::ingest
