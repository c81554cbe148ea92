#include "qa/cli/doctor_checks.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "engine/base/cpu_features.h"
#include "engine/base/mapped_file.h"
#include "engine/base/memory_info.h"
#include "engine/base/sha256.h"
#include "engine/base/utf8.h"
#include "engine/decoder_engine.h"
#include "engine/kernels/isa.h"
#include "engine/remote/api_client.h"
#include "engine/remote/http_client.h"
#include "engine/remote/model_address.h"
#include "engine/remote_model.h"
#include "ingest/extractor_process.h"
#include "qa/cli/config.h"
#include "qa/cli/model_files.h"
#include "qa/cli/rerank_flags.h"
#include "retriever/local_reranker.h"
#include "retriever/remote_reranker.h"
#include "vectorstore/library_versions.h"

namespace vade::qa {
namespace {

namespace fs = std::filesystem;

// data/models/all-MiniLM-L6-v2.Q8_0.gguf, as its README says.
constexpr std::string_view kDefaultModelSha256 =
    "951c2c7d6df34477e4e1d69294436641bc7f41be7fcde586a2596994c9fc2d08";
constexpr uint64_t kLittleMemory = uint64_t{1} << 30;
constexpr uint64_t kLargeWal = uint64_t{256} << 20;
// A server that is there answers such questions at once.
constexpr remote::HttpTimeouts kQuick{.connect = std::chrono::milliseconds(2000),
                                      .idle = std::chrono::milliseconds(5000),
                                      .total = std::chrono::milliseconds(10'000)};

std::string Shown(const fs::path& path) { return utf8::Escape(path.native()); }

/// Findings of one group.
class Findings {
 public:
  explicit Findings(std::string group) : group_(std::move(group)) {}
  void Ok(std::string what, std::string found) {
    list_.push_back({Health::kOk, group_, std::move(what), std::move(found), "", kOk});
  }
  void Warn(std::string what, std::string found, std::string advice) {
    list_.push_back(
        {Health::kWarn, group_, std::move(what), std::move(found), std::move(advice), kOk});
  }
  void Fail(int exit_code, std::string what, std::string found, std::string advice) {
    list_.push_back(
        {Health::kFail, group_, std::move(what), std::move(found), std::move(advice), exit_code});
  }
  [[nodiscard]] std::vector<Finding> Take() { return std::move(list_); }

 private:
  std::string group_;
  std::vector<Finding> list_;
};

int ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return kUsage;
    case ErrorCode::kIo:
      return kDiskError;
    case ErrorCode::kUnavailable:
      return kNetworkError;
    default:
      return kInputRejected;
  }
}

Result<std::string> Sha256Of(const fs::path& path) {
  VADE_TRY(const MappedFile file, MappedFile::Open(path));
  Sha256 hash;
  hash.Add(file.bytes());
  return hash.Finish();
}

void CheckExtractor(const char* name, const char* reads, Findings& findings) {
  const auto path = ingest::FindHelper(name);
  if (path) return findings.Ok(name, *path + " (" + reads + ")");
  findings.Fail(kInternalError, name, utf8::Escape(path.error().message),
                "install the program whole: both extractors stand beside vade");
}

std::string Kernels(const CpuFeatures& cpu) {
  std::string has;
  for (const auto& [is, name] : {std::pair{cpu.avx2, "AVX2"},
                                 {cpu.avx512, "AVX-512"},
                                 {cpu.avx512_vnni, "VNNI"},
                                 {cpu.avx512_bf16, "BF16"}}) {
    if (is) has += (has.empty() ? "" : ", ") + std::string(name);
  }
  return std::string(kernels::IsaName(kernels::ActiveIsa())) + " (the CPU has " +
         (has.empty() ? "none of AVX2 and AVX-512" : has) + ")";
}

void CheckStore(const Context& context, const embed::Embedder* embedder, Findings& findings) {
  const fs::path& path = context.global.store;
  const auto store = vectorstore::Store::Open(path, {.read_only = true, .create = false});
  if (!store && store.error().code == ErrorCode::kNotFound) {
    return findings.Warn("library", "none at " + Shown(path) + " yet",
                         "run 'vade index FOLDER', or name one with --store");
  }
  if (!store) {
    return findings.Fail(kStoreError, "library", store.error().message,
                         "close other programs that use it; if it is damaged, restore a backup or "
                         "index again into another --store");
  }
  const auto counts = (*store)->GetCounts();
  if (!counts) {
    return findings.Fail(kStoreError, "library", counts.error().message,
                         "run 'vade verify'; restore a backup if it finds damage");
  }
  findings.Ok("library", Shown(path) + ": " + std::to_string(counts->documents) + " documents, " +
                             std::to_string(counts->chunks) + " chunks, " +
                             FormatBytes(counts->file_bytes));
  const auto built = (*store)->GetFingerprints();
  if (built && built->has_value() && embedder != nullptr) {
    if ((*built)->embedder == embedder->fingerprint()) {
      findings.Ok("built with", "the embedding model above");
    } else {
      findings.Fail(kStoreError, "built with",
                    utf8::Escape((*built)->embedder) + ", not the embedding model above",
                    "name that model with --embedder, or index again into another --store");
    }
  }
  std::error_code none;
  const uint64_t wal = fs::file_size(path.native() + "-wal", none);
  if (!none && wal > kLargeWal) {
    findings.Warn("write-ahead log", FormatBytes(wal),
                  "a program that reads has kept it from being folded in: end it, then run 'vade "
                  "index' once");
  } else if (!none) {
    findings.Ok("write-ahead log", FormatBytes(wal));
  }
}

void CheckLocalModel(const Context& context, const std::string& name, Findings& findings) {
  const fs::path path = FindModel(context, name);
  const auto need = engine::DecoderEngine::Measure(path, {.num_threads = context.global.threads});
  if (!need) {
    return findings.Fail(ExitCodeOf(need.error()), utf8::Escape(name), need.error().message,
                         "'vade model list' names the models here, 'vade model pull' fetches one");
  }
  findings.Ok(utf8::Escape(name), Shown(path));
}

void CheckRemoteModel(const Context& context, const std::string& address, Findings& findings) {
  const auto model = engine::OpenRemoteModel(address, {}, &context.cancel);
  if (!model) {
    return findings.Fail(ExitCodeOf(model.error()), utf8::Escape(address), model.error().message,
                         "start that server, or name another model");
  }
  findings.Ok(utf8::Escape(address),
              "there, context " + std::to_string((*model)->context_length()) + " tokens");
}

/// The server that a variable of the environment names.
void CheckServer(const char* variable, const std::string& address, const char* path,
                 Findings& findings) {
  const char* set = std::getenv(variable);
  if (set == nullptr || *set == '\0') return;
  const remote::Environment environment = remote::SystemEnvironment();
  const auto parsed = remote::ParseModelAddress(address, environment);
  if (!parsed) return findings.Fail(kUsage, variable, parsed.error().message, "correct it");
  auto server = remote::ServerOf(*parsed, environment);
  if (!server) {
    return findings.Fail(ExitCodeOf(server.error()), variable, server.error().message,
                         "correct it");
  }
  server->limits.connect = kQuick.connect;
  server->limits.idle = kQuick.idle;
  server->limits.total = kQuick.total;
  server->limits.attempts = 1;
  const auto answer = remote::ApiClient(*server).Get(path);
  if (answer) return findings.Ok(variable, remote::ShownUrl(parsed->base_url) + " answers");
  findings.Warn(variable, answer.error().message, "start that server, or unset the variable");
}

}  // namespace

std::string_view HealthName(Health health) {
  return health == Health::kOk ? "ok" : health == Health::kWarn ? "warn" : "fail";
}

std::vector<Finding> CheckProgram(const Context& context) {
  Findings findings("program");
  findings.Ok("version", "vade " VADE_VERSION);
  findings.Ok("libraries", "SQLite " + vectorstore::SqliteVersion() + ", ICU " +
                               vectorstore::IcuVersion() + ", " + remote::HttpLibraryVersion());
  findings.Ok("kernels", Kernels(HostCpuFeatures()));
  const size_t threads = context.global.threads;
  const size_t cores = UsableCores();
  const std::string found =
      std::to_string(threads == 0 ? cores : threads) + " of " + std::to_string(cores) + " cores";
  if (threads > cores) {
    findings.Warn("threads", found, "more threads than cores are slower: leave --threads out");
  } else {
    findings.Ok("threads", found);
  }
  const uint64_t memory = AvailableMemoryBytes();
  if (memory < kLittleMemory) {
    findings.Warn("memory", FormatBytes(memory) + " available",
                  "language models need more: end other programs, or use a model behind a server");
  } else {
    findings.Ok("memory", FormatBytes(memory) + " available");
  }
  CheckExtractor("vade-extract", "text, Markdown, HTML, DOCX", findings);
  CheckExtractor("vade-extract-pdf", "PDF", findings);
  return findings.Take();
}

std::vector<Finding> CheckSettings(const Context& context) {
  Findings findings("settings");
  std::error_code none;
  const fs::path config = ConfigPath();
  findings.Ok("config file", fs::exists(config, none) ? Shown(config) : "none, defaults hold");
  const fs::path& models = context.global.models;
  findings.Ok("models folder", fs::is_directory(models, none)
                                   ? Shown(models)
                                   : Shown(models) + ", empty ('vade model pull' fills it)");
  const fs::path keys = remote::ApiKeysPath(remote::SystemEnvironment());
  struct stat status {};
  if (keys.empty() || stat(keys.c_str(), &status) != 0) {
    findings.Ok("keys of servers", "no file of them");
  } else if ((status.st_mode & 077) != 0) {
    findings.Fail(kUsage, "keys of servers", Shown(keys) + ": others may read it",
                  "run: chmod 600 " + Shown(keys));
  } else {
    findings.Ok("keys of servers", Shown(keys));
  }
  return findings.Take();
}

std::vector<Finding> CheckLibrary(const Context& context) {
  Findings findings("library");
  const std::string& named = context.global.model.native();
  embed::EmbedderOptions options{.num_threads = context.global.threads};
  if (!named.empty()) {
    options.model = remote::IsModelAddress(named) ? fs::path(named) : FindModel(context, named);
  }
  const auto embedder = embed::Embedder::Open(options);
  if (!embedder) {
    findings.Fail(ExitCodeOf(embedder.error()), "embedding model", embedder.error().message,
                  "name another with --embedder, or leave it out for the default model");
  } else {
    findings.Ok("embedding model", utf8::Escape((*embedder)->fingerprint()));
  }
  if (named.empty()) {
    const auto path = embed::FindDefaultModel();
    const auto sha256 = path ? Sha256Of(*path) : tl::unexpected(path.error());
    if (sha256 && *sha256 != kDefaultModelSha256 && std::getenv("VADE_MODEL") == nullptr) {
      findings.Warn("its file", Shown(*path) + ": sha256 " + *sha256 + " is not the one shipped",
                    "install the program again if you did not put it there");
    } else if (sha256) {
      findings.Ok("its file", Shown(*path) + ", sha256 " + sha256->substr(0, 16) + "...");
    }
  }
  CheckStore(context, embedder ? embedder->get() : nullptr, findings);
  return findings.Take();
}

std::vector<Finding> CheckModels(const Context& context, const DoctorScope& scope) {
  Findings findings("models");
  for (const std::string& name : scope.models) {
    if (remote::IsModelAddress(name)) {
      CheckRemoteModel(context, name, findings);
    } else {
      CheckLocalModel(context, name, findings);
    }
  }
  for (const std::string& name : scope.rerankers) {
    Result<std::unique_ptr<retriever::Reranker>> reranker =
        Fail(ErrorCode::kInternal, "not opened");
    if (remote::IsModelAddress(name)) {
      reranker = retriever::RemoteReranker::Open(name);
    } else {
      reranker = retriever::LocalReranker::Load(FindModel(context, name), context.global.threads);
    }
    const std::vector<std::string_view> passages = {"a pump"};
    const auto scores = reranker ? (*reranker)->Score("pump", passages, &context.cancel)
                                 : tl::unexpected(reranker.error());
    if (scores) {
      findings.Ok(utf8::Escape(name), "reranks");
    } else {
      findings.Fail(ExitCodeOf(scores.error()), utf8::Escape(name), scores.error().message,
                    "name a reranker that is there");
    }
  }
  CheckServer("OLLAMA_HOST", "ollama://x", "/api/version", findings);
  CheckServer("OPENAI_BASE_URL", "openai://x", "/models", findings);
  return findings.Take();
}

std::vector<Finding> CheckPort(const Context& context, const DoctorScope& scope) {
  Findings findings("server");
  const std::string url = "http://127.0.0.1:" + std::to_string(scope.port) + "/healthz";
  remote::HttpClient client;
  const auto answer =
      client.Send({.url = url, .max_redirects = 0, .timeouts = kQuick, .cancel = &context.cancel});
  const std::string port = "port " + std::to_string(scope.port);
  if (!answer && client.never_connected()) {
    findings.Ok(port, "free for 'vade serve'");
  } else if (answer && answer->head.Header("content-type").starts_with("application/json")) {
    findings.Ok(port, "'vade serve' is running");
  } else {
    findings.Warn(port, "taken by another program", "give 'vade serve' another one with --port");
  }
  return findings.Take();
}

}  // namespace vade::qa
