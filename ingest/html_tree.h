// Owner of a parsed HTML tree, and the questions the extractor asks its nodes.
#pragma once

#include <gumbo.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vade::ingest {

/// Parses guarded HTML (see html_guard.h). All nodes live in one arena and go with it at once:
/// gumbo's own destructor recurses as deep as the document nests.
class HtmlTree {
 public:
  explicit HtmlTree(std::string guarded_html);
  HtmlTree(const HtmlTree&) = delete;
  HtmlTree& operator=(const HtmlTree&) = delete;

  [[nodiscard]] const GumboNode* root() const { return output_->root; }

 private:
  static void* Allocate(void* self, size_t size);
  static void Deallocate(void*, void*) {}

  std::string html_;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* free_ = nullptr;
  size_t free_bytes_ = 0;
  GumboOutput* output_ = nullptr;
};

[[nodiscard]] std::span<const GumboNode* const> Children(const GumboNode* node);
/// GUMBO_TAG_UNKNOWN for text.
[[nodiscard]] GumboTag TagOf(const GumboNode* node);
[[nodiscard]] bool IsText(const GumboNode* node);
/// An element of HTML, as opposed to "<folder>" in a sentence about a command.
[[nodiscard]] bool IsHtmlElement(std::string_view name);
/// "" when absent.
[[nodiscard]] std::string_view Attribute(const GumboNode* node, const char* name);
[[nodiscard]] bool IsHidden(const GumboNode* node);
/// Starts and ends a line when rendered.
[[nodiscard]] bool IsBlock(GumboTag tag);
/// 1..6, or 0.
[[nodiscard]] uint32_t HeadingLevelOf(GumboTag tag);
/// Alternative text, "" when it is only a file name.
[[nodiscard]] std::string ImageText(const GumboNode* image);
/// Visible text below `node`, blocks separated by spaces.
[[nodiscard]] std::string VisibleText(const GumboNode* node);

/// Walks a subtree without recursion: enter(node) says whether to descend, leave(node) is called
/// for every element entered.
template <typename Enter, typename Leave>
void WalkTree(const GumboNode* root, const Enter& enter, const Leave& leave) {
  struct Frame {
    const GumboNode* node;
    size_t next_child;
  };
  std::vector<Frame> open;
  if (!enter(root)) return;
  open.push_back({root, 0});
  while (!open.empty()) {
    Frame& top = open.back();
    const auto children = Children(top.node);
    if (top.next_child == children.size()) {
      leave(top.node);
      open.pop_back();
      continue;
    }
    const GumboNode* child = children[top.next_child++];
    if (enter(child)) open.push_back({child, 0});
  }
}

}  // namespace vade::ingest
