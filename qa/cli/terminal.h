// Terminal: what stdout can show, and passages cut and marked for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vectorstore/store.h"

namespace vade::qa {

/// Plain text unless stdout is a terminal. Const-safe.
class Terminal {
 public:
  Terminal(bool colour, bool links) : colour_(colour), links_(links) {}

  /// Colour needs a terminal that is not "dumb" and no NO_COLOR; links need the terminal only.
  [[nodiscard]] static Terminal ForStdout();

  [[nodiscard]] std::string Bold(std::string_view text) const;
  [[nodiscard]] std::string Dim(std::string_view text) const;
  [[nodiscard]] std::string Marked(std::string_view text) const;
  /// Bars and shades.
  [[nodiscard]] std::string Heat(std::string_view text) const;
  /// `text` as an OSC 8 link to a local file (absolute path), at a page when page > 0.
  [[nodiscard]] std::string FileLink(std::string_view text, std::string_view path,
                                     uint32_t page) const;
  [[nodiscard]] bool links() const { return links_; }

 private:
  bool colour_;
  bool links_;
};

/// About `max_bytes` of `text` where most of the question's words are, on one line, control
/// characters escaped, its matched words marked. "..." stands where text was left out.
[[nodiscard]] std::string Snippet(std::string_view text, std::string_view question,
                                  size_t max_bytes, const Terminal& terminal);

/// utf8::Escape of each line: what strangers wrote, or a model, over several lines.
[[nodiscard]] std::string EscapeLines(std::string_view text);

/// One line of at most max_bytes: the beginning and the end of a longer text around " ... ".
[[nodiscard]] std::string Shorten(std::string_view text, size_t max_bytes);

/// Absolute path of a document, empty when its collection is gone.
[[nodiscard]] std::string AbsolutePath(const vectorstore::Store& store,
                                       vectorstore::DocumentId document);

/// Ids of the documents whose path, or its last component, is one of `names`.
/// Errors: kInvalidArgument naming the first that is unknown.
[[nodiscard]] Result<std::vector<vectorstore::DocumentId>> FindDocuments(
    const vectorstore::Store& store, const std::vector<std::string>& names);

}  // namespace vade::qa
