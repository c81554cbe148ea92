#include "embed/prefixes.h"

#include <algorithm>
#include <array>
#include <string>

namespace vade::embed {
namespace {

struct Family {
  std::string_view mark;     // in the name, lower case, separators as '-'
  std::string_view without;  // but not with this
  Prefixes prefixes;
};

constexpr std::string_view kSearchSentence =
    "Represent this sentence for searching relevant passages: ";

// As the models' own cards say. The first row that fits counts.
constexpr std::array<Family, 7> kFamilies = {{
    {"e5-", "instruct", {"query: ", "passage: "}},
    {"nomic-embed-text", "", {"search_query: ", "search_document: "}},
    {"modernbert-embed", "", {"search_query: ", "search_document: "}},
    {"bge-small-en", "", {kSearchSentence, ""}},
    {"bge-base-en", "", {kSearchSentence, ""}},
    {"bge-large-en", "", {kSearchSentence, ""}},
    {"qwen3-embedding",
     "",
     {"Instruct: Given a web search query, retrieve relevant passages that answer the query\n"
      "Query:",
      ""}},
}};

// "Multilingual E5_small" -> "-multilingual-e5-small-".
std::string Folded(std::string_view name) {
  std::string out = "-";
  for (const char c : name) {
    const bool separates = c == ' ' || c == '_' || c == '.' || c == '/';
    out += separates ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return out + "-";
}

}  // namespace

Prefixes KnownPrefixes(std::string_view model_name) {
  const std::string name = Folded(model_name);
  for (const Family& family : kFamilies) {
    if (name.find("-" + std::string(family.mark)) == std::string::npos) continue;
    if (!family.without.empty() && name.find(family.without) != std::string::npos) continue;
    return family.prefixes;
  }
  return {};
}

}  // namespace vade::embed
