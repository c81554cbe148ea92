#include "qa/server/answering.h"

#include <memory>
#include <optional>
#include <utility>

#include "engine/base/utf8.h"
#include "qa/answer/json_format.h"
#include "qa/server/event_stream.h"
#include "qa/server/generation.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

/// What a refusal says.
std::string RefusalText(const json& answer) {
  return answer["language"] == "ko" ? "이 문서들에 없습니다." : "Not in these documents.";
}

struct Chosen {
  std::optional<GeneratorUse> use;  // none: composed
  std::optional<Routing> routing;
};

Result<Chosen> ChooseModel(Service& service, const LibraryQuestion& question,
                           const LibrarySinks& sinks, const CancelToken& cancel) {
  Chosen out;
  std::string name =
      question.model.empty() ? service.models.settings().default_model : question.model;
  if (question.composed || name.empty()) return out;
  if (name == kRoutedModel) {
    VADE_TRY(out.routing, service.models.Route(question.text));
    name = out.routing->model;
    if (sinks.routed) sinks.routed(*out.routing);
  }
  if (sinks.stage) sinks.stage("model");
  VADE_TRY(out.use, service.models.Generator(name, std::nullopt, &cancel));
  return out;
}

LibraryAnswer Again(const CachedAnswer& known) {
  LibraryAnswer answer;
  answer.json = json::parse(known.json);
  answer.json["cached"] = true;
  answer.history = known.history;
  return answer;
}

void FillText(LibraryAnswer& answer) {
  if (answer.reply.text.empty()) {
    answer.reply.text = answer.json["refused"] == true ? RefusalText(answer.json)
                                                       : answer.json["answer"].get<std::string>();
  }
}

}  // namespace

Result<LibraryAnswer> AnswerQuestion(Service& service, const Request& request,
                                     const LibraryQuestion& question, const LibrarySinks& sinks,
                                     const CancelToken& cancel) {
  VADE_TRY(const auto store, service.library.Open());
  std::string key;
  if (!question.cache_key.empty()) {
    VADE_TRY(const int64_t generation, store->GetGeneration());
    key = std::to_string(generation) + question.cache_key;
    if (const auto known = service.answers.Find(key)) {
      LibraryAnswer answer = Again(**known);
      const json& model = answer.json["model"];
      if (model.is_string()) UseRecorder(service, request, model).Record(0, true);
      FillText(answer);
      return answer;
    }
  }
  VADE_TRY(const Chosen chosen, ChooseModel(service, question, sinks, cancel));
  if (sinks.stage) sinks.stage("search");
  Chat chat(store.get(), &service.library.embedder(),
            chosen.use ? chosen.use->model.get() : nullptr);
  chat.history() = question.history;
  std::optional<UseRecorder> recorder;
  if (chosen.use) recorder.emplace(service, request, chosen.use->name);
  LibraryAnswer answer;
  ChatSinks told;
  told.progress = sinks.progress;
  told.found = [&](const retriever::SearchResult& result) {
    if (sinks.found) sinks.found(result);
    if (sinks.stage && chosen.use) sinks.stage("generate");
  };
  told.token = [&](std::string_view text) {
    recorder->FirstToken();
    return !sinks.token || sinks.token(text);
  };
  told.sentence = [&](const GroundedSentence& sentence) {
    answer.streamed = true;
    return (!sinks.sentence || sinks.sentence(sentence)) &&
           (!sinks.shown || sinks.shown(ShowSentence(sentence)));
  };
  VADE_TRY(const ChatReply reply, chat.Ask(question.text, question.chat, told, &cancel));
  if (reply.written) {
    recorder->Record(reply.written->generation);
    answer.reply = reply.written->generation;
    answer.reply.text = reply.written->refused ? "" : reply.written->Text();
    answer.streamed &= !reply.written->refused;
    answer.json = ToJson(*reply.written);
    answer.json["language"] = reply.written->language == Language::kKorean ? "ko" : "en";
  } else {
    answer.json = ToJson(*reply.composed);
  }
  answer.history = std::move(chat.history());
  answer.json["question"] = utf8::Repair(question.text);
  answer.json["standalone"] = utf8::Repair(reply.standalone);
  answer.json["model"] = chosen.use ? json(chosen.use->name) : json(nullptr);
  if (chosen.routing) {
    answer.json["route"] = {{"model", chosen.routing->model},
                            {"size", chosen.routing->size},
                            {"reason", chosen.routing->reason}};
  }
  answer.json["cached"] = false;
  if (!key.empty()) {
    std::string text = Dump(answer.json);
    const size_t size = 2 * text.size();  // the history holds much of it again
    service.answers.Put(
        std::move(key),
        std::make_shared<const CachedAnswer>(CachedAnswer{std::move(text), answer.history}), size);
  }
  FillText(answer);
  return answer;
}

ChatHistory HistoryOf(std::span<const engine::ChatMessage> messages) {
  std::vector<ChatTurn> turns;
  std::string question;
  for (const engine::ChatMessage& message : messages) {
    if (message.role == "user") {
      question = message.content;
    } else if (message.role == "assistant" && !question.empty()) {
      ChatTurn turn;
      turn.question = turn.standalone = std::exchange(question, "");
      turn.answer = turn.words = message.content;
      turns.push_back(std::move(turn));
    }
  }
  ChatHistory history;
  history.Replace(std::move(turns));
  return history;
}

}  // namespace vade::qa::server
