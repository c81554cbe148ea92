// Service: what the routes share. Each folder of the API adds its routes to the router and keeps a
// reference to this.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/lru_cache.h"
#include "engine/base/result.h"
#include "qa/chat/history.h"
#include "qa/server/accounts.h"
#include "qa/server/conversations.h"
#include "qa/server/http_message.h"
#include "qa/server/http_server.h"
#include "qa/server/jobs.h"
#include "qa/server/library.h"
#include "qa/server/models.h"
#include "qa/server/router.h"

namespace vade::qa::server {

/// An answer that may be given again, with what a follow-up builds on.
struct CachedAnswer {
  std::string json;
  ChatHistory history;
};

struct ServiceOptions {
  size_t num_threads = 0;
  std::map<std::string, std::filesystem::path> evaluations;  // name -> collection's folder
};

struct Service {
  ServiceOptions options;
  Library& library;
  Models& models;
  Accounts& accounts;
  Jobs& jobs;
  LruCache<std::shared_ptr<const CachedAnswer>>& answers;
  LruCache<std::string>& searches;
  Conversations& conversations;
  int64_t started_at = 0;  // Unix seconds
  bool auth_required = false;
  std::function<HttpServer::Load()> load;
};

/// The handler of a route whose work ends in one reply; its error becomes the API's error.
using Work = Result<Response> (*)(Service&, const Request&);
using LongWork = Result<Response> (*)(Service&, const Request&, const CancelToken&);
[[nodiscard]] Handler Replying(Service& service, Work work);
[[nodiscard]] Handler Replying(Service& service, LongWork work);

void AddLibraryRoutes(Router& router, Service& service);    // search, documents, collections
void AddJobRoutes(Router& router, Service& service);        // index, eval
void AddAskRoutes(Router& router, Service& service);        // ask, conversations
void AddModelRoutes(Router& router, Service& service);      // models, pull, delete
void AddOpenAiRoutes(Router& router, Service& service);     // /v1
void AddOllamaRoutes(Router& router, Service& service);     // /api
void AddMcpRoutes(Router& router, Service& service);        // /mcp
void AddOperationRoutes(Router& router, Service& service);  // health, metrics, dashboard, usage
void AddPageRoutes(Router& router);                         // the web page, openapi.json

}  // namespace vade::qa::server
