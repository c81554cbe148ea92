#include "qa/indexer/json_format.h"

#include <utility>

#include "engine/base/utf8.h"

namespace vade::qa {

using nlohmann::json;
using vectorstore::DocumentRecord;
using vectorstore::DocumentStatus;

json ToJson(const IndexReport& report) {
  json files = json::array();
  for (const FileReport& file : report.files) {
    json notes = json::array();
    for (const ingest::Note& note : file.notes) {
      notes.push_back({{"page", note.page}, {"text", note.text}});
    }
    files.push_back({{"path", utf8::Escape(file.path)},
                     {"skipped", !file.reason.empty()},
                     {"reason", utf8::Escape(file.reason)},
                     {"notes", std::move(notes)}});
  }
  return {{"added", report.added},
          {"changed", report.changed},
          {"renamed", report.renamed},
          {"removed", report.removed},
          {"unchanged", report.unchanged},
          {"skipped", report.skipped},
          {"pages", report.pages},
          {"chunks", report.chunks},
          {"tokens", report.tokens},
          {"seconds", report.seconds},
          {"embed_seconds", report.embed_seconds},
          {"store_seconds", report.store_seconds},
          {"files", std::move(files)}};
}

json ToJson(const DocumentRecord& record, const std::string& collection) {
  return {{"id", record.id},
          {"collection", collection},
          {"path", record.path},
          {"title", record.title},
          {"type", record.type},
          {"language", record.language},
          {"status", record.status == DocumentStatus::kIndexed ? "indexed" : "skipped"},
          {"reason", record.reason},
          {"bytes", record.size},
          {"text_bytes", record.text_bytes},
          {"pages", record.page_count},
          {"chunks", record.chunk_count},
          {"indexed_at", record.indexed_at}};
}

}  // namespace vade::qa
