// /v1: what clients of OpenAI's API (and of llama-server's and Cohere's /rerank) expect.
#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>
#include <optional>
#include <utility>

#include "qa/answer/json_format.h"
#include "qa/server/answering.h"
#include "qa/server/encoding.h"
#include "qa/server/errors.h"
#include "qa/server/event_stream.h"
#include "qa/server/generation.h"
#include "qa/server/openai_json.h"
#include "qa/server/service.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;
using openai::Completion;

constexpr size_t kMaxInputs = 2048;
constexpr size_t kMaxDocuments = 1000;

/// The words of a reply, whole or in chunks: /v1/chat/completions and /v1/completions differ in
/// little else.
class CompletionWriter {
 public:
  CompletionWriter(const Request& request, Reply& reply, const Completion& completion, bool chat)
      : request_(request), reply_(reply), completion_(completion), chat_(chat) {}

  [[nodiscard]] bool Text(std::string_view text) {
    if (!completion_.stream) return true;
    Open();
    return Chunk(chat_ ? json{{"delta", {{"content", text}}}} : json{{"text", text}}, nullptr);
  }

  void Finish(const engine::ModelReply& reply, const json& extra) {
    if (!completion_.stream) return reply_.Send(JsonResponse(Whole(reply, extra)));
    Open();
    if (!reply.tool_calls.empty()) {
      Chunk({{"delta", {{"tool_calls", openai::ToolCalls(reply.tool_calls, true)}}}}, nullptr);
    }
    json last = chat_ ? json{{"delta", json::object()}} : json{{"text", ""}};
    if (!reply.logprobs.empty()) last["logprobs"] = openai::Logprobs(reply);
    Chunk(std::move(last), openai::FinishReason(reply), extra);
    if (completion_.include_usage) {
      json usage = Head();
      usage["choices"] = json::array();
      usage["usage"] = openai::Usage(reply);
      usage["timings"] = openai::Timings(reply);
      events_->Send(Dump(usage));
    }
    events_->Send("[DONE]");
  }

  void Fail(const Error& error) {
    Response response = ErrorResponse(request_.path, error);
    if (!events_) return reply_.Send(std::move(response));
    events_->Send(response.body);
    events_->Send("[DONE]");
  }

 private:
  void Open() {
    if (events_) return;
    events_.emplace(reply_);
    if (chat_) Chunk({{"delta", {{"role", "assistant"}, {"content", ""}}}}, nullptr);
  }

  json Head() const {
    const char* kind = chat_ ? "chat.completion" : "text_completion";
    return {{"id", (chat_ ? "chatcmpl-" : "cmpl-") + request_.id},
            {"object", chat_ && completion_.stream ? "chat.completion.chunk" : kind},
            {"created", created_},
            {"model", completion_.model},
            {"system_fingerprint", "vade-" VADE_VERSION}};
  }

  bool Chunk(json choice, const json& finish_reason, const json& extra = json::object()) {
    choice["index"] = 0;
    choice["finish_reason"] = finish_reason;
    json chunk = Head();
    chunk.update(extra);
    chunk["choices"] = json::array({std::move(choice)});
    return events_->Send(Dump(chunk));
  }

  json Whole(const engine::ModelReply& reply, const json& extra) const {
    json choice = {
        {"index", 0}, {"finish_reason", openai::FinishReason(reply)}, {"logprobs", nullptr}};
    if (!reply.logprobs.empty()) choice["logprobs"] = openai::Logprobs(reply);
    if (chat_) {
      choice["message"] = {{"role", "assistant"}, {"content", reply.text}};
      if (!reply.tool_calls.empty()) {
        choice["message"]["tool_calls"] = openai::ToolCalls(reply.tool_calls, false);
        if (reply.text.empty()) choice["message"]["content"] = nullptr;
      }
    } else {
      choice["text"] = reply.text;
    }
    json out = Head();
    out.update(extra);
    out["choices"] = json::array({std::move(choice)});
    out["usage"] = openai::Usage(reply);
    out["timings"] = openai::Timings(reply);
    return out;
  }

  const Request& request_;
  Reply& reply_;
  const Completion& completion_;
  const bool chat_;
  const int64_t created_ = std::time(nullptr);
  std::optional<EventStream> events_;
};

/// The question of a conversation: its last message.
Result<std::string> LastQuestion(const engine::ModelRequest& request) {
  if (request.messages.empty() || request.messages.back().role != "user") {
    return Fail(ErrorCode::kInvalidArgument, "messages: the last one must be the user's");
  }
  return request.messages.back().content;
}

void CompleteByModel(Service& service, const Request& request, Reply& reply,
                     const Completion& completion, bool chat) {
  CompletionWriter writer(request, reply, completion, chat);
  json extra = json::object();
  std::string model = completion.model;
  if (model == kRoutedModel) {
    const auto question = chat ? LastQuestion(completion.request) : *completion.request.prompt;
    if (!question) return writer.Fail(question.error());
    const auto routing = service.models.Route(*question);
    if (!routing) return writer.Fail(routing.error());
    model = routing->model;
    extra["route"] = {
        {"model", routing->model}, {"size", routing->size}, {"reason", routing->reason}};
  }
  const auto use = service.models.Generator(model, std::nullopt, &reply.cancel());
  if (!use) return writer.Fail(use.error());
  const auto written = Generate(
      service, request, *use, completion.request,
      [&](std::string_view text) { return writer.Text(text); }, reply.cancel());
  if (!written) return writer.Fail(written.error());
  writer.Finish(*written, extra);
}

/// The model named "vade": the last message is asked of the library, what was said before is the
/// conversation. The sources come in a member of their own.
void CompleteByLibrary(Service& service, const Request& request, Reply& reply,
                       const Completion& completion) {
  CompletionWriter writer(request, reply, completion, true);
  const auto question = LastQuestion(completion.request);
  if (!question) return writer.Fail(question.error());
  LibraryQuestion asked;
  asked.text = *question;
  asked.chat.generate = completion.request;
  asked.chat.generate.messages.clear();
  asked.history = HistoryOf(completion.request.messages);
  asked.chat.search.k = 8;
  LibrarySinks sinks;
  sinks.shown = [&](std::string_view text) { return writer.Text(text); };
  const auto answer = AnswerQuestion(service, request, asked, sinks, reply.cancel());
  if (!answer) return writer.Fail(answer.error());
  if (!answer->streamed && !writer.Text(answer->reply.text)) return;
  writer.Finish(answer->reply, {{"sources", answer->json["citations"]},
                                {"refused", answer->json["refused"]},
                                {"warnings", answer->json["warnings"]}});
}

void ChatCompletions(Service& service, const Request& request, Reply& reply) {
  const auto body = ParseJson(request.body);
  if (!body) return reply.Send(ErrorResponse(request.path, body.error()));
  const auto completion = openai::ReadChatCompletion(*body);
  if (!completion) return reply.Send(ErrorResponse(request.path, completion.error()));
  if (completion->model == kLibraryModel) {
    return CompleteByLibrary(service, request, reply, *completion);
  }
  CompleteByModel(service, request, reply, *completion, true);
}

void Completions(Service& service, const Request& request, Reply& reply) {
  const auto body = ParseJson(request.body);
  if (!body) return reply.Send(ErrorResponse(request.path, body.error()));
  const auto completion = openai::ReadCompletion(*body);
  if (!completion) return reply.Send(ErrorResponse(request.path, completion.error()));
  CompleteByModel(service, request, reply, *completion, false);
}

// --- Embeddings and ranking

Result<Response> Embeddings(Service& service, const Request& request, const CancelToken& cancel) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const std::string model = fields.RequiredString("model", 512);
  const std::string format = fields.Word("encoding_format", {"float", "base64"}, "float");
  const auto dimensions = static_cast<size_t>(fields.Integer("dimensions", 1, 1 << 20, 0));
  const std::vector<std::string> texts = fields.Strings("input", kMaxInputs);
  if (texts.empty()) fields.Complain("input", "missing or empty, expected a text or texts");
  if (std::ranges::any_of(texts, &std::string::empty)) fields.Complain("input", "an empty text");
  VADE_CHECK_OK(fields.Status());
  UseRecorder recorder(service, request, model);
  VADE_TRY(const EmbeddedTexts embedded,
           EmbedTexts(service, model, texts, dimensions, false, std::nullopt, &cancel));
  recorder.Record(embedded.tokens);
  json data = json::array();
  for (const std::vector<float>& vector : embedded.vectors) {
    const json value = format == "base64" ? json(openai::Base64(vector)) : json(vector);
    data.push_back({{"object", "embedding"}, {"index", data.size()}, {"embedding", value}});
  }
  return JsonResponse(
      {{"object", "list"},
       {"data", std::move(data)},
       {"model", model},
       {"usage", {{"prompt_tokens", embedded.tokens}, {"total_tokens", embedded.tokens}}}});
}

/// Texts, or objects with a "text".
std::vector<std::string> ReadDocuments(Fields& fields, const std::string& name) {
  std::vector<std::string> out;
  const json& list = fields.Array(name, kMaxDocuments);
  if (!list.is_array()) return out;
  for (const json& item : list) {
    const json& text = item.is_object() && item.contains("text") ? item["text"] : item;
    if (!text.is_string()) {
      fields.Complain(name, "expected texts, or objects with a text");
      return {};
    }
    out.push_back(text.get<std::string>());
  }
  return out;
}

/// llama-server's and Cohere's {"documents"}, answered with an object; or TEI's {"texts"}, answered
/// with a bare array.
Result<Response> Rerank(Service& service, const Request& request, const CancelToken& cancel) {
  VADE_TRY(const json body, ParseJson(request.body));
  Fields fields(body);
  const bool tei = fields.Has("texts");
  const std::string model = tei ? fields.String("model", service.models.settings().reranker, 512)
                                : fields.RequiredString("model", 512);
  const std::string query = fields.RequiredString("query");
  const auto documents = ReadDocuments(fields, tei ? "texts" : "documents");
  if (documents.empty()) fields.Complain(tei ? "texts" : "documents", "missing or empty");
  const auto most = static_cast<int64_t>(documents.size());
  const auto top = static_cast<size_t>(fields.Integer("top_n", 1, INT32_MAX, most));
  const bool with_text = fields.Bool(tei ? "return_text" : "return_documents", false);
  VADE_CHECK_OK(fields.Status());
  UseRecorder recorder(service, request, model);
  VADE_TRY(const auto lease,
           service.models.Encoder(model, ModelKind::kRerank, std::nullopt, &cancel));
  VADE_TRY(const RerankReply ranked, lease->client().Rerank(query, documents, false, &cancel));
  recorder.Record(ranked.tokens);
  std::vector<size_t> order(documents.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return ranked.scores[i]; });
  order.resize(std::min(order.size(), top));
  json results = json::array();
  for (const size_t i : order) {
    json item = {{"index", i}, {tei ? "score" : "relevance_score", ranked.scores[i]}};
    if (with_text && tei) item["text"] = documents[i];
    if (with_text && !tei) item["document"] = {{"text", documents[i]}};
    results.push_back(std::move(item));
  }
  if (tei) return JsonResponse(results);
  return JsonResponse(
      {{"model", model},
       {"object", "list"},
       {"results", std::move(results)},
       {"usage", {{"prompt_tokens", ranked.tokens}, {"total_tokens", ranked.tokens}}}});
}

// --- Models

json ModelEntry(const std::string& name, int64_t created, const json& meta) {
  return {{"id", name},
          {"object", "model"},
          {"created", created},
          {"owned_by", "vade"},
          {"meta", meta}};
}

json ModelEntries(Service& service) {
  json out = json::array({ModelEntry(std::string(kLibraryModel), service.started_at,
                                     {{"description", "answers from the library"}})});
  if (service.models.Route("")) {
    out.push_back(ModelEntry(std::string(kRoutedModel), service.started_at,
                             {{"description", "a small, medium or large model by the question"}}));
  }
  for (const InstalledModel& model : service.models.Installed()) {
    const int64_t created = model.facts ? model.facts->modified_at : service.started_at;
    json meta = json::object();
    if (model.facts) {
      meta = {{"n_ctx_train", model.facts->context_length},
              {"n_params", model.facts->num_values},
              {"size", model.facts->size_bytes},
              {"kind", ModelKindName(model.facts->kind)}};
    }
    out.push_back(ModelEntry(model.name, created, meta));
    if (model.facts) out.back()["max_model_len"] = service.models.ContextLength(*model.facts);
  }
  return out;
}

}  // namespace

void AddOpenAiRoutes(Router& router, Service& service) {
  router.Add("POST", "/v1/chat/completions", [&service](const Request& request, Reply& reply) {
    ChatCompletions(service, request, reply);
  });
  router.Add("POST", "/v1/completions", [&service](const Request& request, Reply& reply) {
    Completions(service, request, reply);
  });
  router.Add("POST", "/v1/embeddings", Replying(service, Embeddings));
  for (const char* path : {"/v1/rerank", "/rerank", "/reranking"}) {
    router.Add("POST", path, Replying(service, Rerank));
  }
  router.Add("GET", "/v1/models", [&service](const Request&, Reply& reply) {
    reply.Send(JsonResponse({{"object", "list"}, {"data", ModelEntries(service)}}));
  });
  router.Add("GET", "/v1/models/{name...}", [&service](const Request& request, Reply& reply) {
    for (const json& entry : ModelEntries(service)) {
      if (entry["id"] == request.params.at("name")) return reply.Send(JsonResponse(entry));
    }
    reply.Send(ErrorResponse(request.path, 404, "no such model"));
  });
}

}  // namespace vade::qa::server
