// SQuAD 2.0 JSON: paragraphs as documents; half of the questions have no answer in any of them.
#include <nlohmann/json.hpp>

#include "qa/eval/collection.h"

namespace vade::qa::eval {
namespace {

using Json = nlohmann::json;

const Json kNone;

const Json& Field(const Json& object, const char* key) {
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

std::string StringField(const Json& object, const char* key) {
  const Json& value = Field(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// The distinct reference answers, any of which will do.
std::string Alternatives(const Json& question) {
  std::string out;
  for (const Json& answer : Field(question, "answers")) {
    const std::string text = StringField(answer, "text");
    if (text.empty() || ("|" + out + "|").find("|" + text + "|") != std::string::npos) continue;
    out.append(out.empty() ? "" : "|").append(text);
  }
  return out;
}

Result<void> AddQuestion(const Json& item, const std::string& document, std::string_view name,
                         Collection& collection) {
  Question question;
  question.id = StringField(item, "id");
  question.text = StringField(item, "question");
  if (question.id.empty() || question.text.empty()) {
    return Fail(ErrorCode::kCorruptData,
                std::string(name) + ": a question of '" + document + "' has no id or no text");
  }
  const Json& impossible = Field(item, "is_impossible");
  question.answerable = !(impossible.is_boolean() && impossible.get<bool>());
  question.type = question.answerable ? "answerable" : "unanswerable";
  question.language = "en";
  if (question.answerable) {
    question.answer_contains = {Alternatives(item)};
    if (!collection.qrels.try_emplace(question.id, std::vector<Judgment>{{document, 1}}).second) {
      return Fail(ErrorCode::kCorruptData,
                  std::string(name) + ": question '" + question.id + "' is there twice");
    }
  }
  collection.questions.push_back(std::move(question));
  return {};
}

}  // namespace

Result<Collection> ParseSquad(std::string_view text, std::string_view name) {
  const Json root = Json::parse(text.begin(), text.end(), nullptr, false);
  const Json& data = Field(root, "data");
  if (!data.is_array()) {
    return Fail(ErrorCode::kCorruptData,
                std::string(name) + ": not SQuAD JSON: want an object with a \"data\" array");
  }
  Collection collection;
  collection.split = "all";
  for (const Json& article : data) {
    const std::string title = StringField(article, "title");
    size_t ordinal = 0;
    for (const Json& paragraph : Field(article, "paragraphs")) {
      CorpusDocument document{title + "#" + std::to_string(ordinal++), title,
                              StringField(paragraph, "context")};
      for (char& c : document.id) c = c == ' ' ? '_' : c;  // ids stand in TREC runs
      for (char& c : document.title) c = c == '_' ? ' ' : c;
      for (const Json& item : Field(paragraph, "qas")) {
        VADE_CHECK_OK(AddQuestion(item, document.id, name, collection));
      }
      collection.corpus.push_back(std::move(document));
    }
  }
  if (collection.corpus.empty() || collection.questions.empty()) {
    return Fail(ErrorCode::kCorruptData, std::string(name) + ": no paragraphs or no questions");
  }
  return collection;
}

}  // namespace vade::qa::eval
