// Measures by name: a small grammar, a table of aliases, and the functions of trec_eval's table.
#include "qa/eval/measure.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "qa/eval/rank_measures.h"

namespace vade::qa::eval {
namespace {

/// A measure's name taken apart; canonical base name, not yet checked.
struct Spec {
  std::string base;
  std::optional<size_t> cutoff;
  std::optional<int> relevance_level;
  double persistence = 0.8;
};

enum class Cutoff { kNever, kOptional, kRequired };

struct Known {
  std::string_view name;
  Cutoff cutoff;
  double (*compute)(const Ranking&, const Spec&);
};

using TrecFunction = void (*)(const Ranking&, MeasureParams, std::span<double>);

double Call(TrecFunction function, const Ranking& ranking, MeasureParams params = {}) {
  double value = 0;
  function(ranking, params, {&value, 1});
  return value;
}

template <TrecFunction kFunction>
double Plain(const Ranking& ranking, const Spec&) {
  return Call(kFunction, ranking);
}

template <TrecFunction kFunction>
double AtCutoff(const Ranking& ranking, const Spec& spec) {
  const auto cutoff = static_cast<double>(*spec.cutoff);
  return Call(kFunction, ranking, {&cutoff, 1});
}

/// Without a cut-off the measure of the whole list.
template <TrecFunction kWhole, TrecFunction kCut>
double MaybeAtCutoff(const Ranking& ranking, const Spec& spec) {
  return spec.cutoff ? AtCutoff<kCut>(ranking, spec) : Plain<kWhole>(ranking, spec);
}

double ReciprocalRankAt(const Ranking& ranking, const Spec& spec) {
  const double value = Call(ReciprocalRank, ranking);
  return spec.cutoff && value * static_cast<double>(*spec.cutoff) < 1.0 - 1e-9 ? 0.0 : value;
}

/// nDCG with gain 2^grade - 1 (Burges et al., ICML 2005).
double ExponentialNdcg(const Ranking& ranking, const Spec& spec) {
  std::vector<double> gain_pairs;
  for (size_t level = 1; level < ranking.level_counts.size(); ++level) {
    gain_pairs.push_back(static_cast<double>(level));
    gain_pairs.push_back(std::exp2(static_cast<double>(level)) - 1.0);
  }
  if (!spec.cutoff) return Call(Ndcg, ranking, gain_pairs);
  return NdcgAt(ranking, gain_pairs, *spec.cutoff);
}

/// Share of the top k that somebody judged: low values mean that the other numbers guess.
double Judged(const Ranking& ranking, const Spec& spec) {
  const size_t end = std::min(*spec.cutoff, ranking.grades.size());
  const auto judged = std::count_if(ranking.grades.begin(),
                                    ranking.grades.begin() + static_cast<std::ptrdiff_t>(end),
                                    [](int grade) { return grade >= 0; });
  return end == 0 ? 0.0 : static_cast<double>(judged) / static_cast<double>(end);
}

/// Rank-biased precision, binary (Moffat and Zobel, ACM TOIS 27(1), 2008).
double RankBiasedPrecision(const Ranking& ranking, const Spec& spec) {
  double weight = 1.0 - spec.persistence;
  double sum = 0;
  const size_t end = std::min(spec.cutoff.value_or(ranking.grades.size()), ranking.grades.size());
  for (size_t i = 0; i < end; ++i, weight *= spec.persistence) {
    if (ranking.relevant(i)) sum += weight;
  }
  return sum;
}

double F1(const Ranking& ranking, const Spec& spec) {
  const double precision = AtCutoff<Precision>(ranking, spec);
  const double recall = AtCutoff<Recall>(ranking, spec);
  return precision + recall == 0 ? 0.0 : 2 * precision * recall / (precision + recall);
}

constexpr std::array<Known, 13> kKnown = {{
    {"nDCG", Cutoff::kOptional, MaybeAtCutoff<Ndcg, NdcgCut>},
    {"nDCG_exp", Cutoff::kOptional, ExponentialNdcg},
    {"AP", Cutoff::kOptional, MaybeAtCutoff<AveragePrecision, AveragePrecisionCut>},
    {"RR", Cutoff::kOptional, ReciprocalRankAt},
    {"P", Cutoff::kRequired, AtCutoff<Precision>},
    {"R", Cutoff::kRequired, AtCutoff<Recall>},
    {"F1", Cutoff::kRequired, F1},
    {"Success", Cutoff::kRequired, AtCutoff<Success>},
    {"Judged", Cutoff::kRequired, Judged},
    {"RBP", Cutoff::kOptional, RankBiasedPrecision},
    {"Rprec", Cutoff::kNever, Plain<RPrecision>},
    {"Bpref", Cutoff::kNever, Plain<Bpref>},
    {"infAP", Cutoff::kNever, Plain<InferredAp>},
}};

// Lower-case alias -> canonical name; canonical names themselves match without regard to case.
constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kAliases = {{
    {"ndcg_cut", "nDCG"},
    {"ndcg_burges", "nDCG_exp"},
    {"map", "AP"},
    {"map_cut", "AP"},
    {"mrr", "RR"},
    {"recip_rank", "RR"},
    {"reciprocal_rank", "RR"},
    {"precision", "P"},
    {"recall", "R"},
    {"hit_rate", "Success"},
    {"hit", "Success"},
    {"success_rate", "Success"},
    {"r_precision", "Rprec"},
    {"r-prec", "Rprec"},
    {"r-precision", "Rprec"},
    {"infap", "infAP"},
    {"average_precision", "AP"},
    {"r_prec", "Rprec"},
    {"f", "F1"},
}};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

const Known* Find(std::string_view name) {
  std::string lower = Lower(name);
  for (const auto& [alias, canonical] : kAliases) {
    if (lower == alias) lower = Lower(canonical);
  }
  for (const Known& known : kKnown) {
    if (Lower(known.name) == lower) return &known;
  }
  return nullptr;
}

template <typename Number>
std::optional<Number> ParseAll(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "rel=2,p=0.8" into the spec.
bool ParseKeys(std::string_view text, Spec& spec) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (item.starts_with("rel=")) {
      spec.relevance_level = ParseAll<int>(item.substr(4));
      if (!spec.relevance_level || *spec.relevance_level < 1) return false;
    } else if (item.starts_with("p=")) {
      const auto value = ParseAll<double>(item.substr(2));
      if (!value || !(*value > 0 && *value < 1)) return false;
      spec.persistence = *value;
    } else {
      return false;
    }
  }
  return true;
}

/// Splits "name(keys)@k", "name_k", "name.k", "rbp.95"; false when it is none of these.
bool Split(std::string_view text, Spec& spec) {
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    spec.cutoff = ParseAll<size_t>(text.substr(at + 1));
    if (!spec.cutoff) return false;
    text = text.substr(0, at);
  }
  if (const size_t open = text.find('('); open != std::string_view::npos) {
    if (!text.ends_with(')')) return false;
    if (!ParseKeys(text.substr(open + 1, text.size() - open - 2), spec)) return false;
    text = text.substr(0, open);
  }
  const size_t mark = text.find_last_of("_.");
  if (!spec.cutoff && mark != std::string_view::npos && Find(text) == nullptr) {
    const std::string_view number = text.substr(mark + 1);
    spec.base = text.substr(0, mark);
    if (Lower(spec.base) == "rbp") {
      return ParseKeys(std::string("p=0.") + std::string(number), spec);
    }
    spec.cutoff = ParseAll<size_t>(number);
    return spec.cutoff.has_value();
  }
  spec.base = text;
  return true;
}

std::string CanonicalName(const Known& known, const Spec& spec) {
  std::string keys;
  if (spec.relevance_level)
    keys = std::string("rel=").append(std::to_string(*spec.relevance_level));
  if (known.name == "RBP") {
    char number[32];
    std::snprintf(number, sizeof(number), "p=%g", spec.persistence);
    keys.append(keys.empty() ? "" : ",").append(number);
  }
  std::string name(known.name);
  if (!keys.empty()) name.append("(").append(keys).append(")");
  if (spec.cutoff) name.append("@").append(std::to_string(*spec.cutoff));
  return name;
}

/// The same ranking with another idea of what is relevant.
Ranking WithLevel(Ranking ranking, int level) {
  ranking.relevance_level = level;
  ranking.num_rel = 0;
  for (size_t i = static_cast<size_t>(level); i < ranking.level_counts.size(); ++i) {
    ranking.num_rel += ranking.level_counts[i];
  }
  ranking.num_rel_ret = std::count_if(ranking.grades.begin(), ranking.grades.end(),
                                      [&](int grade) { return grade >= level; });
  return ranking;
}

}  // namespace

Result<Measure> ParseMeasure(std::string_view text) {
  Spec spec;
  const bool split = Split(text, spec);
  const Known* known = Find(spec.base);
  if (!split || known == nullptr) {
    std::string names;
    for (const Known& each : kKnown) {
      names.append(" ").append(each.name).append(each.cutoff == Cutoff::kRequired ? "@k" : "");
    }
    return Fail(ErrorCode::kInvalidArgument,
                "unknown measure '" + std::string(text) + "'; known:" + names + " (as in nDCG@10)");
  }
  const bool wants = known->cutoff == Cutoff::kRequired;
  if ((wants && !spec.cutoff) || (known->cutoff == Cutoff::kNever && spec.cutoff) ||
      spec.cutoff == size_t{0}) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "measure '" + std::string(text) + "': " + std::string(known->name) +
            (wants ? " wants a cut-off of at least 1, as in @10" : " takes no such cut-off"));
  }
  const size_t depth = spec.cutoff.value_or(0);
  return Measure{CanonicalName(*known, spec),
                 [known, spec](const Ranking& ranking) {
                   return spec.relevance_level
                              ? known->compute(WithLevel(ranking, *spec.relevance_level), spec)
                              : known->compute(ranking, spec);
                 },
                 depth};
}

std::vector<Measure> DefaultMeasures() {
  std::vector<Measure> measures;
  for (const std::string_view name :
       {"nDCG@10", "AP", "RR", "R@10", "R@100", "P@5", "Success@1", "Success@5"}) {
    measures.push_back(*ParseMeasure(name));
  }
  return measures;
}

}  // namespace vade::qa::eval
