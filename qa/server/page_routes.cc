// The web page and what describes the API.
#include "qa/server/errors.h"
#include "qa/server/openapi.h"
#include "qa/server/service.h"
#include "qa/web/assets.h"

namespace vade::qa::server {
namespace {

void SendAsset(const web::Asset& asset, const Request& request, Reply& reply) {
  Response response;
  response.content_type = asset.content_type;
  response.headers = {{"ETag", std::string(asset.etag)}, {"Cache-Control", "no-cache"}};
  if (request.Header("if-none-match") == asset.etag) {
    response.status = 304;
    response.content_type.clear();
  } else {
    response.body = asset.bytes;
  }
  reply.Send(std::move(response));
}

/// A browser gets the page; clients of Ollama ask here whether it runs.
void SendRoot(const Request& request, Reply& reply) {
  const web::Asset* page = web::FindAsset("/index.html");
  const bool browser = request.Header("accept").find("text/html") != std::string_view::npos;
  if (browser && page != nullptr) return SendAsset(*page, request, reply);
  reply.Send({200, "text/plain; charset=utf-8", "Ollama is running"});
}

}  // namespace

void AddPageRoutes(Router& router) {
  router.Add("GET", "/", SendRoot);
  router.Add("GET", "/openapi.json", [](const Request&, Reply& reply) {
    reply.Send({200, "application/json", std::string(kOpenApi)});
  });
  for (const web::Asset& asset : web::Assets()) {
    router.Add("GET", std::string(asset.path), [&asset](const Request& request, Reply& reply) {
      SendAsset(asset, request, reply);
    });
  }
}

}  // namespace vade::qa::server
