// BEIR folders: JSON lines for documents and questions, tables for judgments.
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/mapped_file.h"
#include "engine/base/utf8.h"
#include "qa/eval/collection.h"
#include "qa/eval/trec_format.h"

namespace vade::qa::eval {
namespace {

using Json = nlohmann::json;

std::string StringAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Ids are strings; a whole number is taken as its digits, since many collections write it so.
std::string IdOf(const Json& object) {
  const auto found = object.find("_id");
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : std::string();
}

/// Calls visit(object, where) for each line of JSON lines.
Result<void> ForEachLine(
    std::string_view text, std::string_view name,
    const std::function<Result<void>(const Json&, const std::string&)>& visit) {
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::string where = std::string(name) + ":" + std::to_string(number) + ": ";
    const Json object = Json::parse(line.begin(), line.end(), nullptr, false);
    if (!object.is_object()) return Fail(ErrorCode::kCorruptData, where + "not a JSON object");
    if (IdOf(object).empty()) {
      return Fail(ErrorCode::kCorruptData, where + "no \"_id\" (a string or a whole number)");
    }
    VADE_CHECK_OK(visit(object, where));
  }
  return {};
}

std::string_view TextOf(const MappedFile& file) {
  const auto bytes = file.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The splits there are, for a message.
std::string SplitsIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".tsv") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

Result<Qrels> LoadSplit(const std::filesystem::path& folder, std::string_view split) {
  const auto path = folder / "qrels" / (std::string(split) + ".tsv");
  auto qrels = LoadQrels(path);
  if (qrels || qrels.error().code != ErrorCode::kNotFound) return qrels;
  const std::string splits = SplitsIn(folder / "qrels");
  return Fail(ErrorCode::kNotFound,
              path.string() + ": no such file; " +
                  (splits.empty() ? "a BEIR folder has its judgments in qrels/test.tsv"
                                  : "choose with --split: " + splits));
}

/// Judgments that name nothing we have: told, not fatal, and scored as not found.
void CheckIds(Collection& collection) {
  std::set<std::string_view> documents;
  for (const auto& document : collection.corpus) documents.insert(document.id);
  size_t unknown_documents = 0;
  std::string example;
  for (const auto& [query, judgments] : collection.qrels) {
    for (const Judgment& judgment : judgments) {
      if (documents.contains(judgment.doc)) continue;
      if (unknown_documents++ == 0) example = judgment.doc;
    }
  }
  if (unknown_documents > 0) {
    collection.warnings.push_back(std::to_string(unknown_documents) +
                                  " judged documents are not in the corpus, such as '" + example +
                                  "'");
  }
}

/// Where the files are that the corpus speaks of: ids of the form "file#unit", with the file below
/// the parent folder.
std::filesystem::path DocumentsOf(const std::filesystem::path& folder,
                                  const std::vector<CorpusDocument>& corpus) {
  if (corpus.empty()) return {};
  std::error_code error;
  const auto parent = std::filesystem::absolute(folder, error).lexically_normal();
  const auto root =
      parent.has_filename() ? parent.parent_path() : parent.parent_path().parent_path();
  std::set<std::string> files;
  for (const CorpusDocument& document : corpus) {
    const size_t mark = document.id.find('#');
    if (mark == std::string::npos || mark == 0) return {};
    files.insert(document.id.substr(0, mark));
  }
  const bool all_there = std::all_of(files.begin(), files.end(), [&](const std::string& file) {
    return std::filesystem::is_regular_file(root / file, error);
  });
  return all_there ? root : std::filesystem::path();
}

Result<Collection> LoadBeir(const std::filesystem::path& folder, std::string_view split) {
  Collection collection;
  collection.split = split;
  VADE_TRY(const MappedFile corpus, MappedFile::Open(folder / "corpus.jsonl"));
  VADE_TRY(collection.corpus, ParseBeirCorpus(TextOf(corpus), (folder / "corpus.jsonl").string()));
  VADE_TRY(const MappedFile queries, MappedFile::Open(folder / "queries.jsonl"));
  VADE_TRY(const std::vector<Question> questions,
           ParseBeirQueries(TextOf(queries), (folder / "queries.jsonl").string(), split));
  VADE_TRY(collection.qrels, LoadSplit(folder, split));
  std::set<std::string_view> known;
  for (const Question& question : questions) {
    known.insert(question.id);
    if (!question.answerable || collection.qrels.contains(question.id)) {
      collection.questions.push_back(question);
    }
  }
  for (auto it = collection.qrels.begin(); it != collection.qrels.end();) {
    if (known.contains(it->first)) {
      ++it;
      continue;
    }
    collection.warnings.push_back("query '" + it->first +
                                  "' is judged but not in queries.jsonl; left out");
    it = collection.qrels.erase(it);
  }
  CheckIds(collection);
  collection.documents = DocumentsOf(folder, collection.corpus);
  return collection;
}

/// The only *.json file of a folder.
std::filesystem::path OnlyJsonFile(const std::filesystem::path& folder) {
  std::filesystem::path found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".json") continue;
    if (!found.empty()) return {};
    found = entry.path();
  }
  return found;
}

std::string NameOf(const std::filesystem::path& path) {
  const auto normal = std::filesystem::absolute(path).lexically_normal();
  return normal.has_filename() ? normal.filename().string()
                               : normal.parent_path().filename().string();
}

}  // namespace

Result<std::vector<CorpusDocument>> ParseBeirCorpus(std::string_view text, std::string_view name) {
  std::vector<CorpusDocument> corpus;
  std::set<std::string> ids;
  VADE_CHECK_OK(
      ForEachLine(text, name, [&](const Json& object, const std::string& where) -> Result<void> {
        CorpusDocument document{IdOf(object), StringAt(object, "title"), StringAt(object, "text")};
        if (!ids.insert(document.id).second) {
          return Fail(ErrorCode::kCorruptData,
                      where + "document '" + document.id + "' is there twice");
        }
        corpus.push_back(std::move(document));
        return {};
      }));
  if (corpus.empty()) return Fail(ErrorCode::kCorruptData, std::string(name) + ": no documents");
  return corpus;
}

Result<std::vector<Question>> ParseBeirQueries(std::string_view text, std::string_view name,
                                               std::string_view split) {
  std::vector<Question> questions;
  std::set<std::string> ids;
  VADE_CHECK_OK(
      ForEachLine(text, name, [&](const Json& object, const std::string& where) -> Result<void> {
        Question question;
        question.id = IdOf(object);
        question.text = StringAt(object, "text");
        if (question.text.empty()) {
          return Fail(ErrorCode::kCorruptData, where + "no \"text\"");
        }
        if (!ids.insert(question.id).second) {
          return Fail(ErrorCode::kCorruptData,
                      where + "query '" + question.id + "' is there twice");
        }
        const auto found = object.find("metadata");
        const Json& extra = found != object.end() && found->is_object() ? *found : object;
        if (const std::string named = StringAt(extra, "split"); !named.empty() && named != split) {
          return {};
        }
        question.type = StringAt(extra, "type");
        question.language = StringAt(extra, "language");
        const Json marked = extra.value("unanswerable", Json(false));
        question.answerable = question.type != "unanswerable" && marked != Json(true);
        if (const auto strings = extra.find("answer_contains");
            strings != extra.end() && strings->is_array()) {
          for (const Json& each : *strings) {
            if (each.is_string()) question.answer_contains.push_back(each.get<std::string>());
          }
        }
        questions.push_back(std::move(question));
        return {};
      }));
  if (questions.empty()) {
    return Fail(ErrorCode::kCorruptData,
                std::string(name) + ": no questions of split '" + std::string(split) + "'");
  }
  return questions;
}

Result<Collection> LoadCollection(const std::filesystem::path& path, std::string_view split) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Fail(ErrorCode::kNotFound, utf8::Escape(path.string()) + ": no such folder");
  }
  const auto corpus_in = [&](const std::filesystem::path& folder) {
    return std::filesystem::is_regular_file(folder / "corpus.jsonl", error);
  };
  Result<Collection> collection;
  if (corpus_in(path) || corpus_in(path / "eval")) {
    collection = LoadBeir(corpus_in(path) ? path : path / "eval", split);
  } else {
    const auto json = std::filesystem::is_directory(path, error) ? OnlyJsonFile(path) : path;
    if (json.empty()) {
      return Fail(ErrorCode::kNotFound,
                  utf8::Escape(path.string()) +
                      ": no corpus.jsonl here or in eval/, and no single SQuAD .json file");
    }
    VADE_TRY(const MappedFile file, MappedFile::Open(json));
    collection = ParseSquad(TextOf(file), json.string());
  }
  if (!collection) return collection;
  collection->name = collection->documents.empty() ? NameOf(path) : NameOf(collection->documents);
  return collection;
}

}  // namespace vade::qa::eval
