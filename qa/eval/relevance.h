// Relevance judgments and runs: what evaluation compares. Formats are read elsewhere.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace vade::qa::eval {

/// How relevant a document is to a question. Grades below zero: in the pool, but not judged.
struct Judgment {
  std::string doc;
  int grade = 0;
};

/// Question id -> judgments, sorted by document id, no document twice. Ids compare as bytes.
using Qrels = std::map<std::string, std::vector<Judgment>, std::less<>>;

struct Retrieved {
  std::string doc;
  double score = 0;
};

/// A system's answers: question id -> documents with scores, in any order, no document twice.
struct Run {
  std::string tag;  // the system's name
  std::map<std::string, std::vector<Retrieved>, std::less<>> queries;
};

/// Grades trec_eval stores without loss.
inline constexpr int kMinGrade = -127;
inline constexpr int kMaxGrade = 127;

}  // namespace vade::qa::eval
