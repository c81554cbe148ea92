// trec_eval's measure table, in its order of printing, and the parser of measure arguments.
#include "qa/eval/trec_measures.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <set>

#include "qa/eval/rank_measures.h"

namespace vade::qa::eval {
namespace {

enum class ParamKind {
  kNone,
  kRanks,      // whole cut-offs: one value each, named "P_10"
  kFractions,  // real cut-offs: one value each, named "iprec_at_recall_0.10"
  kNumbers,    // an ordered list that changes one value, named with the text: "set_F_0.5"
  kGains,      // level=gain pairs, named with the text
};

struct Definition {
  std::string_view name;
  Aggregation aggregation;
  void (*compute)(const Ranking&, MeasureParams, std::span<double>);
  ParamKind param_kind = ParamKind::kNone;
  std::vector<double> defaults = {};
};

// Groups are bit sets of the table.
enum Group : unsigned { kOfficial = 1, kAllTrec = 2, kSet = 4 };
struct Entry {
  Definition definition;
  unsigned groups;
};

const std::vector<double> kRankCutoffs = {5, 10, 15, 20, 30, 100, 200, 500, 1000};
const std::vector<double> kRecallPoints = {0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1};

const std::vector<Entry>& Table() {
  using enum Aggregation;
  using enum ParamKind;
  static const std::vector<Entry> table = {
      {{"runid", kRunTag, nullptr}, kOfficial | kAllTrec | kSet},
      {{"num_q", kNumQueries, nullptr}, kOfficial | kAllTrec | kSet},
      {{"num_ret", kSum, NumRet}, kOfficial | kAllTrec | kSet},
      {{"num_rel", kSum, NumRel}, kOfficial | kAllTrec | kSet},
      {{"num_rel_ret", kSum, NumRelRet}, kOfficial | kAllTrec | kSet},
      {{"map", kMean, AveragePrecision}, kOfficial | kAllTrec},
      {{"gm_map", kGeometricMean, AveragePrecision}, kOfficial | kAllTrec},
      {{"Rprec", kMean, RPrecision}, kOfficial | kAllTrec},
      {{"bpref", kMean, Bpref}, kOfficial | kAllTrec},
      {{"recip_rank", kMean, ReciprocalRank}, kOfficial | kAllTrec},
      {{"iprec_at_recall", kMean, InterpolatedPrecision, kFractions, kRecallPoints},
       kOfficial | kAllTrec},
      {{"P", kMean, Precision, kRanks, kRankCutoffs}, kOfficial | kAllTrec},
      {{"relstring", kText, nullptr, kNumbers, {10}}, kAllTrec},
      {{"recall", kMean, Recall, kRanks, kRankCutoffs}, kAllTrec},
      {{"infAP", kMean, InferredAp}, kAllTrec},
      {{"gm_bpref", kGeometricMean, Bpref}, kAllTrec},
      {{"Rprec_mult",
        kMean,
        RPrecisionMultiples,
        kFractions,
        {.2, .4, .6, .8, 1, 1.2, 1.4, 1.6, 1.8, 2}},
       kAllTrec},
      {{"utility", kMean, Utility, kNumbers, {1, -1, 0, 0}}, kAllTrec | kSet},
      {{"11pt_avg", kMean, ElevenPointAverage, kNumbers, kRecallPoints}, kAllTrec},
      {{"binG", kMean, BinaryGain}, kAllTrec},
      {{"G", kMean, NormalizedGain, kGains}, kAllTrec},
      {{"ndcg", kMean, Ndcg, kGains}, kAllTrec},
      {{"ndcg_rel", kMean, NdcgRel, kGains}, kAllTrec},
      {{"Rndcg", kMean, Rndcg, kGains}, kAllTrec},
      {{"ndcg_cut", kMean, NdcgCut, kRanks, kRankCutoffs}, kAllTrec},
      {{"map_cut", kMean, AveragePrecisionCut, kRanks, kRankCutoffs}, kAllTrec},
      {{"relative_P", kMean, RelativePrecision, kRanks, kRankCutoffs}, kAllTrec},
      {{"success", kMean, Success, kRanks, {1, 5, 10}}, kAllTrec},
      {{"set_P", kMean, SetPrecision}, kAllTrec | kSet},
      {{"set_relative_P", kMean, SetRelativePrecision}, kAllTrec | kSet},
      {{"set_recall", kMean, SetRecall}, kAllTrec | kSet},
      {{"set_map", kMean, SetMap}, kAllTrec | kSet},
      {{"set_F", kMean, SetF, kNumbers, {1}}, kAllTrec | kSet},
      {{"num_nonrel_judged_ret", kSum, NumNonrelJudgedRet}, kAllTrec},
      {{"yaap", kMean, SmoothedAp}, 0},
  };
  return table;
}

/// What the arguments say about one measure of the table.
struct Request {
  bool wanted = false;
  std::string text;            // parameters as given, united by commas
  std::vector<double> params;  // empty: the defaults
};

Result<double> ParseNumber(std::string_view text, const std::string& argument) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::abs(value) <= 1e9) {
    return value;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "measure '" + argument + "': '" + std::string(text) + "' is not a number");
}

Result<std::vector<double>> ParseParams(std::string_view text, ParamKind kind,
                                        const std::string& argument) {
  std::vector<double> params;
  while (true) {
    const size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    if (kind == ParamKind::kGains) {
      const size_t equals = item.find('=');
      if (equals == std::string_view::npos) {
        return Fail(ErrorCode::kInvalidArgument,
                    "measure '" + argument + "': want level=gain pairs, as in ndcg.1=1,2=3");
      }
      VADE_TRY(const double level, ParseNumber(item.substr(0, equals), argument));
      if (level != static_cast<int>(std::clamp(level, -1e6, 1e6))) {
        return Fail(ErrorCode::kInvalidArgument,
                    "measure '" + argument + "': a relevance level is a whole number");
      }
      params.push_back(level);
      item.remove_prefix(equals + 1);
    }
    VADE_TRY(const double value, ParseNumber(item, argument));
    if (kind == ParamKind::kRanks &&
        (value < 1 || value != static_cast<double>(static_cast<int64_t>(value)))) {
      return Fail(ErrorCode::kInvalidArgument,
                  "measure '" + argument + "': a cut-off is a whole number from 1");
    }
    params.push_back(value);
    if (comma == std::string_view::npos) return params;
    text.remove_prefix(comma + 1);
  }
}

Result<void> AddArgument(const std::string& argument, std::vector<Request>& requests) {
  const std::vector<Entry>& table = Table();
  static constexpr std::array<std::pair<std::string_view, unsigned>, 3> kGroups = {
      {{"official", kOfficial}, {"all_trec", kAllTrec}, {"set", kSet}}};
  for (const auto& [name, bit] : kGroups) {
    if (argument != name) continue;
    for (size_t i = 0; i < table.size(); ++i) {
      if ((table[i].groups & bit) != 0) requests[i].wanted = true;
    }
    return {};
  }
  const size_t dot = argument.find('.');
  const std::string_view name = std::string_view(argument).substr(0, dot);
  for (size_t i = 0; i < table.size(); ++i) {
    const Definition& definition = table[i].definition;
    if (definition.name != name) continue;
    requests[i].wanted = true;
    if (dot == std::string::npos) return {};
    if (definition.param_kind == ParamKind::kNone) {
      return Fail(ErrorCode::kInvalidArgument,
                  "measure '" + std::string(name) + "' takes no parameters");
    }
    const std::string_view text = std::string_view(argument).substr(dot + 1);
    VADE_TRY(const std::vector<double> params, ParseParams(text, definition.param_kind, argument));
    requests[i].params.insert(requests[i].params.end(), params.begin(), params.end());
    requests[i].text.append(requests[i].text.empty() ? "" : ",").append(text);
    return {};
  }
  std::string known = "official all_trec set";
  for (const Entry& entry : table) known.append(" ").append(entry.definition.name);
  return Fail(ErrorCode::kInvalidArgument,
              "unknown trec_eval measure '" + argument + "'; known: " + known);
}

std::string FractionName(std::string_view name, double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "_%3.2f", value);
  return std::string(name) + text;
}

TrecMeasure Build(const Definition& definition, const Request& request) {
  TrecMeasure measure{definition.aggregation,
                      definition.compute,
                      request.params.empty() ? definition.defaults : request.params,
                      {}};
  const std::string name(definition.name);
  switch (definition.param_kind) {
    case ParamKind::kRanks:
    case ParamKind::kFractions: {
      std::sort(measure.params.begin(), measure.params.end());
      measure.params.erase(std::unique(measure.params.begin(), measure.params.end()),
                           measure.params.end());
      for (const double value : measure.params) {
        measure.names.push_back(definition.param_kind == ParamKind::kRanks
                                    ? name + "_" + std::to_string(static_cast<int64_t>(value))
                                    : FractionName(name, value));
      }
      break;
    }
    case ParamKind::kNone:
    case ParamKind::kNumbers:
    case ParamKind::kGains:
      measure.names.push_back(request.text.empty() ? name : name + "_" + request.text);
  }
  return measure;
}

}  // namespace

Result<std::vector<TrecMeasure>> ParseTrecMeasures(std::span<const std::string> arguments,
                                                   int64_t num_docs_in_collection) {
  const std::vector<Entry>& table = Table();
  std::vector<Request> requests(table.size());
  if (arguments.empty()) VADE_CHECK_OK(AddArgument("official", requests));
  for (const std::string& argument : arguments) VADE_CHECK_OK(AddArgument(argument, requests));
  std::vector<TrecMeasure> measures;
  for (size_t i = 0; i < table.size(); ++i) {
    if (!requests[i].wanted) continue;
    TrecMeasure measure = Build(table[i].definition, requests[i]);
    if (table[i].definition.compute == Utility) {
      if (measure.params.size() != 4) {
        return Fail(ErrorCode::kInvalidArgument, "measure utility wants 4 weights, got " +
                                                     std::to_string(measure.params.size()));
      }
      measure.params.resize(5);
      measure.params[4] = static_cast<double>(num_docs_in_collection);
    }
    measures.push_back(std::move(measure));
  }
  return measures;
}

}  // namespace vade::qa::eval
