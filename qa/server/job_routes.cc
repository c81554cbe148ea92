// Indexing and evaluation as jobs. Folders are never named over HTTP: collections are those already
// indexed, evaluation sets those the server was started with.
#include <utility>

#include "engine/base/utf8.h"
#include "qa/eval/report.h"
#include "qa/eval/report_text.h"
#include "qa/eval/runner.h"
#include "qa/indexer/indexer.h"
#include "qa/indexer/json_format.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/json_fields.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr const char* kIndex = "index";
constexpr const char* kEval = "eval";

/// Seconds to go at the speed so far; null while nobody can know.
json Eta(Clock::time_point start, double done, double total) {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  if (done <= 0 || total <= 0 || elapsed < 1) return nullptr;
  return elapsed * (total - done) / done;
}

Result<vectorstore::Collection> FindCollection(Library& library, const std::string& name) {
  VADE_TRY(const auto store, library.Open());
  VADE_TRY(const auto collections, store->ListCollections());
  for (const auto& collection : collections) {
    if (collection.name == name) return collection;
  }
  return Fail(ErrorCode::kNotFound, "no such collection");
}

Result<json> RunIndex(Service& service, const vectorstore::Collection& collection, bool force,
                      const CancelToken& cancel, const Jobs::Report& report) {
  IndexOptions options;
  options.collection = collection.name;
  options.force = force;
  options.num_threads = service.options.num_threads;
  json last;
  const auto started = Clock::now();
  const auto show = [&](const IndexProgress& progress) {
    report({{"files_done", progress.files_done},
            {"files_total", progress.files_total},
            {"bytes_done", progress.bytes_done},
            {"bytes_total", progress.bytes_total},
            {"chunks", progress.chunks},
            {"current", utf8::Escape(progress.current)},
            {"eta_s", Eta(started, static_cast<double>(progress.bytes_done),
                          static_cast<double>(progress.bytes_total))}});
  };
  const auto work = [&](vectorstore::Store& store) -> Result<void> {
    VADE_TRY(const IndexReport done, IndexFolder(collection.root, options, store,
                                                 service.library.embedder(), cancel, show));
    last = {{"report", ToJson(done)}, {"eta_s", 0}};
    return store.Optimize();
  };
  VADE_CHECK_OK(service.library.Write(work));
  return last;
}

Result<Response> StartIndex(Service& service, const Request& request) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const std::string name = fields.RequiredString("collection", 4096);
  const bool force = fields.Bool("force", false);
  VADE_CHECK_OK(fields.Status());
  VADE_TRY(const auto collection, FindCollection(service.library, name));
  VADE_TRY(const json job,
           service.jobs.Start(kIndex,
                              {{"collection", collection.name},
                               {"files_done", 0},
                               {"files_total", 0},
                               {"bytes_done", 0},
                               {"bytes_total", 0},
                               {"chunks", 0},
                               {"current", ""},
                               {"eta_s", nullptr}},
                              [&service, collection, force](const CancelToken& cancel,
                                                            const Jobs::Report& report) {
                                return RunIndex(service, collection, force, cancel, report);
                              }));
  return JsonResponse(job, 202);
}

Result<json> RunEvaluation(Service& service, const std::filesystem::path& folder,
                           const std::vector<retriever::Mode>& modes, const CancelToken& cancel,
                           const Jobs::Report& report) {
  VADE_TRY(eval::Collection collection, eval::LoadCollection(folder, "test"));
  eval::RunnerOptions options;
  options.modes = modes;
  options.num_threads = service.options.num_threads;
  const auto show = [&](std::string_view what, size_t done, size_t total) {
    report({{"stage", what}, {"done", done}, {"total", total}});
  };
  embed::Embedder& embedder = service.library.embedder();
  VADE_TRY(const auto indexed,
           eval::IndexedCollection::Open(collection, embedder, options, cancel, show));
  VADE_TRY(eval::ReportInput input,
           eval::RunCollection(std::move(collection), indexed, embedder, options, cancel, show));
  input.measures = eval::DefaultMeasures();
  VADE_TRY(const eval::Report done, eval::MakeReport(std::move(input)));
  return json{{"report", json::parse(eval::FormatJson(done))}};
}

Result<Response> StartEvaluation(Service& service, const Request& request) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const std::string name = fields.RequiredString("set", 4096);
  std::vector<retriever::Mode> modes;
  for (const std::string& mode : fields.Strings("modes", 3, 64)) {
    if (const auto parsed = retriever::ParseMode(mode)) {
      modes.push_back(*parsed);
    } else {
      fields.Complain("modes", "expected lexical, dense or hybrid");
    }
  }
  if (modes.empty()) {
    modes = {retriever::Mode::kLexical, retriever::Mode::kDense, retriever::Mode::kHybrid};
  }
  VADE_CHECK_OK(fields.Status());
  const auto& sets = service.options.evaluations;
  const auto at = sets.find(name);
  if (at == sets.end()) return Fail(ErrorCode::kNotFound, "no such evaluation set");
  VADE_TRY(const json job,
           service.jobs.Start(kEval, {{"set", name}, {"stage", ""}, {"done", 0}, {"total", 0}},
                              [&service, folder = at->second, modes](const CancelToken& cancel,
                                                                     const Jobs::Report& report) {
                                return RunEvaluation(service, folder, modes, cancel, report);
                              }));
  return JsonResponse(job, 202);
}

/// With Accept: text/event-stream: the job again whenever it changed, until it is over.
void Watch(Service& service, const char* kind, const Request& request, Reply& reply) {
  const std::string& id = request.params.at("id");
  auto job = service.jobs.Get(kind, id);
  if (!job) return reply.Send(ErrorResponse(request.path, job.error()));
  if (!request.WantsEvents()) return reply.Send(JsonResponse(*job));
  EventStream events(reply);
  uint64_t version = 0;
  while (job && !Jobs::IsOver(*job)) {
    if (!events.Send("progress", *job) || reply.cancel().cancelled()) return;
    const uint64_t before = version;
    while (version == before && !reply.cancel().cancelled()) {
      version = service.jobs.WaitForChange(id, before);
    }
    job = service.jobs.Get(kind, id);
  }
  if (job) events.Send("done", *job);
}

}  // namespace

void AddJobRoutes(Router& router, Service& service) {
  router.Add("POST", "/api/v1/index", Replying(service, StartIndex));
  router.Add("POST", "/api/v1/eval", Replying(service, StartEvaluation));
  for (const char* kind : {kIndex, kEval}) {
    const std::string path = std::string("/api/v1/") + kind;
    router.Add("GET", path, [&service, kind](const Request&, Reply& reply) {
      json out = {{"jobs", service.jobs.List(kind)}};
      if (kind == kEval) {
        out["sets"] = json::array();
        for (const auto& [name, folder] : service.options.evaluations) out["sets"].push_back(name);
      }
      reply.Send(JsonResponse(out));
    });
    router.Add("GET", path + "/{id}", [&service, kind](const Request& request, Reply& reply) {
      Watch(service, kind, request, reply);
    });
    router.Add("DELETE", path + "/{id}", [&service, kind](const Request& request, Reply& reply) {
      const auto job = service.jobs.Cancel(kind, request.params.at("id"));
      reply.Send(job ? JsonResponse(*job) : ErrorResponse(request.path, job.error()));
    });
  }
}

}  // namespace vade::qa::server
