// What operators look at: health, metrics, the dashboard's figures, usage.
#include <ctime>
#include <utility>

#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

json CountsOf(const auto& cache) {
  const auto counts = cache.counts();
  return {{"hits", counts.hits}, {"misses", counts.misses}, {"entries", counts.entries}};
}

json Added(const json& a, const json& b) {
  json out = json::object();
  for (const auto& [name, value] : a.items()) {
    out[name] = value.get<uint64_t>() + b.at(name).get<uint64_t>();
  }
  return out;
}

Result<json> LibraryStatus(Service& service) {
  const auto store = service.library.Open();
  json out = {{"index_version", 0}, {"documents", 0},  {"skipped", 0},     {"pages", 0},
              {"chunks", 0},        {"file_bytes", 0}, {"last_indexed", 0}};
  if (!store) {
    if (store.error().code != ErrorCode::kNotFound) return tl::unexpected(store.error());
    return out;
  }
  VADE_TRY(const auto counts, (*store)->GetCounts());
  VADE_TRY(out["index_version"], (*store)->GetGeneration());
  VADE_TRY(const auto documents, (*store)->ListDocuments());
  int64_t last = 0;
  for (const auto& record : documents) last = std::max(last, record.indexed_at);
  out["documents"] = counts.documents;
  out["skipped"] = counts.skipped;
  out["pages"] = counts.pages;
  out["chunks"] = counts.chunks;
  out["file_bytes"] = counts.file_bytes;
  out["last_indexed"] = last;
  return out;
}

json ModelsStatus(const ModelSettings& settings) {
  const auto name = [](const std::string& text) {
    return text.empty() ? json(nullptr) : json(text);
  };
  return {{"default", name(settings.default_model)},
          {"auto",
           {{"small", name(settings.small)},
            {"medium", name(settings.medium)},
            {"large", name(settings.large)}}}};
}

void Status(Service& service, const Request& request, Reply& reply) {
  auto status = LibraryStatus(service);
  if (!status) return reply.Send(ErrorResponse(request.path, status.error()));
  status->update({{"version", VADE_VERSION},
                  {"uptime_s", std::time(nullptr) - service.started_at},
                  {"embedder", service.library.embedder().fingerprint()},
                  {"dimension", service.library.embedder().dimension()},
                  {"auth_required", service.auth_required},
                  {"models", ModelsStatus(service.models.settings())},
                  {"evaluations", json::array()}});
  for (const auto& [name, folder] : service.options.evaluations) {
    (*status)["evaluations"].push_back(name);
  }
  reply.Send(JsonResponse(*status));
}

void Dashboard(Service& service, Reply& reply) {
  json out = service.accounts.Dashboard();
  const HttpServer::Load load = service.load();
  out["in_flight"] = load.running;
  out["queue"] = load.queued;
  out["connections"] = load.connections;
  out["cache"] = Added(CountsOf(service.answers), CountsOf(service.searches));
  reply.Send(JsonResponse(out));
}

void Metrics(Service& service, Reply& reply) {
  std::string out = service.accounts.Metrics();
  const HttpServer::Load load = service.load();
  const json cache = Added(CountsOf(service.answers), CountsOf(service.searches));
  uint64_t loaded = 0, memory = 0;
  for (const LoadedModel& model : service.models.pool().Loaded()) {
    ++loaded;
    memory += model.memory_bytes;
  }
  const auto add = [&](const char* name, const char* type, const char* help, uint64_t value) {
    out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n" +
           name + " " + std::to_string(value) + "\n";
  };
  add("vade:requests_processing", "gauge", "Requests being handled.", load.running);
  add("vade:requests_deferred", "gauge", "Requests waiting for a thread.", load.queued);
  add("vade:connections", "gauge", "Open connections.", load.connections);
  add("vade:cache_hits_total", "counter", "Answers and searches given again.", cache["hits"]);
  add("vade:cache_misses_total", "counter", "Answers and searches computed.", cache["misses"]);
  add("vade:models_loaded", "gauge", "Models in runner processes.", loaded);
  add("vade:models_memory_bytes", "gauge", "Memory that they take.", memory);
  reply.Send({200, "text/plain; version=0.0.4; charset=utf-8", std::move(out)});
}

void Usage(Service& service, const Request& request, Reply& reply) {
  const auto rows = ReadUsage(service.accounts.usage_file());
  if (!rows) return reply.Send(ErrorResponse(request.path, 404, "no usage was recorded yet"));
  reply.Send({200,
              "text/csv; charset=utf-8",
              UsageCsv(*rows),
              {{"Content-Disposition", "attachment; filename=\"vade-usage.csv\""}}});
}

}  // namespace

void AddOperationRoutes(Router& router, Service& service) {
  router.Add("GET", "/healthz", [](const Request&, Reply& reply) {
    reply.Send(JsonResponse({{"status", "ok"}}));
  });
  router.Add("GET", "/api/v1/status",
             [&service](const Request& request, Reply& reply) { Status(service, request, reply); });
  router.Add("GET", "/api/v1/dashboard",
             [&service](const Request&, Reply& reply) { Dashboard(service, reply); });
  router.Add("GET", "/metrics",
             [&service](const Request&, Reply& reply) { Metrics(service, reply); });
  router.Add("GET", "/api/v1/usage.csv",
             [&service](const Request& request, Reply& reply) { Usage(service, request, reply); });
}

}  // namespace vade::qa::server
