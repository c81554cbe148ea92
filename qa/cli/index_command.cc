// vade index: brings the library in step with folders, and reports per file what was skipped.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/utf8.h"
#include "qa/cli/context.h"
#include "qa/cli/progress.h"
#include "qa/indexer/indexer.h"
#include "qa/indexer/json_format.h"

namespace vade::qa {
namespace {

struct IndexFlags {
  std::vector<std::string> roots;
  IndexOptions options;
  bool rebuild = false;
};

void Add(const IndexReport& from, IndexReport& to) {
  to.added += from.added;
  to.changed += from.changed;
  to.renamed += from.renamed;
  to.removed += from.removed;
  to.unchanged += from.unchanged;
  to.skipped += from.skipped;
  to.pages += from.pages;
  to.chunks += from.chunks;
  to.tokens += from.tokens;
  to.seconds += from.seconds;
  to.embed_seconds += from.embed_seconds;
  to.store_seconds += from.store_seconds;
  to.files.insert(to.files.end(), from.files.begin(), from.files.end());
}

std::string Plural(uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void PrintReport(const IndexReport& report) {
  for (const FileReport& file : report.files) {
    const std::string path = utf8::Escape(file.path);
    if (!file.reason.empty()) {
      std::cout << "  skipped  " << path << ": " << utf8::Escape(file.reason) << '\n';
    }
    for (const ingest::Note& note : file.notes) {
      std::cout << "  note     " << path;
      if (note.page != 0) std::cout << ", page " << note.page;
      std::cout << ": " << utf8::Escape(note.text) << '\n';
    }
  }
  std::cout << "Indexed: " << report.added << " new, " << report.changed << " updated, "
            << report.renamed << " renamed, " << report.unchanged << " unchanged, "
            << report.removed << " removed, " << report.skipped << " skipped\n";
  if (report.chunks == 0) return;
  std::cout << Plural(report.pages, "page") << ", " << Plural(report.chunks, "chunk") << ", "
            << Plural(report.tokens, "token") << " in " << FormatDuration(report.seconds);
  if (report.seconds > 0) {
    std::cout << " (" << static_cast<uint64_t>(static_cast<double>(report.tokens) / report.seconds)
              << " tokens/s)";
  }
  std::cout << '\n';
}

int FailIndex(const Error& error, const vectorstore::Store& store) {
  if (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kUnsupported) {
    return FailInput(error);
  }
  if (error.code == ErrorCode::kCancelled) {
    const auto counts = store.GetCounts();
    const std::string kept = counts ? std::to_string(counts->documents) : "all finished";
    return FailInput({error.code, "interrupted; " + kept + " documents kept, run again to go on"});
  }
  if (error.code == ErrorCode::kUnavailable) {  // the embedder's server: the store is open
    const auto counts = store.GetCounts();
    Error gone = error;
    if (counts) {
      gone.message +=
          "; " + std::to_string(counts->documents) + " documents kept, run again to go on";
    }
    return FailInput(gone);
  }
  if (error.code == ErrorCode::kIo) {
    const auto counts = store.GetCounts();
    Error full = error;
    if (counts) full.message += ", " + std::to_string(counts->documents) + " documents kept";
    return FailStore(full);
  }
  return FailStore(error);
}

Result<void> RemoveEverything(vectorstore::Store& store) {
  VADE_TRY(const auto documents, store.ListDocuments());
  for (const auto& document : documents) VADE_CHECK_OK(store.DeleteDocument(document.id));
  return {};
}

// The folders to bring up to date: those named, else (and for --rebuild) all known ones.
Result<std::vector<std::string>> RootsToIndex(const IndexFlags& flags,
                                              const vectorstore::Store& store) {
  std::vector<std::string> roots = flags.roots;
  if (!roots.empty() && !flags.rebuild) return roots;
  VADE_TRY(const auto collections, store.ListCollections());
  for (const auto& collection : collections) roots.push_back(collection.root);
  if (roots.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "the library is empty: name a folder, 'vade index FOLDER'");
  }
  return roots;
}

Result<IndexReport> IndexRoots(const std::vector<std::string>& roots, const IndexFlags& flags,
                               vectorstore::Store& store, embed::Embedder& embedder,
                               Context& context) {
  IndexReport total;
  for (const std::string& root : roots) {
    Progress progress("Indexing", context.global.quiet);
    const auto on_progress = [&](const IndexProgress& now) {
      progress.Update(now.bytes_done, now.bytes_total,
                      std::to_string(now.files_done) + "/" + std::to_string(now.files_total) +
                          " files, " + std::to_string(now.chunks) + " chunks  " + now.current);
    };
    VADE_TRY(const auto report,
             IndexFolder(root, flags.options, store, embedder, context.cancel, on_progress));
    Add(report, total);
  }
  return total;
}

int RunIndex(Context& context, IndexFlags& flags) {
  int code = kOk;
  const auto store = OpenStore(context, {}, &code);
  if (store == nullptr) return code;
  const auto embedder = OpenEmbedder(context, flags.rebuild ? nullptr : store.get(), &code);
  if (embedder == nullptr) return code;
  const auto roots = RootsToIndex(flags, *store);
  if (!roots) return FailUsage(roots.error().message);
  if (flags.rebuild) {
    if (const auto removed = RemoveEverything(*store); !removed) return FailStore(removed.error());
  }
  flags.options.num_threads = context.global.threads;
  const auto report = IndexRoots(*roots, flags, *store, *embedder, context);
  if (!report) return FailIndex(report.error(), *store);
  if (context.global.json) {
    std::cout << ToJson(*report).dump(2) << '\n';
  } else if (!context.global.quiet) {
    PrintReport(*report);
  }
  return report->skipped > 0 ? kSomeSkipped : kOk;
}

}  // namespace

void RegisterIndex(CLI::App& app, Context& context) {
  auto flags = std::make_shared<IndexFlags>();
  CLI::App* command = app.add_subcommand(
      "index", "Bring the library in step with folders (without one: all it knows)");
  command->add_option("folder", flags->roots, "Folders or files to index");
  command->add_option("-c,--collection", flags->options.collection,
                      "Name of a new collection (default: the folder's name)");
  command
      ->add_option("--ignore", flags->options.walk.ignore_globs,
                   "Do not index paths matching GLOB (repeatable)")
      ->type_name("GLOB");
  command->add_flag("--hidden", flags->options.walk.include_hidden, "Index hidden files as well");
  command->add_flag("--force", flags->options.force, "Index unchanged files again");
  command->add_flag("--rebuild", flags->rebuild,
                    "Empty the library first; needed after a change of the embedding model");
  command->callback(
      [&context, flags] { context.run = [&context, flags] { return RunIndex(context, *flags); }; });
}

}  // namespace vade::qa
