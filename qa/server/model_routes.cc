// /api/v1/models, and pulling and deleting models in Ollama's words where that is switched on.
#include <filesystem>
#include <utility>

#include "engine/base/memory_info.h"
#include "engine/base/utf8.h"
#include "engine/remote/model_source.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/json_fields.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

json InstalledJson(const InstalledModel& model, bool loaded) {
  json out = {{"name", model.name}, {"loaded", loaded}, {"remote", model.path.empty()}};
  out["kind"] = model.facts ? ModelKindName(model.facts->kind) : "generate";
  if (model.facts) {
    out["architecture"] = model.facts->architecture;
    out["parameters"] = model.facts->num_values;
    out["quantization"] = model.facts->quantization;
    out["size_bytes"] = model.facts->size_bytes;
    out["context_length"] = model.facts->context_length;
  }
  return out;
}

void ListModels(Service& service, Reply& reply) {
  const auto now = std::chrono::steady_clock::now();
  json loaded = json::array();
  uint64_t used = 0;
  const std::vector<LoadedModel> running = service.models.pool().Loaded();
  for (const LoadedModel& model : running) {
    used += model.memory_bytes;
    json item = {{"name", model.name},
                 {"kind", ModelKindName(model.kind)},
                 {"pid", model.pid},
                 {"memory_bytes", model.memory_bytes},
                 {"context_length", model.context_length},
                 {"requests", model.in_use},
                 {"state", model.loading      ? "loading"
                           : model.in_use > 0 ? "busy"
                                              : "idle"},
                 {"expires_at", nullptr}};
    if (model.expires_at) {
      const auto left = std::chrono::duration_cast<std::chrono::seconds>(*model.expires_at - now);
      item["expires_at"] = std::time(nullptr) + left.count();
    }
    loaded.push_back(std::move(item));
  }
  json models = json::array();
  for (const InstalledModel& model : service.models.Installed()) {
    const bool is_loaded = std::ranges::any_of(
        running, [&](const LoadedModel& other) { return other.path == model.path; });
    models.push_back(InstalledJson(model, is_loaded));
  }
  reply.Send(JsonResponse({{"models", std::move(models)},
                           {"loaded", std::move(loaded)},
                           {"memory",
                            {{"budget_bytes", service.models.pool().memory_budget()},
                             {"used_bytes", used},
                             {"available_bytes", AvailableMemoryBytes()}}}}));
}

Result<std::string> ReadName(const Request& request) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const char* member = fields.Has("model") ? "model" : "name";
  std::string name = fields.RequiredString(member, 512);
  VADE_CHECK_OK(fields.Status());
  return name;
}

Result<Response> LoadModel(Service& service, const Request& request, const CancelToken& cancel) {
  VADE_TRY(const std::string name, ReadName(request));
  VADE_TRY(const InstalledModel model, service.models.Find(name));
  const ModelKind kind = model.facts ? model.facts->kind : ModelKind::kGenerate;
  if (!model.path.empty()) {
    VADE_TRY(const auto lease, service.models.Encoder(name, kind, std::nullopt, &cancel));
  }
  return JsonResponse({{"name", name}, {"loaded", true}});
}

Result<Response> UnloadModel(Service& service, const Request& request, const CancelToken&) {
  VADE_TRY(const std::string name, ReadName(request));
  VADE_CHECK_OK(service.models.pool().Stop(name));
  return JsonResponse({{"name", name}, {"loaded", false}});
}

Result<Response> DeleteModel(Service& service, const Request& request, const CancelToken&) {
  if (!service.models.settings().allow_changes) {
    return Fail(ErrorCode::kUnsupported, "deleting models is switched off (--allow-model-changes)");
  }
  VADE_TRY(const std::string name, ReadName(request));
  VADE_TRY(const InstalledModel model, service.models.Find(name));
  const auto& folder = service.models.settings().pool.names.folder;
  if (model.path.empty() || model.path.parent_path() != folder) {
    return Fail(ErrorCode::kUnsupported, "only models of the models folder can be deleted");
  }
  (void)service.models.pool().Stop(name);
  std::error_code error;
  if (!std::filesystem::remove(model.path, error)) {
    return Fail(ErrorCode::kIo, "the model could not be deleted");
  }
  return Response{200, "", ""};
}

/// Lines of {"status", "digest", "total", "completed"}, the last of them {"status": "success"}.
void PullModel(Service& service, const Request& request, Reply& reply) {
  const ModelSettings& settings = service.models.settings();
  if (!settings.allow_changes) {
    return reply.Send(
        ErrorResponse(request.path, 403, "pulling models is switched off (--allow-model-changes)"));
  }
  const auto name = ReadName(request);
  if (!name) return reply.Send(ErrorResponse(request.path, name.error()));
  const bool full = name->starts_with("hf://") || name->starts_with("ollama://");
  const CancelToken& cancel = reply.cancel();
  LineStream lines(reply);
  lines.Send({{"status", "pulling manifest"}});
  const auto fail = [&](const Error& error) { lines.Send({{"error", error.message}}); };
  const auto files =
      remote::FindModelFiles(full ? *name : "ollama://" + *name, settings.registries, &cancel);
  if (!files) return fail(files.error());
  std::error_code ignored;
  std::filesystem::create_directories(settings.pool.names.folder, ignored);
  for (const remote::ModelFile& file : *files) {
    const std::string digest = "sha256:" + file.remote.sha256;
    remote::DownloadOptions options;
    options.cancel = &cancel;
    options.replace = true;
    options.on_progress = [&](uint64_t done, uint64_t total) {
      lines.Send({{"status", "pulling " + file.name},
                  {"digest", digest},
                  {"total", total},
                  {"completed", done}});
    };
    const auto done =
        remote::Download(file.remote, settings.pool.names.folder / file.name, options);
    if (!done) return fail(done.error());
  }
  lines.Send({{"status", "verifying sha256 digest"}});
  lines.Send({{"status", "success"}});
}

}  // namespace

void AddModelRoutes(Router& router, Service& service) {
  router.Add("GET", "/api/v1/models",
             [&service](const Request&, Reply& reply) { ListModels(service, reply); });
  router.Add("POST", "/api/v1/models/load", Replying(service, LoadModel));
  router.Add("POST", "/api/v1/models/unload", Replying(service, UnloadModel));
  router.Add("DELETE", "/api/delete", Replying(service, DeleteModel));
  router.Add("POST", "/api/pull", [&service](const Request& request, Reply& reply) {
    PullModel(service, request, reply);
  });
}

}  // namespace vade::qa::server
