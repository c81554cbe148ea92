#include "vectorstore/document_address.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>
#include <utility>

#include "engine/base/utf8.h"
#include "vectorstore/glob.h"

namespace vade::vectorstore {
namespace {

constexpr size_t kMaxCandidates = 8;  // named in an error message
constexpr std::string_view kHeadingSeparator = " > ";

// "a, b, c and 4 more"
std::string List(const std::vector<std::string>& names) {
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), kMaxCandidates); ++i) {
    list += (i == 0 ? "" : ", ") + utf8::Escape(names[i]);
  }
  if (names.size() > kMaxCandidates) {
    list += " and " + std::to_string(names.size() - kMaxCandidates) + " more";
  }
  return list;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

bool NamesFile(const std::string& absolute, const std::string& file) {
  return file == absolute || (file.size() > absolute.size() && file.starts_with(absolute) &&
                              (absolute.ends_with('/') || file[absolute.size()] == '/'));
}

Result<DocumentRecord> OneDocument(const Store& store, std::string_view name) {
  VADE_TRY(auto documents, MatchDocuments(store, name));
  const auto exact = std::find_if(documents.begin(), documents.end(),
                                  [&](const auto& record) { return record.path == name; });
  if (exact != documents.end()) return std::move(*exact);
  if (documents.size() == 1) return std::move(documents.front());
  if (documents.empty()) {
    return Fail(ErrorCode::kNotFound, "no document '" + utf8::Escape(name) + "' in the store");
  }
  std::vector<std::string> names;
  for (const auto& record : documents) names.push_back(record.path);
  return Fail(ErrorCode::kInvalidArgument, "'" + utf8::Escape(name) + "' could be " + List(names));
}

Result<void> FindPage(const Store& store, std::string_view wanted, Excerpt& excerpt) {
  VADE_TRY(const auto pages, store.GetPages(excerpt.document.id));
  std::vector<const PageRecord*> found;
  for (const auto& page : pages) {
    if (page.label == wanted) found.push_back(&page);
  }
  for (const auto& page : pages) {
    if (found.empty() && std::to_string(page.number) == wanted) found.push_back(&page);
  }
  const std::string path = utf8::Escape(excerpt.document.path);
  if (found.empty()) {
    if (pages.empty()) return Fail(ErrorCode::kNotFound, path + ": has no pages");
    std::vector<std::string> labels;
    for (const auto& page : pages) {
      labels.push_back(page.label.empty() ? std::to_string(page.number) : page.label);
    }
    return Fail(ErrorCode::kNotFound,
                path + ": no page '" + utf8::Escape(wanted) + "', it has " + List(labels));
  }
  if (found.size() > 1) {
    std::vector<std::string> numbers;
    for (const auto* page : found) numbers.push_back("number " + std::to_string(page->number));
    return Fail(ErrorCode::kInvalidArgument, path + ": several pages are labelled '" +
                                                 utf8::Escape(wanted) + "': " + List(numbers));
  }
  excerpt.part =
      found.front()->label.empty() ? std::to_string(found.front()->number) : found.front()->label;
  excerpt.begin = found.front()->begin;
  excerpt.end = found.front()->end;
  return {};
}

// Every heading path of a document with the span of its section, sections below it included.
std::map<std::string, std::pair<uint64_t, uint64_t>> Sections(
    const std::vector<ChunkRecord>& chunks) {
  std::map<std::string, std::pair<uint64_t, uint64_t>> sections;
  for (const auto& chunk : chunks) {
    const std::string& path = chunk.heading_path;
    for (size_t end = 0; !path.empty() && end != std::string::npos;) {
      end = path.find(kHeadingSeparator, end == 0 ? 0 : end + kHeadingSeparator.size());
      const auto [section, is_new] =
          sections.try_emplace(path.substr(0, end), chunk.begin, chunk.end);
      if (!is_new) {
        section->second.first = std::min(section->second.first, chunk.begin);
        section->second.second = std::max(section->second.second, chunk.end);
      }
    }
  }
  return sections;
}

Result<void> FindHeading(const Store& store, std::string_view wanted, Excerpt& excerpt) {
  VADE_TRY(const auto chunks, store.GetChunks(excerpt.document.id));
  const auto sections = Sections(chunks);
  const std::string lower = Lower(wanted);
  const std::string as_last = std::string(kHeadingSeparator) + lower;
  std::vector<std::string> found;
  std::vector<std::string> all;
  for (const auto& [path, span] : sections) {
    const std::string heading = Lower(path);
    if (heading == lower) {
      found = {path};
      break;
    }
    if (heading.ends_with(as_last)) found.push_back(path);
    all.push_back(path);
  }
  const std::string file = utf8::Escape(excerpt.document.path);
  if (found.empty()) {
    return Fail(ErrorCode::kNotFound,
                file + ": no heading '" + utf8::Escape(wanted) + "'" +
                    (all.empty() ? ", it has no headings" : ", it has " + List(all)));
  }
  if (found.size() > 1) {
    return Fail(ErrorCode::kInvalidArgument,
                file + ": '" + utf8::Escape(wanted) + "' could be " + List(found));
  }
  excerpt.part = found.front();
  std::tie(excerpt.begin, excerpt.end) = sections.at(found.front());
  return {};
}

// The text between begin and end; of everything without a part.
Result<void> ReadText(const Store& store, Excerpt& excerpt) {
  if (excerpt.document.status == DocumentStatus::kSkipped) {
    return Fail(ErrorCode::kNotFound, utf8::Escape(excerpt.document.path) + ": was skipped: " +
                                          utf8::Escape(excerpt.document.reason));
  }
  VADE_TRY(const std::string text, store.GetText(excerpt.document.id));
  if (excerpt.part.empty()) excerpt.end = text.size();
  excerpt.end = std::min<uint64_t>(excerpt.end, text.size());
  excerpt.begin = std::min(excerpt.begin, excerpt.end);
  excerpt.text = text.substr(excerpt.begin, excerpt.end - excerpt.begin);
  return {};
}

}  // namespace

Result<std::vector<DocumentRecord>> MatchDocuments(const Store& store, std::string_view pattern) {
  VADE_TRY(auto documents, store.ListDocuments());
  VADE_TRY(const auto collections, store.ListCollections());
  std::map<CollectionId, std::string> roots;
  for (const auto& collection : collections) roots[collection.id] = collection.root;
  std::error_code error;
  const std::string absolute =
      std::filesystem::absolute(std::filesystem::path(pattern), error).lexically_normal().string();
  std::erase_if(documents, [&](const DocumentRecord& record) {
    const std::string file = roots[record.collection] + "/" + record.path;
    return !PathMatches(pattern, record.path) && !NamesFile(absolute, file);
  });
  return documents;
}

Result<Excerpt> ResolveExcerpt(const Store& store, std::string_view address) {
  Excerpt excerpt;
  auto whole = OneDocument(store, address);
  const size_t hash = address.find('#');
  const size_t colon = address.rfind(':');
  if (whole) {
    excerpt.document = std::move(*whole);
  } else if (whole.error().code == ErrorCode::kNotFound && hash != std::string_view::npos) {
    VADE_TRY(excerpt.document, OneDocument(store, address.substr(0, hash)));
    VADE_CHECK_OK(FindHeading(store, address.substr(hash + 1), excerpt));
  } else if (whole.error().code == ErrorCode::kNotFound && colon != std::string_view::npos) {
    VADE_TRY(excerpt.document, OneDocument(store, address.substr(0, colon)));
    VADE_CHECK_OK(FindPage(store, address.substr(colon + 1), excerpt));
  } else {
    return tl::unexpected(std::move(whole).error());
  }
  VADE_CHECK_OK(ReadText(store, excerpt));
  return excerpt;
}

Result<Excerpt> ResolvePage(const Store& store, DocumentId id, std::string_view page) {
  Excerpt excerpt;
  VADE_TRY(excerpt.document, store.GetDocument(id));
  if (!page.empty()) VADE_CHECK_OK(FindPage(store, page, excerpt));
  VADE_CHECK_OK(ReadText(store, excerpt));
  return excerpt;
}

Result<void> CheckInCollections(const Store& store, const DocumentRecord& document,
                                const std::vector<std::string>& names) {
  if (names.empty()) return {};
  VADE_TRY(const auto collections, store.ListCollections());
  const bool visible = std::ranges::any_of(collections, [&](const auto& each) {
    return each.id == document.collection && std::ranges::find(names, each.name) != names.end();
  });
  if (!visible) return Fail(ErrorCode::kNotFound, "no such document");
  return {};
}

}  // namespace vade::vectorstore
