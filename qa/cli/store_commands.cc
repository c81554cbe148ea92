// vade status, ls, rm, get, verify and backup: looking into the store and caring for it.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/cli/context.h"
#include "vectorstore/document_address.h"
#include "qa/cli/table.h"
#include "qa/indexer/json_format.h"
#include "vectorstore/store.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using vectorstore::DocumentRecord;
using vectorstore::DocumentStatus;

void PrintJson(const json& value) {
  std::cout << value.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
}

std::string HumanBytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string LocalTime(int64_t seconds) {
  if (seconds == 0) return "never";
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

std::unique_ptr<vectorstore::Store> OpenToRead(const Context& context, int* code) {
  return OpenStore(context, {.read_only = true, .create = false}, code);
}

// --- status -------------------------------------------------------------------------------------

struct StatusReport {
  vectorstore::Counts counts;
  vectorstore::Fingerprints fingerprints;
  std::vector<vectorstore::Collection> collections;
  std::map<vectorstore::CollectionId, std::pair<uint64_t, uint64_t>> sizes;  // documents, chunks
  int64_t last_indexed = 0;
};

Result<StatusReport> ReadStatus(const vectorstore::Store& store) {
  StatusReport report;
  VADE_TRY(report.counts, store.GetCounts());
  VADE_TRY(const auto fingerprints, store.GetFingerprints());
  if (fingerprints) report.fingerprints = *fingerprints;
  VADE_TRY(report.collections, store.ListCollections());
  VADE_TRY(const auto documents, store.ListDocuments());
  for (const DocumentRecord& record : documents) {
    auto& [count, chunks] = report.sizes[record.collection];
    ++count;
    chunks += record.chunk_count;
    report.last_indexed = std::max(report.last_indexed, record.indexed_at);
  }
  return report;
}

void PrintStatus(const Context& context, const StatusReport& report) {
  const auto& counts = report.counts;
  const auto line = [](const char* name, const std::string& value) {
    std::cout << std::left << std::setw(14) << name << value << '\n';
  };
  line("store", utf8::Escape(context.global.store.native()));
  line("size", HumanBytes(counts.file_bytes));
  line("documents",
       std::to_string(counts.documents) +
           (counts.skipped > 0 ? " and " + std::to_string(counts.skipped) + " skipped" : ""));
  line("pages", std::to_string(counts.pages));
  line("chunks", std::to_string(counts.chunks));
  line("vectors", std::to_string(counts.vectors) + " of dimension " +
                      std::to_string(report.fingerprints.dimension));
  line("text", HumanBytes(counts.text_bytes));
  line("embedder", utf8::Escape(report.fingerprints.embedder));
  line("chunker", utf8::Escape(report.fingerprints.chunker));
  line("last indexed", LocalTime(report.last_indexed));
  if (report.collections.empty()) return;
  std::cout << '\n';
  Table table({"COLLECTION", "DOCUMENTS", "CHUNKS", "FOLDER"}, {1, 2});
  for (const auto& collection : report.collections) {
    const auto size = report.sizes.find(collection.id);
    const auto [documents, chunks] =
        size == report.sizes.end() ? std::pair<uint64_t, uint64_t>() : size->second;
    table.Add({utf8::Escape(collection.name), std::to_string(documents), std::to_string(chunks),
               utf8::Escape(collection.root)});
  }
  table.Print(std::cout);
}

int RunStatus(const Context& context) {
  int code = kOk;
  const auto store = OpenToRead(context, &code);
  if (!store) return code;
  const auto report = ReadStatus(*store);
  if (!report) return FailStore(report.error());
  if (!context.global.json) {
    PrintStatus(context, *report);
    return kOk;
  }
  json collections = json::array();
  for (const auto& collection : report->collections) {
    const auto size = report->sizes.find(collection.id);
    collections.push_back({{"name", collection.name},
                           {"root", collection.root},
                           {"documents", size == report->sizes.end() ? 0 : size->second.first},
                           {"chunks", size == report->sizes.end() ? 0 : size->second.second}});
  }
  const auto& counts = report->counts;
  PrintJson({{"store", context.global.store.native()},
             {"file_bytes", counts.file_bytes},
             {"documents", counts.documents},
             {"skipped", counts.skipped},
             {"pages", counts.pages},
             {"chunks", counts.chunks},
             {"vectors", counts.vectors},
             {"text_bytes", counts.text_bytes},
             {"dimension", report->fingerprints.dimension},
             {"embedder", report->fingerprints.embedder},
             {"chunker", report->fingerprints.chunker},
             {"last_indexed", report->last_indexed},
             {"collections", collections}});
  return kOk;
}

// --- ls -----------------------------------------------------------------------------------------

Result<std::map<vectorstore::CollectionId, std::string>> CollectionNames(
    const vectorstore::Store& store) {
  VADE_TRY(const auto collections, store.ListCollections());
  std::map<vectorstore::CollectionId, std::string> names;
  for (const auto& collection : collections) names[collection.id] = collection.name;
  return names;
}

// Documents that any of the patterns names, each once; all when there are no patterns.
Result<std::vector<DocumentRecord>> Select(const vectorstore::Store& store,
                                           const std::vector<std::string>& patterns,
                                           std::vector<std::string>& unmatched) {
  if (patterns.empty()) return store.ListDocuments();
  std::vector<DocumentRecord> selected;
  std::set<vectorstore::DocumentId> seen;
  for (const std::string& pattern : patterns) {
    VADE_TRY(auto documents, MatchDocuments(store, pattern));
    if (documents.empty()) unmatched.push_back(pattern);
    for (auto& record : documents) {
      if (seen.insert(record.id).second) selected.push_back(std::move(record));
    }
  }
  return selected;
}

int ReportUnmatched(const std::vector<std::string>& unmatched) {
  for (const std::string& pattern : unmatched) {
    std::fprintf(stderr, "vade: no document matches '%s'\n", utf8::Escape(pattern).c_str());
  }
  return unmatched.empty() ? kOk : kInputRejected;
}

void PrintDocuments(const std::vector<DocumentRecord>& documents,
                    const std::map<vectorstore::CollectionId, std::string>& names) {
  if (documents.empty()) return;
  Table table({"PAGES", "CHUNKS", "SIZE", "TYPE", "COLLECTION", "PATH"}, {0, 1, 2});
  for (const DocumentRecord& record : documents) {
    const bool skipped = record.status == DocumentStatus::kSkipped;
    table.Add({std::to_string(record.page_count),
               skipped ? "-" : std::to_string(record.chunk_count), HumanBytes(record.size),
               utf8::Escape(record.type), utf8::Escape(names.at(record.collection)),
               utf8::Escape(record.path) +
                   (skipped ? "  (skipped: " + utf8::Escape(record.reason) + ")" : "")});
  }
  table.Print(std::cout);
}

int RunLs(const Context& context, const std::vector<std::string>& patterns) {
  int code = kOk;
  const auto store = OpenToRead(context, &code);
  if (!store) return code;
  std::vector<std::string> unmatched;
  const auto documents = Select(*store, patterns, unmatched);
  if (!documents) return FailStore(documents.error());
  const auto names = CollectionNames(*store);
  if (!names) return FailStore(names.error());
  if (context.global.json) {
    json list = json::array();
    for (const auto& record : *documents)
      list.push_back(ToJson(record, names->at(record.collection)));
    PrintJson(list);
  } else {
    PrintDocuments(*documents, *names);
  }
  return ReportUnmatched(unmatched);
}

// --- rm -----------------------------------------------------------------------------------------

int RunRm(const Context& context, const std::vector<std::string>& patterns, bool dry_run) {
  int code = kOk;
  const auto store = OpenStore(context, {.read_only = dry_run, .create = false}, &code);
  if (!store) return code;
  std::vector<std::string> unmatched;
  const auto documents = Select(*store, patterns, unmatched);
  if (!documents) return FailStore(documents.error());
  const auto names = CollectionNames(*store);
  if (!names) return FailStore(names.error());
  json removed = json::array();
  for (const DocumentRecord& record : *documents) {
    if (!dry_run) {
      const auto deleted = store->DeleteDocument(record.id);
      if (!deleted) return FailStore(deleted.error());
    }
    removed.push_back(ToJson(record, names->at(record.collection)));
    if (context.global.json || context.global.quiet) continue;
    std::cout << (dry_run ? "would remove " : "removed ") << utf8::Escape(record.path) << '\n';
  }
  if (context.global.json) PrintJson({{"removed", removed}, {"dry_run", dry_run}});
  if (!dry_run && !documents->empty()) {
    const auto optimized = store->Optimize();  // deleted postings leave the file with this
    if (!optimized) return FailStore(optimized.error());
  }
  return ReportUnmatched(unmatched);
}

// --- get ----------------------------------------------------------------------------------------

// On a terminal a document must not send control sequences; elsewhere its bytes are its own.
void PrintText(const std::string& text) {
  if (isatty(STDOUT_FILENO) == 0) {
    std::cout << text;
    if (!text.ends_with('\n')) std::cout << '\n';
    return;
  }
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of("\n\t", at), text.size());
    std::cout << utf8::Escape(std::string_view(text).substr(at, end - at));
    if (end < text.size()) std::cout << text[end];
    at = end + 1;
  }
  if (!text.ends_with('\n')) std::cout << '\n';
}

int RunGet(const Context& context, const std::string& address) {
  int code = kOk;
  const auto store = OpenToRead(context, &code);
  if (!store) return code;
  const auto excerpt = ResolveExcerpt(*store, address);
  if (!excerpt) {
    const ErrorCode error = excerpt.error().code;
    const bool wrong_name = error == ErrorCode::kNotFound || error == ErrorCode::kInvalidArgument;
    if (!wrong_name) return FailStore(excerpt.error());
    return FailInput({ErrorCode::kNotFound, excerpt.error().message});
  }
  if (context.global.json) {
    PrintJson({{"path", excerpt->document.path},
               {"title", excerpt->document.title},
               {"part", excerpt->part},
               {"begin", excerpt->begin},
               {"end", excerpt->end},
               {"text", excerpt->text}});
  } else {
    PrintText(excerpt->text);
  }
  return kOk;
}

// --- verify, backup
// -------------------------------------------------------------------------------

int RunVerify(const Context& context) {
  int code = kOk;
  const auto store = OpenToRead(context, &code);
  if (!store) return code;
  const auto report = store->Verify();
  if (!report) return FailStore(report.error());
  const bool sound = report->problems.empty();
  if (context.global.json) {
    PrintJson({{"ok", sound},
               {"chunks", report->checked_chunks},
               {"vectors", report->checked_vectors},
               {"problems", report->problems}});
  } else {
    for (const std::string& problem : report->problems) std::cout << utf8::Escape(problem) << '\n';
    if (sound && !context.global.quiet) {
      std::cout << "ok: " << report->checked_chunks << " chunks and " << report->checked_vectors
                << " vectors checked, no problem found\n";
    }
  }
  if (sound) return kOk;
  return FailStore({ErrorCode::kCorruptData,
                    utf8::Escape(context.global.store.native()) +
                        ": damaged: " + std::to_string(report->problems.size()) +
                        " problems; restore a backup, or move it away and index again"});
}

int RunBackup(const Context& context, const std::string& destination) {
  int code = kOk;
  const auto store = OpenToRead(context, &code);
  if (!store) return code;
  const auto copied = store->Backup(destination);
  if (!copied) return FailStore(copied.error());
  std::error_code error;
  const auto bytes = std::filesystem::file_size(destination, error);
  if (context.global.json) {
    PrintJson({{"backup", destination}, {"bytes", error ? 0 : bytes}});
  } else if (!context.global.quiet) {
    std::cout << "copied to " << utf8::Escape(destination) << " (" << HumanBytes(error ? 0 : bytes)
              << ")\n";
  }
  return kOk;
}

}  // namespace

void RegisterStoreCommands(CLI::App& app, Context& context) {
  app.add_subcommand("status", "Show what the store holds")->callback([&context] {
    context.run = [&context] { return RunStatus(context); };
  });

  auto patterns = std::make_shared<std::vector<std::string>>();
  CLI::App* ls = app.add_subcommand("ls", "List the documents");
  ls->add_option("PATTERN", *patterns, "Paths, folders or globs; all documents without");
  ls->callback([&context, patterns] {
    context.run = [&context, patterns] { return RunLs(context, *patterns); };
  });

  auto removals = std::make_shared<std::vector<std::string>>();
  auto dry_run = std::make_shared<bool>(false);
  CLI::App* rm = app.add_subcommand("rm", "Remove documents from the store; files stay");
  rm->add_option("PATTERN", *removals, "Paths, folders or globs")->required();
  rm->add_flag("-n,--dry-run", *dry_run, "Only show what would be removed");
  rm->callback([&context, removals, dry_run] {
    context.run = [&context, removals, dry_run] { return RunRm(context, *removals, *dry_run); };
  });

  auto address = std::make_shared<std::string>();
  CLI::App* get = app.add_subcommand("get", "Print the text of a document, page or section");
  get->add_option("FILE", *address, "manual.pdf, manual.pdf:PAGE or manual.md#HEADING")
      ->required();
  get->callback([&context, address] {
    context.run = [&context, address] { return RunGet(context, *address); };
  });

  app.add_subcommand("verify", "Check every page, text, posting and vector")->callback([&context] {
    context.run = [&context] { return RunVerify(context); };
  });

  auto destination = std::make_shared<std::string>();
  CLI::App* backup = app.add_subcommand("backup", "Copy the store, also while it is in use");
  backup->add_option("FILE", *destination, "The copy; an older backup is replaced")->required();
  backup->callback([&context, destination] {
    context.run = [&context, destination] { return RunBackup(context, *destination); };
  });
}

}  // namespace vade::qa
