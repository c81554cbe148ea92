// Gain-based measures of trec_eval: nDCG and its relatives. Gains are the grades unless replaced.
#pragma once

#include <span>

#include "qa/eval/ranking.h"

namespace vade::qa::eval {

/// What a measure computes from: one ranking and the parameters of `-m name.params`.
/// Cut-offs ascend; pairs lie flat: level, gain, level, gain, ...
using MeasureParams = std::span<const double>;

// Each writes out[0], or one value per cut-off; 0 where the measure is not defined.

/// sum(gain / log2(rank + 1)) over all retrieved, divided by the same sum of an ideal order.
/// Source: Jarvelin and Kekalainen, ACM TOIS 20(4), 2002, with linear gain.
void Ndcg(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out);
/// The same over the first k ranks of both orders.
void NdcgCut(const Ranking& ranking, MeasureParams cutoffs, std::span<double> out);
/// The same with other gains and one cut-off.
[[nodiscard]] double NdcgAt(const Ranking& ranking, MeasureParams gain_pairs, size_t cutoff);
/// nDCG averaged over the ranks of the documents with a positive gain; one that was not retrieved
/// counts with the DCG at the end of the list.
void NdcgRel(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out);
/// nDCG averaged over the ranks where the ideal order's gain changes.
void Rndcg(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out);
/// sum(gain / log2(2 + ideal gain so far - gain so far)) / sum of all gains: a document found late
/// loses little when what came before it was just as good.
void NormalizedGain(const Ranking& ranking, MeasureParams gain_pairs, std::span<double> out);
/// The same with gains of 0 and 1: the mean of 1 / log2(2 + non-relevant documents before it).
void BinaryGain(const Ranking& ranking, MeasureParams none, std::span<double> out);

}  // namespace vade::qa::eval
