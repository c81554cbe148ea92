// Measures of trec_eval over relevant/non-relevant: precision, recall, average precision, bpref...
#pragma once

#include <span>
#include <string>

#include "qa/eval/gain_measures.h"
#include "qa/eval/ranking.h"

namespace vade::qa::eval {

// Each writes out[0], or one value per cut-off; 0 where the measure is not defined
// (no relevant document, nothing retrieved).

void NumRet(const Ranking& ranking, MeasureParams none, std::span<double> out);
void NumRel(const Ranking& ranking, MeasureParams none, std::span<double> out);
void NumRelRet(const Ranking& ranking, MeasureParams none, std::span<double> out);
void NumNonrelJudgedRet(const Ranking& ranking, MeasureParams none, std::span<double> out);

void AveragePrecision(const Ranking& ranking, MeasureParams none, std::span<double> out);
void AveragePrecisionCut(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out);
void RPrecision(const Ranking& ranking, MeasureParams none, std::span<double> out);
/// Precision at multiples of the number of relevant documents.
void RPrecisionMultiples(const Ranking& ranking, MeasureParams multiples, std::span<double> out);
void ReciprocalRank(const Ranking& ranking, MeasureParams none, std::span<double> out);
void Precision(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out);
void Recall(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out);
/// Precision divided by the best precision possible at that cut-off.
void RelativePrecision(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out);
void Success(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out);
/// Interpolated precision: the best precision at or below the rank where the recall is reached.
void InterpolatedPrecision(const Ranking& ranking, MeasureParams recalls, std::span<double> out);
void ElevenPointAverage(const Ranking& ranking, MeasureParams recalls, std::span<double> out);

/// Binary preference: the share of judged non-relevant documents ranked below relevant ones.
/// Source: Buckley and Voorhees, SIGIR 2004, as in trec_eval 8 and later.
void Bpref(const Ranking& ranking, MeasureParams none, std::span<double> out);
/// Inferred AP for sampled pools. Source: Yilmaz and Aslam, CIKM 2006.
void InferredAp(const Ranking& ranking, MeasureParams none, std::span<double> out);
/// log((1 + sum of precisions) / (1 + R - sum)). Source: Robertson, ECIR 2012.
void SmoothedAp(const Ranking& ranking, MeasureParams none, std::span<double> out);

void SetPrecision(const Ranking& ranking, MeasureParams none, std::span<double> out);
void SetRecall(const Ranking& ranking, MeasureParams none, std::span<double> out);
void SetRelativePrecision(const Ranking& ranking, MeasureParams none, std::span<double> out);
/// Precision times recall of the whole set.
void SetMap(const Ranking& ranking, MeasureParams none, std::span<double> out);
/// params[0]: weight of recall against precision.
void SetF(const Ranking& ranking, MeasureParams weight, std::span<double> out);
/// Weighted counts of the contingency table: relevant retrieved, other retrieved, relevant missed,
/// and (params[4] documents in the collection) everything else.
void Utility(const Ranking& ranking, MeasureParams weights, std::span<double> out);

/// In single quotes, one character per rank: the grade, '>' above 9, '-' not in the pool, '.'
/// unjudged.
[[nodiscard]] std::string RelevanceString(const Ranking& ranking, size_t length);

}  // namespace vade::qa::eval
