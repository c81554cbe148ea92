// A report as JSON: summary first, then per-question values.
#include <cmath>
#include <nlohmann/json.hpp>

#include "qa/answer/json_format.h"
#include "qa/eval/report_text.h"

namespace vade::qa::eval {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinity.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json ArmToJson(const Report& report, const ArmResult& arm) {
  Json measures = Json::object();
  for (size_t m = 0; m < report.input.measures.size(); ++m) {
    measures[report.input.measures[m].name] = {
        {"mean", arm.means[m]}, {"low", arm.intervals[m].low}, {"high", arm.intervals[m].high}};
  }
  Json out = {{"name", arm.name}, {"measures", std::move(measures)}, {"missing", arm.missing}};
  if (!arm.latencies_ms.empty()) {
    out["latency_ms"] = {{"p50", arm.latency_p50_ms}, {"p95", arm.latency_p95_ms}};
  }
  Json recall = Json::object();
  for (size_t i = 0; i < arm.recall_at.size(); ++i) {
    recall[std::to_string(report.recall_cutoffs[i])] = arm.recall_at[i];
  }
  out["recall_at"] = std::move(recall);
  out["precision_at_recall"] = arm.precision_at_recall;
  return out;
}

Json ComparisonToJson(const Report& report, const Comparison& each) {
  Json measures = Json::object();
  for (size_t m = 0; m < report.input.measures.size(); ++m) {
    const RandomizationTest& randomization = each.randomization[m];
    measures[report.input.measures[m].name] = {{"difference", each.t_tests[m].mean_difference},
                                               {"t", Number(each.t_tests[m].t)},
                                               {"t_test_p", each.t_tests[m].p},
                                               {"randomization_p", randomization.p},
                                               {"randomization_exact", randomization.exact},
                                               {"randomization_patterns", randomization.patterns},
                                               {"randomization_p_holm", each.adjusted_p[m]}};
  }
  return {{"arm", report.arms[each.b].name},
          {"against", report.arms[each.a].name},
          {"won", each.wins},
          {"tied", each.ties},
          {"lost", each.losses},
          {"measures", std::move(measures)}};
}

Json RefusalToJson(const Report& report) {
  const RefusalResult& refusal = *report.refusal;
  Json curve = Json::array();
  for (const auto& point : refusal.curve) {
    curve.push_back(
        {{"threshold", point.threshold}, {"precision", point.precision}, {"recall", point.recall}});
  }
  return {{"threshold", report.input.evidence_threshold},
          {"answerable_answered", refusal.answerable_answered},
          {"answerable_refused", refusal.answerable_refused},
          {"unanswerable_answered", refusal.unanswerable_answered},
          {"unanswerable_refused", refusal.unanswerable_refused},
          {"precision", refusal.precision},
          {"recall", refusal.recall},
          {"f1", refusal.f1},
          {"answers_checked", refusal.checked},
          {"answers_correct", refusal.correct},
          {"curve", std::move(curve)}};
}

Json QuestionsToJson(const Report& report) {
  Json questions = Json::array();
  for (size_t q = 0; q < report.query_ids.size(); ++q) {
    Json item = {{"id", report.query_ids[q]}};
    if (const Question* info = report.InfoOf(q); info != nullptr) {
      item["text"] = info->text;
      if (!info->type.empty()) item["type"] = info->type;
      if (!info->language.empty()) item["language"] = info->language;
    }
    for (const ArmResult& arm : report.arms) {
      Json values = Json::object();
      for (size_t m = 0; m < report.input.measures.size(); ++m) {
        values[report.input.measures[m].name] = arm.values[m][q];
      }
      item["values"][arm.name] = std::move(values);
    }
    questions.push_back(std::move(item));
  }
  return questions;
}

// Every answer with its evidence: what a threshold is calibrated on.
Json AnswersToJson(const Report& report) {
  Json answers = Json::array();
  for (const Question& question : report.input.questions) {
    const auto found = report.input.answers.find(question.id);
    if (found == report.input.answers.end()) continue;
    const AnswerOutcome& outcome = found->second;
    Json item = {{"id", question.id},
                 {"answerable", question.answerable},
                 {"refused", outcome.refused},
                 {"evidence", ToJson(outcome.evidence)}};
    if (outcome.contains) item["holds_reference"] = *outcome.contains;
    if (!outcome.refused) item["text"] = outcome.text;
    answers.push_back(std::move(item));
  }
  return answers;
}

}  // namespace

std::string FormatJson(const Report& report) {
  Json out = {{"title", report.input.title},
              {"ranking", report.input.ranking},
              {"facts", report.input.facts},
              {"warnings", report.input.warnings},
              {"judged_questions", report.query_ids.size()}};
  out["arms"] = Json::array();
  for (const ArmResult& arm : report.arms) out["arms"].push_back(ArmToJson(report, arm));
  out["comparisons"] = Json::array();
  for (const Comparison& each : report.comparisons) {
    out["comparisons"].push_back(ComparisonToJson(report, each));
  }
  out["groups"] = Json::array();
  for (const Breakdown& each : report.breakdowns) {
    Json item = {{"group", each.group}, {"questions", each.questions}};
    for (size_t i = 0; i < each.means.size(); ++i) item[report.arms[i].name] = each.means[i];
    out["groups"].push_back(std::move(item));
  }
  if (report.refusal) {
    out["refusal"] = RefusalToJson(report);
    out["answers"] = AnswersToJson(report);
  }
  if (!report.input.lost.empty()) {
    out["lost"] = Json::array();
    for (const LostDocument& lost : report.input.lost) {
      out["lost"].push_back({{"question", lost.question},
                             {"document", lost.doc},
                             {"stage", LossStageName(lost.stage)},
                             {"lexical_rank", lost.lexical_rank},
                             {"dense_rank", lost.dense_rank},
                             {"final_rank", lost.final_rank}});
    }
  }
  out["questions"] = QuestionsToJson(report);
  // Ids and texts come from files: anything that is not UTF-8 is replaced rather than refused.
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vade::qa::eval
