#include "qa/server/server.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "engine/base/utf8.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/rate_limiter.h"
#include "qa/web/assets.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

std::string TimeNow() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ",
                utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                utc.tm_sec, now.tv_nsec / 1'000'000);
  return text.data();
}

/// Puts on every response what all must carry.
class Stamped : public Reply {
 public:
  Stamped(Reply& inner, const std::string& id) : inner_(inner), id_(id) {}
  void Send(Response response) override {
    Stamp(response, id_);
    inner_.Send(std::move(response));
  }
  void Begin(Response head, std::string heartbeat) override {
    Stamp(head, id_);
    inner_.Begin(std::move(head), std::move(heartbeat));
  }
  bool Write(std::string_view piece) override { return inner_.Write(piece); }
  void End() override { inner_.End(); }
  [[nodiscard]] const std::shared_ptr<CancelToken>& shared_cancel() const override {
    return inner_.shared_cancel();
  }
  [[nodiscard]] bool begun() const override { return inner_.begun(); }

  static void Stamp(Response& response, const std::string& id) {
    response.headers.emplace_back("X-Request-Id", id);
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    response.headers.emplace_back("Content-Security-Policy",
                                  std::string(web::kContentSecurityPolicy));
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  }

 private:
  Reply& inner_;
  const std::string& id_;
};

class ServerImpl : public Server {
 public:
  ServerImpl(const ServerOptions& options, std::unique_ptr<embed::Embedder> embedder)
      : options_(options),
        library_(options.store, std::move(embedder)),
        models_(options.models),
        accounts_(options.usage_file, options.keys, options.currency),
        answers_(options.cache_bytes / 2),
        searches_(options.cache_bytes / 2),
        service_{options.service,
                 library_,
                 models_,
                 accounts_,
                 jobs_,
                 answers_,
                 searches_,
                 conversations_,
                 std::time(nullptr),
                 !options.keys.empty(),
                 [this] { return http_->load(); }} {}

  Result<void> Listen();
  [[nodiscard]] uint16_t port() const override { return http_->port(); }
  void Run(bool handle_signals) override {
    http_->Run(handle_signals);
    jobs_.Stop();
    models_.pool().Shutdown(std::chrono::seconds(1));
  }
  void Stop() override { http_->Stop(); }

 private:
  bool Admit(Request& request, Reply& reply);
  void Handle(Request& request, Reply& reply);
  void Log(const Access& access);
  [[nodiscard]] std::string RouteOf(const Request& request) const;

  const ServerOptions options_;
  Library library_;
  Models models_;
  Accounts accounts_;
  Jobs jobs_;
  LruCache<std::shared_ptr<const CachedAnswer>> answers_;
  LruCache<std::string> searches_;
  Conversations conversations_;
  RateLimiter limiter_;
  Router router_;
  std::unique_ptr<Guard> guard_;
  Service service_;
  std::unique_ptr<HttpServer> http_;
};

Result<void> ServerImpl::Listen() {
  HttpCallbacks callbacks;
  callbacks.admit = [this](Request& request, Reply& reply) { return Admit(request, reply); };
  callbacks.handle = [this](Request& request, Reply& reply) { Handle(request, reply); };
  callbacks.done = [this](const Access& access) { Log(access); };
  callbacks.error = [](const Request& request, int status, const std::string& message) {
    Response response = ErrorResponse(request.path, status, message);
    Stamped::Stamp(response, request.id);
    return response;
  };
  VADE_TRY(http_, HttpServer::Listen(options_.host, options_.port, options_.limits, callbacks));
  GuardOptions guard{.hosts = options_.allowed_hosts,
                     .origins = options_.allowed_origins,
                     .keys = options_.keys,
                     .port = port()};
  if (options_.host != "0.0.0.0" && options_.host != "::") {
    const bool v6 = options_.host.find(':') != std::string::npos;
    guard.hosts.push_back(v6 ? "[" + options_.host + "]" : options_.host);
  }
  guard.public_paths = {"/", "/healthz", "/openapi.json"};
  for (const web::Asset& asset : web::Assets()) guard.public_paths.emplace(asset.path);
  guard_ = std::make_unique<Guard>(std::move(guard));
  AddOperationRoutes(router_, service_);
  AddLibraryRoutes(router_, service_);
  AddJobRoutes(router_, service_);
  AddAskRoutes(router_, service_);
  AddModelRoutes(router_, service_);
  AddOpenAiRoutes(router_, service_);
  AddOllamaRoutes(router_, service_);
  AddMcpRoutes(router_, service_);
  AddPageRoutes(router_);
  return {};
}

/// On the network's thread: what is refused costs no worker.
bool ServerImpl::Admit(Request& request, Reply& reply) {
  const auto refuse = [&](int status, const std::string& message) {
    Response response = ErrorResponse(request.path, status, message);
    Stamped::Stamp(response, request.id);
    reply.Send(std::move(response));
    return true;
  };
  if (const auto refusal = guard_->Check(request)) return refuse(refusal->status, refusal->message);
  const Router::Match match = router_.Find(request);
  if (match.route == nullptr) {
    return match.path_known ? refuse(405, "the method is not supported here")
                            : refuse(404, "no such path");
  }
  const ApiKey* key = guard_->FindKey(request.key);
  const uint32_t limit = key != nullptr && key->requests_per_minute > 0
                             ? key->requests_per_minute
                             : options_.requests_per_minute;
  if (guard_->IsPublic(request.method, request.path)) return false;
  const auto wait = limiter_.Take(request.key, limit, std::chrono::steady_clock::now());
  if (!wait) return false;
  Response response = ErrorResponse(request.path, 429, "too many requests; try again later");
  response.headers.emplace_back("Retry-After", std::to_string(*wait));
  Stamped::Stamp(response, request.id);
  reply.Send(std::move(response));
  return true;
}

void ServerImpl::Handle(Request& request, Reply& reply) {
  Stamped stamped(reply, request.id);
  const Router::Match match = router_.Find(request);
  match.route->handler(request, stamped);
}

std::string ServerImpl::RouteOf(const Request& request) const {
  Request copy;
  copy.method = request.method;
  copy.path = request.path;
  const Router::Match match = router_.Find(copy);
  return match.route == nullptr ? "(none)" : match.route->pattern;
}

/// Never the question or the document: the route, not the path; no query, no body.
void ServerImpl::Log(const Access& access) {
  const std::string route = RouteOf(access.request);
  const int status = access.client_gone ? 499 : access.status;
  const std::string method = route == "(none)" ? "(other)" : access.request.method;
  accounts_.Add(RequestEnd{route, method, status, access.ms});
  if (options_.log == LogFormat::kJson) {
    const std::string line = Dump({{"time", TimeNow()},
                                   {"level", status >= 500 ? "error" : "info"},
                                   {"event", "request"},
                                   {"request_id", access.request.id},
                                   {"key", access.request.key},
                                   {"method", method},
                                   {"route", route},
                                   {"status", status},
                                   {"bytes", access.body_bytes},
                                   {"ms", access.ms}}) +
                             "\n";
    std::fputs(line.c_str(), stderr);
  } else if (options_.log == LogFormat::kText) {
    std::fprintf(stderr, "%s %s %d %s %s %.1f ms\n", TimeNow().c_str(), access.request.id.c_str(),
                 status, method.c_str(), route.c_str(), access.ms);
  }
}

}  // namespace

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              std::unique_ptr<embed::Embedder> embedder) {
  if (!IsLoopback(options.host) && options.keys.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "--host " + utf8::Escape(options.host) +
                    " is reached by other machines and needs a token: --token-file FILE");
  }
  auto server = std::make_unique<ServerImpl>(options, std::move(embedder));
  VADE_CHECK_OK(server->Listen());
  return server;
}

}  // namespace vade::qa::server
