// What every command shares: global flags, where the store is, how to print and to fail.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/embedder.h"
#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "qa/server/guard.h"
#include "vectorstore/store.h"

namespace CLI {
class App;
}

namespace vade::qa {

/// The process exit codes of design.md section 1.
enum ExitCode : int {
  kOk = 0,
  kInternalError = 1,
  kUsage = 2,
  kInputRejected = 3,
  kSomeSkipped = 4,
  kStoreError = 5,
  kDiskError = 6,
  kNetworkError = 7,
  kNoEvidence = 8,
  kInterrupted = 130,
};

/// [serve] of the configuration file: who may use the server, and at what price.
struct ServeSettings {
  std::vector<server::ApiKey> keys;
  std::string currency = "USD";
};

/// [tools] of the configuration file: what chat's tools may reach beside this machine.
struct ToolSettings {
  std::string web_search_url;      // a SearXNG-compatible server; empty: no web search
  std::string weather_url;         // an Open-Meteo-compatible server; empty: no weather
  std::string geocoding_url;       // finds its places; empty: the weather server
  std::vector<std::string> allow;  // tools that may leave the machine without being asked about
};

struct GlobalOptions {
  std::filesystem::path store;  // --store, $VADE_STORE, config, else $XDG_DATA_HOME/vade/library.db
  std::filesystem::path model;  // --embedder: GGUF of the embedding model; empty: the default
  std::filesystem::path models;  // folder of language models that are named, not pathed
  std::string hugging_face_url;  // of hf:// names; empty: the public site
  std::string ollama_url;        // of ollama:// names; empty: the public registry
  ToolSettings tools;
  ServeSettings serve;
  size_t threads = 0;
  bool json = false;
  bool quiet = false;
  int verbose = 0;
};

/// A command sets `run` from its CLI11 callback; main calls it once, after parsing.
struct Context {
  GlobalOptions global;
  CancelToken cancel;  // set by SIGINT and SIGTERM
  std::function<int()> run;
};

// Each command lives in qa/cli/<name>_command.cc and registers its own flags.
void RegisterIndex(CLI::App& app, Context& context);
void RegisterSearch(CLI::App& app, Context& context);
void RegisterAsk(CLI::App& app, Context& context);
void RegisterChat(CLI::App& app, Context& context);
void RegisterEval(CLI::App& app, Context& context);
void RegisterStoreCommands(CLI::App& app, Context& context);  // status ls rm get verify backup
void RegisterDoctor(CLI::App& app, Context& context);
void RegisterGenerate(CLI::App& app, Context& context);
void RegisterExplain(CLI::App& app, Context& context);
void RegisterServe(CLI::App& app, Context& context);
void RegisterServerCommands(CLI::App& app, Context& context);  // ps stop usage
void RegisterMcp(CLI::App& app, Context& context);
void RegisterBench(CLI::App& app, Context& context);
void RegisterModel(CLI::App& app, Context& context);   // model list|show|pull|import|quantize
void RegisterRunner(CLI::App& app, Context& context);  // hidden: a model's own process
void RegisterDebug(CLI::App& app, Context& context);   // hidden: debug tokenize|detokenize|embed

/// Prints "vade: error: ..." to stderr and returns the exit code of an error that came from
/// reading a model or another input file.
int FailInput(const Error& error);
/// The same for errors of the store: 5, or 6 for disk and permission.
int FailStore(const Error& error);
/// kUsage with a one-line reason.
int FailUsage(const std::string& message);

/// Opens the store named by the flags. On failure prints and sets *exit_code.
std::unique_ptr<vectorstore::Store> OpenStore(const Context& context,
                                              const vectorstore::StoreOptions& options,
                                              int* exit_code);
/// Opens the embedder and, when the store has documents, checks its fingerprint (exit 5).
std::unique_ptr<embed::Embedder> OpenEmbedder(const Context& context,
                                              const vectorstore::Store* store, int* exit_code);

/// Flushes stdout and returns `code`, or kDiskError when stdout could not be written (/dev/full).
int Finish(int code);

}  // namespace vade::qa
