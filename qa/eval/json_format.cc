// Judgments and runs as JSON: one streaming handler, so that hostile nesting or size builds no
// tree.
#include "qa/eval/json_format.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vade::qa::eval {
namespace {

using Entries = std::map<std::string, std::map<std::string, double>>;

/// Accepts exactly {"query": {"document": number, ...}, ...}.
class DictOfDict final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Entries entries;
  std::string problem;

  bool null() override { return Reject("null"); }
  bool boolean(bool) override { return Reject("true or false"); }
  bool number_integer(number_integer_t value) override {
    return Number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return Number(value); }
  bool string(string_t&) override { return Reject("a string"); }
  bool binary(binary_t&) override { return Reject("binary data"); }
  bool start_array(size_t) override { return Reject("an array"); }
  bool end_array() override { return true; }

  bool start_object(size_t) override {
    if (++depth_ > 2) return Reject("an object");
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }

  bool key(string_t& name) override {
    if (depth_ == 1) {
      query_ = name;
      if (entries.contains(query_)) return Stop("query '" + query_ + "' occurs twice");
      entries[query_];
    } else {
      document_ = name;
      if (entries[query_].contains(document_)) {
        return Stop("document '" + document_ + "' occurs twice for query '" + query_ + "'");
      }
    }
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Stop("not valid JSON at byte " + std::to_string(position));
  }

 private:
  bool Number(double value) {
    if (depth_ != 2) return Reject("a number");
    entries[query_][document_] = value;
    return true;
  }
  bool Reject(std::string_view what) {
    return Stop("got " + std::string(what) + " where {\"query\": {\"document\": number}} has none" +
                (query_.empty() ? "" : " (near query '" + query_ + "')"));
  }
  bool Stop(std::string reason) {
    if (problem.empty()) problem = std::move(reason);
    return false;
  }

  int depth_ = 0;
  std::string query_;
  std::string document_;
};

Result<Entries> ParseEntries(std::string_view text, std::string_view name) {
  DictOfDict handler;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &handler)) {
    return Fail(ErrorCode::kCorruptData, std::string(name) + ": " + handler.problem);
  }
  if (handler.entries.empty()) {
    return Fail(ErrorCode::kCorruptData, std::string(name) + ": no queries");
  }
  return std::move(handler.entries);
}

}  // namespace

Result<Qrels> ParseJsonQrels(std::string_view text, std::string_view name) {
  VADE_TRY(const Entries entries, ParseEntries(text, name));
  Qrels qrels;
  for (const auto& [query, documents] : entries) {
    std::vector<Judgment>& judgments = qrels[query];
    for (const auto& [document, value] : documents) {
      if (!(value >= kMinGrade && value <= kMaxGrade) || value != std::floor(value)) {
        return Fail(ErrorCode::kCorruptData,
                    std::string(name) + ": query '" + query + "', document '" + document +
                        "': relevance is not a whole number from -127 to 127");
      }
      judgments.push_back({document, static_cast<int>(value)});
    }
  }
  return qrels;
}

Result<Run> ParseJsonRun(std::string_view text, std::string_view name) {
  VADE_TRY(const Entries entries, ParseEntries(text, name));
  Run run;
  for (const auto& [query, documents] : entries) {
    std::vector<Retrieved>& retrieved = run.queries[query];
    for (const auto& [document, score] : documents) {
      if (!std::isfinite(score)) {
        return Fail(ErrorCode::kCorruptData, std::string(name) + ": query '" + query +
                                                 "', document '" + document +
                                                 "': the score is not a finite number");
      }
      retrieved.push_back({document, score});
    }
  }
  return run;
}

}  // namespace vade::qa::eval
