// Small libraries for tests: sections of text become documents with chunks, pages and vectors.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "embed/embedder.h"
#include "vectorstore/store.h"

namespace vade::testing {

struct TestSection {
  std::string heading_path;
  std::string text;
  std::string page = {};  // label; empty: the document has no pages
};

/// One chunk per section; the text is the sections' headings and bodies in the stored layout.
inline vectorstore::DocumentId AddDocument(vectorstore::Store& store, embed::Embedder& embedder,
                                           const std::string& path, const std::string& title,
                                           const std::vector<TestSection>& sections) {
  vectorstore::NewDocument document;
  document.record.path = path;
  document.record.title = title;
  document.record.collection = 1;
  for (const TestSection& section : sections) {
    vectorstore::ChunkRecord chunk;
    chunk.ordinal = static_cast<uint32_t>(document.chunks.size());
    chunk.heading_path = section.heading_path;
    chunk.begin = document.text.size();
    document.text += section.text;
    chunk.end = document.text.size();
    if (!section.page.empty()) {
      if (document.pages.empty() || document.pages.back().label != section.page) {
        const auto number = static_cast<uint32_t>(document.pages.size() + 1);
        document.pages.push_back({number, section.page, chunk.begin, 0, true});
      }
      document.pages.back().end = chunk.end + 2;
      chunk.first_page = chunk.last_page = static_cast<uint32_t>(document.pages.size() - 1);
    }
    document.text += "\n\n";
    const std::string embedded = section.heading_path + "\n" + section.text;
    std::vector<float> vector(embedder.dimension());
    const std::vector<std::string_view> texts{embedded};
    EXPECT_TRUE(embedder.EmbedPassages(texts, vector).has_value());
    document.vectors.insert(document.vectors.end(), vector.begin(), vector.end());
    document.chunks.push_back(std::move(chunk));
  }
  const auto id = store.PutDocument(std::move(document));
  EXPECT_TRUE(id.has_value());
  return id.value_or(0);
}

}  // namespace vade::testing
