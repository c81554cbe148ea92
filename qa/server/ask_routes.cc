// POST /api/v1/ask: an answer with proven citations, streamed as it comes about; conversations.
#include <chrono>
#include <optional>
#include <utility>

#include "qa/answer/json_format.h"
#include "qa/server/answering.h"
#include "qa/server/conversations.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/generation.h"
#include "qa/server/json_fields.h"
#include "qa/server/search_request.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct AskRequest {
  std::string conversation;
  bool stream = true;
  LibraryQuestion question;
};

Result<AskRequest> ReadAsk(const Request& request) {
  VADE_TRY(json body, ParseJson(request.body));
  Fields fields(body);
  AskRequest ask;
  LibraryQuestion& question = ask.question;
  question.text = fields.RequiredString("question", kMaxQuestionBytes);
  ask.conversation = fields.String("conversation", "", 64);
  ask.stream = fields.Bool("stream", true);
  question.model = fields.String("model", "", 512);
  question.composed = body.is_object() && body.contains("model") && body["model"].is_null();
  question.chat.search = ReadSearchOptions(fields, 8);
  engine::ModelRequest& generate = question.chat.generate;
  generate.sampling.temperature = 0;  // the likeliest words, and the same each time
  ReadSampling(fields, generate);
  generate.max_tokens = static_cast<size_t>(fields.Integer("max_tokens", 0, 1 << 20, 0));
  VADE_CHECK_OK(fields.Status());
  const bool repeatable = generate.sampling.temperature == 0 || generate.sampling.seed;
  if (ask.conversation.empty() && repeatable) {
    body.erase("stream");
    question.cache_key = body.dump();
  }
  return ask;
}

/// One question, to a stream of events or to a single object.
class Asking {
 public:
  Asking(Service& service, const Request& request, Reply& reply, AskRequest ask)
      : service_(service), request_(request), reply_(reply), ask_(std::move(ask)) {}

  void Run() {
    if (ask_.stream) events_.emplace(reply_);
    const auto answer = Answer();
    if (!answer) return Fail(answer.error());
    if (events_) {
      events_->Send("answer", *answer);
    } else {
      reply_.Send(JsonResponse(*answer));
    }
  }

 private:
  Result<json> Answer() {
    std::shared_ptr<Conversation> conversation;
    std::unique_lock<std::mutex> turn;  // one question of a conversation at a time
    if (!ask_.conversation.empty()) {
      conversation = service_.conversations.Find(ask_.conversation, request_.key);
      if (conversation == nullptr) {
        return vade::Fail(ErrorCode::kNotFound, "no such conversation: it may have been forgotten");
      }
      turn = std::unique_lock(conversation->mutex);
      ask_.question.history = conversation->history;
    }
    VADE_TRY(LibraryAnswer answer,
             AnswerQuestion(service_, request_, ask_.question, Sinks(), reply_.cancel()));
    if (conversation == nullptr) {
      conversation = service_.conversations.Start(request_.key, std::move(answer.history));
    } else {
      conversation->history = std::move(answer.history);
    }
    answer.json["conversation"] = conversation->id;
    answer.json["request_id"] = request_.id;
    return std::move(answer.json);
  }

  LibrarySinks Sinks() {
    LibrarySinks sinks;
    if (!events_) return sinks;
    sinks.stage = [this](const char* name) {
      const std::chrono::duration<double, std::milli> since = Clock::now() - started_;
      events_->Send("stage", {{"stage", name}, {"ms", since.count()}});
    };
    sinks.routed = [this](const Routing& routing) {
      events_->Send("route",
                    {{"model", routing.model}, {"size", routing.size}, {"reason", routing.reason}});
    };
    sinks.found = [this](const retriever::SearchResult& result) {
      events_->Send("passages", {{"passages", ToJson(result)["passages"]}});
    };
    sinks.progress = [this](size_t done, size_t total) {
      events_->Send("progress", {{"done", done}, {"total", total}});
    };
    sinks.token = [this](std::string_view text) {
      return events_->Send("token", {{"text", text}});
    };
    sinks.sentence = [this](const GroundedSentence& sentence) {
      return events_->Send("sentence", {{"text", sentence.before + sentence.text},
                                        {"support", SupportName(sentence.support)},
                                        {"citations", sentence.citations}});
    };
    return sinks;
  }

  void Fail(const Error& error) {
    Response response = ErrorResponse(request_.path, error);
    if (!events_) return reply_.Send(std::move(response));
    events_->Send("error", json::parse(response.body));
  }

  Service& service_;
  const Request& request_;
  Reply& reply_;
  AskRequest ask_;
  const Clock::time_point started_ = Clock::now();
  std::optional<EventStream> events_;
};

}  // namespace

void AddAskRoutes(Router& router, Service& service) {
  router.Add("POST", "/api/v1/ask", [&service](const Request& request, Reply& reply) {
    auto ask = ReadAsk(request);
    if (!ask) return reply.Send(ErrorResponse(request.path, ask.error()));
    Asking(service, request, reply, *std::move(ask)).Run();
  });
  router.Add(
      "DELETE", "/api/v1/conversations/{id}", [&service](const Request& request, Reply& reply) {
        const bool forgotten = service.conversations.Forget(request.params.at("id"), request.key);
        reply.Send(forgotten ? JsonResponse({{"removed", true}})
                             : ErrorResponse(request.path, 404, "no such conversation"));
      });
}

}  // namespace vade::qa::server
