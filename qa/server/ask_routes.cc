// POST /api/v1/ask: an answer with proven citations, streamed as it comes about; conversations.
#include <chrono>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "qa/answer/json_format.h"
#include "qa/chat/chat.h"
#include "qa/server/conversations.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/json_fields.h"
#include "qa/server/search_request.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

struct AskRequest {
  std::string question;
  std::string conversation;
  bool stream = true;
  ChatOptions chat;
  std::string cache_key;  // empty: not to be given again
};

Result<AskRequest> ReadAsk(const Request& request) {
  VADE_TRY(json body, ParseJson(request.body));
  Fields fields(body);
  AskRequest ask;
  ask.question = fields.RequiredString("question", kMaxQuestionBytes);
  ask.conversation = fields.String("conversation", "", 64);
  ask.stream = fields.Bool("stream", true);
  ask.chat.search = ReadSearchOptions(fields, 8);
  VADE_CHECK_OK(fields.Status());
  if (ask.conversation.empty()) {
    body.erase("stream");
    ask.cache_key = body.dump();
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
    Result<json> answer = Answer();
    if (!answer) return Fail(answer.error());
    (*answer)["request_id"] = request_.id;
    if (events_) {
      events_->Send("answer", *answer);
    } else {
      reply_.Send(JsonResponse(*answer));
    }
  }

 private:
  Result<json> Answer() {
    VADE_TRY(const auto store, service_.library.Open());
    std::string key;
    if (!ask_.cache_key.empty()) {
      VADE_TRY(const int64_t generation, store->GetGeneration());
      key = std::to_string(generation) + ask_.cache_key;
      if (const auto known = service_.answers.Find(key)) return Again(**known);
    }
    VADE_TRY(const auto conversation, OpenConversation());
    const std::lock_guard lock(conversation->mutex);
    Stage("search");
    Chat chat(store.get(), &service_.library.embedder(), nullptr);
    chat.history() = conversation->history;
    VADE_TRY(const ChatReply reply, chat.Ask(ask_.question, ask_.chat, {}, &reply_.cancel()));
    conversation->history = std::move(chat.history());
    json out = ToJson(*reply.composed);
    out["question"] = utf8::Repair(ask_.question);
    out["standalone"] = utf8::Repair(reply.standalone);
    out["model"] = nullptr;
    out["cached"] = false;
    if (!key.empty()) {
      std::string text = Dump(out);
      const size_t size = 2 * text.size();
      service_.answers.Put(std::move(key),
                           std::make_shared<const CachedAnswer>(
                               CachedAnswer{std::move(text), conversation->history}),
                           size);
    }
    out["conversation"] = conversation->id;
    return out;
  }

  /// What was answered before; a follow-up can build on it as on a new answer.
  Result<json> Again(const CachedAnswer& known) {
    json out = json::parse(known.json);
    out["cached"] = true;
    out["conversation"] = service_.conversations.Start(request_.key, known.history)->id;
    return out;
  }

  Result<std::shared_ptr<Conversation>> OpenConversation() {
    if (ask_.conversation.empty()) return service_.conversations.Start(request_.key, {});
    auto conversation = service_.conversations.Find(ask_.conversation, request_.key);
    if (conversation == nullptr) {
      return vade::Fail(ErrorCode::kNotFound, "no such conversation: it may have been forgotten");
    }
    return conversation;
  }

  void Stage(const char* name) {
    if (!events_) return;
    const std::chrono::duration<double, std::milli> since = Clock::now() - started_;
    events_->Send("stage", {{"stage", name}, {"ms", since.count()}});
  }

  void Fail(const Error& error) {
    Response response = ErrorResponse(request_.path, error);
    if (!events_) return reply_.Send(std::move(response));
    events_->Send("error", json::parse(response.body));
  }

  Service& service_;
  const Request& request_;
  Reply& reply_;
  const AskRequest ask_;
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
