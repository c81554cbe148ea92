// A test collection: documents, questions, judgments. Loaded from a BEIR folder or SQuAD 2 JSON.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "qa/eval/relevance.h"

namespace vade::qa::eval {

struct CorpusDocument {
  std::string id;
  std::string title;
  std::string text;
};

struct Question {
  std::string id;
  std::string text;
  std::string type;      // "procedural", "table", ...; empty when the collection does not say
  std::string language;  // BCP 47; empty when the collection does not say
  std::vector<std::string> answer_contains;  // what a right answer holds; "a|b": either will do
  bool answerable = true;
};

struct Collection {
  std::string name;
  std::string split;
  std::vector<CorpusDocument> corpus;
  std::vector<Question>
      questions;  // of the split, in file order: judged ones and unanswerable ones
  Qrels qrels;
  /// Folder whose files the ids of the corpus name ("pump.pdf#p=12"); empty when the corpus is the
  /// documents itself.
  std::filesystem::path documents;
  std::vector<std::string> warnings;
};

/// Loads `path`: a BEIR folder (corpus.jsonl, queries.jsonl, qrels/SPLIT.tsv), a folder of
/// documents with such a folder in it called eval, or SQuAD 2 JSON (a file, or a folder with one).
/// Errors: kNotFound naming what is missing and which splits exist; kCorruptData with file and
/// line.
[[nodiscard]] Result<Collection> LoadCollection(const std::filesystem::path& path,
                                                std::string_view split);

/// Each paragraph is a document "title#n", judged relevant for its own answerable questions.
[[nodiscard]] Result<Collection> ParseSquad(std::string_view text, std::string_view name);

/// One line per object; `_id` a string or a whole number.
[[nodiscard]] Result<std::vector<CorpusDocument>> ParseBeirCorpus(std::string_view text,
                                                                  std::string_view name);
/// `split` filters questions whose metadata names another one.
[[nodiscard]] Result<std::vector<Question>> ParseBeirQueries(std::string_view text,
                                                             std::string_view name,
                                                             std::string_view split);

}  // namespace vade::qa::eval
