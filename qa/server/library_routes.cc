// GET and POST of what is in the library: search, documents, their pages and files, collections.
#include <charconv>
#include <filesystem>
#include <map>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/utf8.h"
#include "qa/answer/json_format.h"
#include "qa/indexer/json_format.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/search_request.h"
#include "qa/server/service.h"

namespace vade::qa::server {

using nlohmann::json;
using vectorstore::DocumentId;
using vectorstore::DocumentRecord;
using vectorstore::Store;

retriever::SearchOptions ReadSearchOptions(Fields& fields, size_t default_k) {
  retriever::SearchOptions options;
  const auto k = fields.Integer("k", 1, 1000, static_cast<int64_t>(default_k));
  options.k = static_cast<size_t>(k);
  options.mode =
      *retriever::ParseMode(fields.Word("mode", {"hybrid", "lexical", "dense"}, "hybrid"));
  options.filter.collections = fields.Strings("collections", 1000, 4096);
  options.filter.path_globs = fields.Strings("paths", 100, 4096);
  options.filter.documents = fields.Integers("documents", 100'000, 1, INT64_MAX);
  return options;
}

namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{256} << 20;

Result<int64_t> ParseId(const std::string& text) {
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 1) {
    return Fail(ErrorCode::kNotFound, "no such document");
  }
  return id;
}

size_t QueryNumber(const Request& request, const std::string& name, size_t fallback, size_t most) {
  const auto at = request.query.find(name);
  if (at == request.query.end()) return fallback;
  size_t value = 0;
  const auto [end, error] =
      std::from_chars(at->second.data(), at->second.data() + at->second.size(), value);
  return error == std::errc() && end == at->second.data() + at->second.size() && value <= most
             ? value
             : fallback;
}

std::map<vectorstore::CollectionId, vectorstore::Collection> ById(
    std::vector<vectorstore::Collection> collections) {
  std::map<vectorstore::CollectionId, vectorstore::Collection> out;
  for (auto& collection : collections) out[collection.id] = std::move(collection);
  return out;
}

Result<DocumentRecord> FindDocument(const Store& store, const Request& request) {
  VADE_TRY(const DocumentId id, ParseId(request.params.at("id")));
  auto record = store.GetDocument(id);
  if (!record) return Fail(ErrorCode::kNotFound, "no such document");
  return record;
}

// --- Search

Result<Response> Search(Service& service, const Request& request) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const std::string question = fields.RequiredString("question", kMaxQuestionBytes);
  const retriever::SearchOptions options = ReadSearchOptions(fields, 10);
  VADE_CHECK_OK(fields.Status());
  VADE_TRY(const auto store, service.library.Open());
  VADE_TRY(const int64_t generation, store->GetGeneration());
  std::string key = std::to_string(generation) + body.dump();
  if (auto known = service.searches.Find(key)) {
    return Response{200, "application/json", *std::move(known), {{"X-Cache", "hit"}}};
  }
  embed::Embedder* embedder =
      options.mode == retriever::Mode::kLexical ? nullptr : &service.library.embedder();
  VADE_TRY(const auto result,
           retriever::Retriever(store.get(), embedder, nullptr, &service.library.documents())
               .Search(question, options));
  json out = ToJson(result);
  out["question"] = utf8::Repair(question);
  out["mode"] = retriever::ModeName(options.mode);
  Response response = JsonResponse(out);
  service.searches.Put(std::move(key), response.body, response.body.size() + request.body.size());
  return response;
}

// --- Collections and documents

Result<Response> ListCollections(Service& service, const Request&) {
  const auto store = service.library.Open();
  json list = json::array();
  if (!store && store.error().code != ErrorCode::kNotFound) return tl::unexpected(store.error());
  if (store) {
    VADE_TRY(const auto collections, (*store)->ListCollections());
    VADE_TRY(const auto documents, (*store)->ListDocuments());
    for (const auto& collection : collections) {
      uint64_t count = 0, chunks = 0;
      int64_t indexed_at = 0;
      for (const DocumentRecord& record : documents) {
        if (record.collection != collection.id) continue;
        ++count;
        chunks += record.chunk_count;
        indexed_at = std::max(indexed_at, record.indexed_at);
      }
      list.push_back({{"id", collection.id},
                      {"name", collection.name},
                      {"root", utf8::Escape(collection.root)},
                      {"documents", count},
                      {"chunks", chunks},
                      {"indexed_at", indexed_at}});
    }
  }
  return JsonResponse({{"collections", std::move(list)}});
}

Result<Response> ListDocuments(Service& service, const Request& request) {
  const auto store = service.library.Open();
  if (!store && store.error().code == ErrorCode::kNotFound) {
    return JsonResponse({{"total", 0}, {"documents", json::array()}});
  }
  if (!store) return tl::unexpected(store.error());
  vectorstore::Filter filter;
  if (const auto at = request.query.find("collection"); at != request.query.end()) {
    filter.collections = {at->second};
  }
  VADE_TRY(const auto documents, (*store)->ListDocuments(filter));
  VADE_TRY(auto listed, (*store)->ListCollections());
  const auto collections = ById(std::move(listed));
  const auto wanted = request.query.find("q");
  const size_t offset = QueryNumber(request, "offset", 0, SIZE_MAX);
  const size_t limit = QueryNumber(request, "limit", 100, 1000);
  size_t total = 0;
  json list = json::array();
  for (const DocumentRecord& record : documents) {
    const bool fits = wanted == request.query.end() ||
                      record.path.find(wanted->second) != std::string::npos ||
                      record.title.find(wanted->second) != std::string::npos;
    if (!fits) continue;
    if (total >= offset && list.size() < limit) {
      json item = ToJson(record, collections.at(record.collection).name);
      item["path"] = utf8::Escape(record.path);
      list.push_back(std::move(item));
    }
    ++total;
  }
  return JsonResponse({{"total", total}, {"documents", std::move(list)}});
}

Result<Response> GetDocument(Service& service, const Request& request) {
  VADE_TRY(const auto store, service.library.Open());
  VADE_TRY(const DocumentRecord record, FindDocument(*store, request));
  VADE_TRY(auto listed, store->ListCollections());
  json out = ToJson(record, ById(std::move(listed)).at(record.collection).name);
  out["path"] = utf8::Escape(record.path);
  out["page_count"] = record.page_count;
  out["pages"] = json::array();
  out["notes"] = json::array();
  if (record.status == vectorstore::DocumentStatus::kIndexed) {
    VADE_TRY(const auto pages, store->GetPages(record.id));
    for (const auto& page : pages) {
      out["pages"].push_back({{"number", page.number},
                              {"label", page.label},
                              {"begin", page.begin},
                              {"end", page.end},
                              {"has_text", page.has_text}});
    }
  }
  VADE_TRY(const auto notes, store->GetNotes(record.id));
  for (const auto& note : notes) out["notes"].push_back({{"page", note.page}, {"text", note.text}});
  return JsonResponse(out);
}

json TextPart(const DocumentRecord& record, const std::string& text, uint64_t begin, uint64_t end) {
  return {{"document", record.id},
          {"path", utf8::Escape(record.path)},
          {"title", record.title},
          {"begin", begin},
          {"end", end},
          {"text", text.substr(begin, end - begin)}};
}

Result<Response> GetText(Service& service, const Request& request) {
  VADE_TRY(const auto store, service.library.Open());
  VADE_TRY(const DocumentRecord record, FindDocument(*store, request));
  VADE_TRY(const std::string text, store->GetText(record.id));
  return JsonResponse(TextPart(record, text, 0, text.size()));
}

Result<Response> GetPage(Service& service, const Request& request) {
  VADE_TRY(const auto store, service.library.Open());
  VADE_TRY(const DocumentRecord record, FindDocument(*store, request));
  VADE_TRY(const std::string text, store->GetText(record.id));
  VADE_TRY(auto pages, store->GetPages(record.id));
  if (pages.empty()) pages.push_back({.number = 1, .begin = 0, .end = text.size()});
  for (const auto& page : pages) {
    if (std::to_string(page.number) != request.params.at("n")) continue;
    json out = TextPart(record, text, std::min<uint64_t>(page.begin, text.size()),
                        std::min<uint64_t>(page.end, text.size()));
    out["number"] = page.number;
    out["label"] = page.label;
    return JsonResponse(out);
  }
  return Fail(ErrorCode::kNotFound, "no such page");
}

/// The bytes that were indexed, or none: a page of another version would prove nothing.
Result<Response> GetFile(Service& service, const Request& request) {
  VADE_TRY(const auto store, service.library.Open());
  VADE_TRY(const DocumentRecord record, FindDocument(*store, request));
  VADE_TRY(auto listed, store->ListCollections());
  const auto gone = [] { return Fail(ErrorCode::kNotFound, "the file is not what was indexed"); };
  if (record.type != "pdf") return Fail(ErrorCode::kNotFound, "only PDF files are served");
  const std::string root = ById(std::move(listed)).at(record.collection).root;
  std::filesystem::path path = std::filesystem::path(root) / record.path;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(root, ignored)) path = root;  // a collection of one file
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(path, ignored))) {
    return gone();
  }
  auto bytes = ReadFile(path, kMaxFileBytes);
  if (!bytes || Hash64(*bytes) != record.content_hash) return gone();
  return Response{200, "application/pdf", *std::move(bytes), {{"Content-Disposition", "inline"}}};
}

Result<Response> DeleteDocument(Service& service, const Request& request) {
  VADE_TRY(const auto store, service.library.Open());
  VADE_TRY(const DocumentRecord record, FindDocument(*store, request));
  const auto remove = [&](Store& writer) {
    return writer.DeleteDocument(record.id).and_then([&] { return writer.Optimize(); });
  };
  VADE_CHECK_OK(service.library.Write(remove));
  return JsonResponse({{"removed", true}});
}

}  // namespace

void AddLibraryRoutes(Router& router, Service& service) {
  const auto add = [&](const char* method, const char* pattern, Work work) {
    router.Add(method, pattern, Replying(service, work));
  };
  add("POST", "/api/v1/search", Search);
  add("GET", "/api/v1/collections", ListCollections);
  add("GET", "/api/v1/documents", ListDocuments);
  add("GET", "/api/v1/documents/{id}", GetDocument);
  add("DELETE", "/api/v1/documents/{id}", DeleteDocument);
  add("GET", "/api/v1/documents/{id}/pages/{n}", GetPage);
  add("GET", "/api/v1/documents/{id}/text", GetText);
  add("GET", "/api/v1/documents/{id}/file", GetFile);
}

}  // namespace vade::qa::server
