// /mcp: the library for clients of the Model Context Protocol.
#include <memory>
#include <mutex>
#include <utility>

#include "qa/mcp/library_mcp.h"
#include "qa/mcp/mcp_http.h"
#include "qa/server/answering.h"
#include "qa/server/errors.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

/// Made when first asked for: there may be no library before.
class McpMount {
 public:
  explicit McpMount(Service& service) : service_(service) {}

  void Handle(const Request& request, Reply& reply) {
    const auto mcp = Open();
    if (!mcp) return reply.Send(ErrorResponse(request.path, mcp.error()));
    Forward((*mcp)->Handle({request.method, request.headers, request.body, reply.shared_cancel()}),
            reply);
  }

 private:
  Result<McpHttp*> Open() {
    const std::lock_guard lock(mutex_);
    if (http_ != nullptr) return http_.get();
    VADE_TRY(store_, service_.library.Open());
    const auto ask = [this](const std::string& text, const retriever::SearchOptions& search,
                            const McpProgress& progress, const CancelToken* cancel) {
      return Ask(text, search, progress, cancel);
    };
    library_ = std::make_unique<LibraryMcp>(
        store_.get(), &service_.library.embedder(), ask,
        LibraryMcpOptions{.model = service_.models.settings().default_model});
    http_ = std::make_unique<McpHttp>(library_.get());
    return http_.get();
  }

  Result<nlohmann::json> Ask(const std::string& text, const retriever::SearchOptions& search,
                             const McpProgress& progress, const CancelToken* cancel) {
    Request request;
    request.path = "/mcp";
    request.key = "mcp";
    LibraryQuestion question;
    question.text = text;
    question.chat.search = search;
    LibrarySinks sinks;
    if (progress) {
      sinks.progress = [&](size_t done, size_t total) {
        progress(static_cast<double>(done), static_cast<double>(total), "reading the passages");
      };
    }
    const CancelToken never;
    VADE_TRY(LibraryAnswer answer, AnswerQuestion(service_, request, question, sinks,
                                                  cancel != nullptr ? *cancel : never));
    return std::move(answer.json);
  }

  static void Forward(McpHttpResponse answer, Reply& reply) {
    Response response;
    response.status = answer.status;
    response.content_type.clear();
    for (auto& [name, value] : answer.headers) {
      if (name == "Content-Type") {
        response.content_type = std::move(value);
      } else {
        response.headers.emplace_back(std::move(name), std::move(value));
      }
    }
    if (!answer.stream) {
      response.body = std::move(answer.body);
      return reply.Send(std::move(response));
    }
    reply.Begin(std::move(response), ": ping\n\n");
    answer.stream([&](std::string_view piece) { return reply.Write(piece); });
    reply.End();
  }

  Service& service_;
  std::mutex mutex_;
  std::shared_ptr<const vectorstore::Store> store_;
  std::unique_ptr<LibraryMcp> library_;
  std::unique_ptr<McpHttp> http_;
};

}  // namespace

void AddMcpRoutes(Router& router, Service& service) {
  const auto mount = std::make_shared<McpMount>(service);
  for (const char* method : {"POST", "GET", "DELETE"}) {
    router.Add(method, "/mcp",
               [mount](const Request& request, Reply& reply) { mount->Handle(request, reply); });
  }
}

}  // namespace vade::qa::server
