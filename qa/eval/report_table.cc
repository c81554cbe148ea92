// The table of `vade eval`: measures by arms, comparisons, refusals, where documents were lost.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "qa/eval/report_text.h"

namespace vade::qa::eval {
namespace {

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 256> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

std::string PadLeft(std::string text, size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string PadRight(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

/// p as people read it: three decimals, or the bound below which it lies.
std::string PValue(double p) { return p < 0.001 ? "<0.001" : Format("%.3f", p); }

class Table {
 public:
  Table(const Report& report, bool bold) : report_(report), bold_(bold) {
    for (const Measure& measure : report.input.measures) {
      label_width_ = std::max(label_width_, measure.name.size());
    }
    for (const Breakdown& breakdown : report.breakdowns) {
      label_width_ = std::max(label_width_, breakdown.group.size() + 7);
    }
    for (const ArmResult& arm : report.arms) {
      column_width_ = std::max(column_width_, arm.name.size() + 4);
    }
  }

  std::string Print() {
    PrintHead();
    PrintMeasures();
    PrintLatency();
    PrintBreakdowns();
    PrintComparisons();
    PrintRefusal();
    PrintLost();
    return std::move(out_);
  }

 private:
  void PrintHead() {
    out_ +=
        report_.input.title + ": " + std::to_string(report_.query_ids.size()) + " judged questions";
    for (const std::string& fact : report_.input.facts) out_ += ", " + fact;
    out_ += "\n";
    if (!report_.input.ranking.empty()) out_ += report_.input.ranking + "\n";
    out_ += "\n";
  }

  void PrintMeasures() {
    out_ += PadRight("", label_width_);
    for (size_t i = 0; i < report_.arms.size(); ++i) {
      std::string head = report_.arms[i].name;
      if (report_.arms.size() > 1) head.insert(0, std::string(1, ArmLetter(i)) + " ");
      out_ += "  " + PadRight(std::move(head), column_width_);
    }
    TrimLine();
    for (size_t m = 0; m < report_.input.measures.size(); ++m) {
      out_ += PadRight(report_.input.measures[m].name, label_width_);
      for (size_t i = 0; i < report_.arms.size(); ++i) PrintMean(i, m);
      TrimLine();
    }
    if (report_.arms.size() > 1) {
      out_ +=
          "* best; a letter marks a significant gain over that arm (randomisation test, Holm, "
          "p < 0.05)\n";
    }
    const Interval& interval = report_.arms.back().intervals[0];
    out_ += "95 % interval of " + report_.input.measures[0].name + " of " +
            report_.arms.back().name +
            Format(": %.4f to %.4f (bootstrap)\n", interval.low, interval.high);
  }

  void PrintMean(size_t arm, size_t measure) {
    const bool best = report_.arms.size() > 1 && report_.IsBest(arm, measure);
    std::string cell = Format("%.4f", report_.arms[arm].means[measure]);
    if (best) cell += "*";
    cell += report_.Beats(arm, measure);
    const size_t padding = column_width_ - std::min(column_width_, cell.size());
    if (best && bold_) cell = std::string("\x1b[1m").append(cell).append("\x1b[0m");
    out_.append("  ").append(cell).append(padding, ' ');
  }

  void PrintLatency() {
    const bool measured =
        std::any_of(report_.arms.begin(), report_.arms.end(),
                    [](const ArmResult& arm) { return !arm.latencies_ms.empty(); });
    if (!measured) return;
    out_ += "\n" + PadRight("ms p50/p95", label_width_);
    for (const ArmResult& arm : report_.arms) {
      out_ += "  " +
              PadRight(Format("%.1f/%.1f", arm.latency_p50_ms, arm.latency_p95_ms), column_width_);
    }
    TrimLine();
  }

  void PrintBreakdowns() {
    if (report_.breakdowns.empty()) return;
    out_ += "\n" + report_.input.measures[0].name + " by group (number of questions)\n";
    for (const Breakdown& each : report_.breakdowns) {
      out_ += PadRight(each.group + " (" + std::to_string(each.questions) + ")", label_width_);
      for (const double mean : each.means) {
        out_ += "  " + PadRight(Format("%.4f", mean), column_width_);
      }
      TrimLine();
    }
  }

  void PrintComparisons() {
    if (report_.comparisons.empty()) return;
    size_t width = 0;
    for (const Comparison& each : report_.comparisons) {
      width = std::max(width, PairName(each).size());
    }
    out_ += "\n" + PadRight("difference", width) + "  " + PadRight("measure", label_width_) +
            "    delta   p (random.)  p (Holm)  p (t-test)  won/tied/lost\n";
    for (const Comparison& each : report_.comparisons) {
      for (size_t m = 0; m < std::min<size_t>(report_.input.measures.size(), 2); ++m) {
        out_ += PadRight(m == 0 ? PairName(each) : "", width) + "  " +
                PadRight(report_.input.measures[m].name, label_width_) +
                Format("  %+.4f", each.t_tests[m].mean_difference) +
                PadLeft(PValue(each.randomization[m].p), 14) +
                PadLeft(PValue(each.adjusted_p[m]), 10) + PadLeft(PValue(each.t_tests[m].p), 12);
        if (m == 0) out_ += Format("  %zu/%zu/%zu", each.wins, each.ties, each.losses);
        out_ += "\n";
      }
    }
  }

  void PrintRefusal() {
    if (!report_.refusal) return;
    const RefusalResult& refusal = *report_.refusal;
    out_ += Format("\nanswers at evidence threshold %.2f\n", report_.input.evidence_threshold);
    out_ += "                  answered  refused\n";
    out_ += Format("  answerable      %8zu %8zu\n", refusal.answerable_answered,
                   refusal.answerable_refused);
    out_ += Format("  unanswerable    %8zu %8zu\n", refusal.unanswerable_answered,
                   refusal.unanswerable_refused);
    out_ += Format("  refusal precision %.4f, recall %.4f, F1 %.4f\n", refusal.precision,
                   refusal.recall, refusal.f1);
    if (refusal.checked > 0) {
      out_ += Format("  answers that hold the reference: %zu of %zu answered\n", refusal.correct,
                     refusal.checked);
    }
  }

  void PrintLost() {
    if (report_.input.lost.empty()) return;
    std::map<LossStage, size_t> counts;
    for (const LostDocument& lost : report_.input.lost) ++counts[lost.stage];
    out_ += "\nrelevant documents and where they were lost (top " +
            std::to_string(report_.input.lost_depth) + ")\n";
    for (const auto& [stage, count] : counts) {
      out_ += "  " + PadRight(std::string(LossStageName(stage)), 22) + std::to_string(count) + "\n";
    }
    constexpr size_t kMaxListed = 20;
    size_t listed = 0;
    for (const LostDocument& lost : report_.input.lost) {
      if (lost.stage == LossStage::kFound) continue;
      if (listed++ == kMaxListed) {
        out_ += "  ... --json lists them all\n";
        break;
      }
      out_ += "  " + lost.question + "  " + lost.doc + ": " +
              std::string(LossStageName(lost.stage)) + RankOf(" lexical ", lost.lexical_rank) +
              RankOf(" dense ", lost.dense_rank) + RankOf(" final ", lost.final_rank) + "\n";
    }
  }

  static std::string RankOf(const char* label, size_t rank) {
    return rank == 0 ? std::string() : std::string(label) + std::to_string(rank);
  }

  [[nodiscard]] std::string PairName(const Comparison& each) const {
    return report_.arms[each.b].name + " - " + report_.arms[each.a].name;
  }

  void TrimLine() {
    out_.erase(out_.find_last_not_of(' ') + 1);
    out_ += "\n";
  }

  const Report& report_;
  bool bold_;
  size_t label_width_ = 10;
  size_t column_width_ = 12;
  std::string out_;
};

}  // namespace

std::string FormatTable(const Report& report, bool bold) { return Table(report, bold).Print(); }

}  // namespace vade::qa::eval
