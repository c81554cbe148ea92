#include "qa/tools/library_tools.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/base/utf8.h"
#include "vectorstore/document_address.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr size_t kDefaultHits = 5;
constexpr size_t kMaxHits = 10;
constexpr size_t kMaxPageBytes = 8000;  // of one call; the rest by `offset`

std::string Where(const retriever::Passage& passage) {
  std::string where = utf8::Escape(passage.path);
  if (!passage.first_page.empty()) where += ", p. " + passage.first_page;
  if (!passage.heading_path.empty()) where += ", " + passage.heading_path;
  return where;
}

std::string Show(size_t number, const retriever::Passage& passage) {
  const std::string context = passage.context.empty() ? "" : passage.context + "\n";
  return "[" + std::to_string(number) + "] " + Where(passage) + " (document " +
         std::to_string(passage.document) + ")\n" + context + passage.text + "\n";
}

/// The collections a call may search: of those given, if any are, the one asked for.
Result<retriever::SearchOptions> Narrow(retriever::SearchOptions search, const json& arguments) {
  search.k = arguments.value("k", kDefaultHits);
  const std::string name = arguments.value("collection", "");
  if (name.empty()) return search;
  std::vector<std::string>& names = search.filter.collections;
  if (!names.empty() && std::ranges::find(names, name) == names.end()) {
    return Fail(ErrorCode::kNotFound, "no collection '" + utf8::Escape(name.substr(0, 100)) + "'");
  }
  names = {name};
  return search;
}

Result<vectorstore::Excerpt> FindExcerpt(const vectorstore::Store& store,
                                         const std::string& document, const std::string& page) {
  vectorstore::DocumentId id = 0;
  const char* end = document.data() + document.size();
  const auto [stop, error] = std::from_chars(document.data(), end, id);
  if (error == std::errc() && stop == end) return ResolvePage(store, id, page);
  return ResolveExcerpt(store, page.empty() ? document : document + ":" + page);
}

Result<std::string> ReadPage(const vectorstore::Store& store,
                             const std::vector<std::string>& collections, ShownPassages& shown,
                             const json& arguments) {
  VADE_TRY(
      const vectorstore::Excerpt excerpt,
      FindExcerpt(store, arguments["document"].get<std::string>(), arguments.value("page", "")));
  VADE_CHECK_OK(CheckInCollections(store, excerpt.document, collections));
  const auto wanted =
      std::min<uint64_t>(arguments.value("offset", uint64_t{0}), excerpt.text.size());
  const size_t begin = utf8::FloorBoundary(excerpt.text, wanted);
  const size_t end = utf8::FloorBoundary(excerpt.text, begin + kMaxPageBytes);
  if (begin == end) return Fail(ErrorCode::kNotFound, "there is no text here");
  retriever::Passage passage;
  passage.document = excerpt.document.id;
  passage.path = excerpt.document.path;
  passage.title = excerpt.document.title;
  passage.begin = excerpt.begin + begin;
  passage.end = excerpt.begin + end;
  passage.text = excerpt.text.substr(begin, end - begin);
  VADE_TRY(const auto pages, store.GetPages(excerpt.document.id));
  for (const vectorstore::PageRecord& page : pages) {
    if (passage.begin < page.begin || passage.begin >= page.end) continue;
    passage.first_page = page.label.empty() ? std::to_string(page.number) : page.label;
    passage.first_page_number = page.number;
  }
  std::string text = Show(shown.Add(passage), passage);
  if (end < excerpt.text.size()) text += "[goes on: offset " + std::to_string(end) + "]\n";
  return text;
}

json Text(const char* description) { return {{"type", "string"}, {"description", description}}; }

}  // namespace

size_t ShownPassages::Add(const retriever::Passage& passage) {
  for (size_t i = 0; i < passages_.size(); ++i) {
    const retriever::Passage& each = passages_[i];
    const bool same = each.document == passage.document;
    if (same && each.begin <= passage.begin && each.end >= passage.end) return i + 1;
  }
  passages_.push_back(passage);
  return passages_.size();
}

Tool SearchLibraryTool(const vectorstore::Store* store, embed::Embedder* embedder,
                       retriever::SearchOptions search, ShownPassages* shown) {
  json query = Text("what to look for, in full words");
  query["minLength"] = 1;
  query["maxLength"] = 2000;
  Tool tool;
  tool.spec.name = "search_library";
  tool.spec.description =
      "Searches the user's own documents and manuals. Gives numbered passages [n] with file, page "
      "and "
      "heading. Cite them as [n].";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties",
       {{"query", std::move(query)},
        {"k",
         {{"type", "integer"},
          {"minimum", 1},
          {"maximum", kMaxHits},
          {"description", "how many passages, 5 without it"}}},
        {"collection", Text("only in this collection")}}},
      {"required", {"query"}},
      {"additionalProperties",
       false}}.dump();
  tool.run = [store, embedder, search = std::move(search), shown](
                 const json& arguments, const CancelToken*) -> Result<std::string> {
    VADE_TRY(const retriever::SearchOptions options, Narrow(search, arguments));
    VADE_TRY(const retriever::SearchResult found,
             retriever::Retriever(store, embedder)
                 .Search(arguments["query"].get<std::string>(), options));
    std::string text;
    for (const retriever::Passage& passage : found.passages) {
      text += (text.empty() ? "" : "\n") + Show(shown->Add(passage), passage);
    }
    return text.empty() ? "No passage was found." : text;
  };
  return tool;
}

Tool ReadPageTool(const vectorstore::Store* store, retriever::SearchOptions search,
                  ShownPassages* shown) {
  Tool tool;
  tool.spec.name = "read_page";
  tool.spec.description =
      "Reads a page of a document, or the document from its beginning. Gives a numbered passage "
      "[n].";
  tool.spec.parameters = json{
      {"type", "object"},
      {"properties",
       {{"document", Text("file name or document number, as search_library shows it")},
        {"page", Text("label or number of the page")},
        {"offset", {{"type", "integer"}, {"minimum", 0}, {"description", "byte to go on at"}}}}},
      {"required", {"document"}},
      {"additionalProperties",
       false}}.dump();
  tool.run = [store, names = std::move(search.filter.collections), shown](const json& arguments,
                                                                          const CancelToken*) {
    return ReadPage(*store, names, *shown, arguments);
  };
  return tool;
}

}  // namespace vade::qa
