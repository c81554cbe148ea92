// The HTML page: style, cards, tables and the plots of svg.h, assembled section by section.
#include "qa/eval/html_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <numeric>

#include "qa/eval/html_style.h"
#include "qa/eval/ranking.h"
#include "qa/eval/svg.h"

namespace vade::qa::eval {
namespace {

using svg::Escape;

constexpr size_t kHardQuestions = 25;
constexpr size_t kShownHits = 3;

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 256> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

std::string PValue(double p) { return p < 0.001 ? "&lt; 0.001" : Format("%.3f", p); }

std::string Element(std::string_view tag, std::string_view escaped_content) {
  return std::string("<").append(tag).append(">").append(escaped_content).append("</").append(tag) +
         ">";
}

class Page {
 public:
  explicit Page(const Report& report) : report_(report), main_arm_(report.arms.size() - 1) {
    for (const ArmResult& arm : report.arms) arm_names_.push_back(arm.name);
    primary_ = report.input.measures[0].name;
  }

  std::string Build() {
    out_ =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta name=\"color-scheme\" content=\"light dark\"><title>";
    out_ += Escape(report_.input.title) + " - vade eval</title><style>";
    out_ += kReportStyle;
    out_ += "</style></head><body><main>\n";
    Head();
    Measures();
    Comparisons();
    Curves();
    Groups();
    Latency();
    Refusals();
    Lost();
    HardQuestions();
    out_ +=
        "<footer>Made by <b>vade eval</b>. nDCG uses linear gain; a judged question missing from "
        "a run scores 0; ties are broken by document id, descending, as trec_eval does."
        "</footer></main></body></html>\n";
    return std::move(out_);
  }

 private:
  void Begin(std::string_view title, std::string_view note = {}) {
    out_.append("<section><h2>").append(title).append("</h2>");
    if (!note.empty()) out_.append("<p class=\"note\">").append(note).append("</p>");
  }
  void End() { out_ += "</section>\n"; }

  void Legend() {
    if (arm_names_.size() < 2) return;
    out_ += "<p class=\"legend\">";
    for (size_t i = 0; i < arm_names_.size(); ++i) {
      out_ += Format("<span><i class=\"swatch arm%zu\"></i>", i % 6) + Escape(arm_names_[i]) +
              "</span>";
    }
    out_ += "</p>";
  }

  void Head() {
    out_ += "<header><p class=\"brand\">vade eval</p>" + Element("h1", Escape(report_.input.title));
    out_ += "<p class=\"note\">" + std::to_string(report_.query_ids.size()) + " judged questions";
    for (const std::string& fact : report_.input.facts) out_ += " &middot; " + Escape(fact);
    if (!report_.input.ranking.empty()) out_ += " &middot; " + Escape(report_.input.ranking);
    out_ += "</p></header>\n";
    for (const std::string& warning : report_.input.warnings) {
      out_ += "<p class=\"warning\">" + Escape(warning) + "</p>";
    }
    out_ += "<div class=\"cards\">";
    for (size_t i = 0; i < report_.arms.size(); ++i) {
      const ArmResult& arm = report_.arms[i];
      const bool best = report_.arms.size() > 1 && report_.IsBest(i, 0);
      out_ += Format("<div class=\"card edge%zu%s\">", i % 6, best ? " best" : "");
      out_ += "<p class=\"name\">" + Escape(arm.name) + (best ? " <b>best</b>" : "") + "</p>";
      out_ += Format("<p class=\"figure\">%.4f</p>", arm.means[0]);
      out_ += "<p class=\"note\">" + Escape(primary_) +
              Format(", 95 %% interval %.3f to %.3f", arm.intervals[0].low, arm.intervals[0].high);
      if (!arm.latencies_ms.empty()) {
        out_ += Format("<br>%.1f ms median, %.1f ms at the 95th percentile", arm.latency_p50_ms,
                       arm.latency_p95_ms);
      }
      out_ += "</p></div>";
    }
    out_ += "</div>\n";
  }

  void Measures() {
    Begin("Measures",
          report_.arms.size() > 1
              ? "Bold is best. Letters name the systems a value is significantly better "
                "than (paired randomisation test, Holm-adjusted p &lt; 0.05). Whiskers "
                "are 95 % bootstrap intervals."
              : "Whiskers are 95 % bootstrap intervals.");
    out_ += "<div class=\"scroll\"><table><thead><tr><th></th>";
    for (size_t i = 0; i < arm_names_.size(); ++i) {
      out_ += "<th class=\"num\">" + Escape(arm_names_[i]);
      if (arm_names_.size() > 1) out_ += Format(" <sup>%c</sup>", ArmLetter(i));
      out_ += "</th>";
    }
    out_ += "</tr></thead><tbody>";
    std::vector<std::string> names;
    std::vector<std::vector<svg::Bar>> bars;
    for (size_t m = 0; m < report_.input.measures.size(); ++m) {
      names.push_back(report_.input.measures[m].name);
      bars.emplace_back();
      out_ += "<tr>" + Element("th", Escape(names.back()));
      for (size_t i = 0; i < report_.arms.size(); ++i) {
        const ArmResult& arm = report_.arms[i];
        bars.back().push_back({arm.means[m], arm.intervals[m]});
        const bool best = report_.arms.size() > 1 && report_.IsBest(i, m);
        out_ += Format("<td class=\"num%s\">%.4f", best ? " top" : "", arm.means[m]);
        const std::string beats = report_.Beats(i, m);
        if (!beats.empty()) out_ += Element("sup", beats);
        out_ += "</td>";
      }
      out_ += "</tr>";
    }
    out_ += "</tbody></table></div>";
    Legend();
    out_ += svg::GroupedBars(names, arm_names_, bars);
    End();
  }

  void Comparisons() {
    if (report_.comparisons.empty()) return;
    Begin("Comparisons", "Question by question, with both paired tests. p is two-sided.");
    out_ +=
        "<div class=\"scroll\"><table><thead><tr><th>system</th><th>against</th><th>measure</th>"
        "<th class=\"num\">difference</th><th class=\"num\">p, randomisation</th>"
        "<th class=\"num\">p, Holm</th><th class=\"num\">p, t-test</th></tr></thead><tbody>";
    for (const Comparison& each : report_.comparisons) {
      for (size_t m = 0; m < report_.input.measures.size(); ++m) {
        const bool significant = each.adjusted_p[m] < 0.05;
        out_ += "<tr>" + Element("td", m == 0 ? Escape(arm_names_[each.b]) : "") +
                Element("td", m == 0 ? Escape(arm_names_[each.a]) : "") +
                Element("td", Escape(report_.input.measures[m].name));
        out_ += Format("<td class=\"num%s\">%+.4f</td>", significant ? " top" : "",
                       each.t_tests[m].mean_difference);
        for (const double p : {each.randomization[m].p, each.adjusted_p[m], each.t_tests[m].p}) {
          out_ += "<td class=\"num\">" + PValue(p) + "</td>";
        }
        out_ += "</tr>";
      }
    }
    out_ += "</tbody></table></div><div class=\"pair\">";
    for (const Comparison& each : report_.comparisons) {
      if (each.b != main_arm_) continue;
      std::vector<double> differences;
      for (size_t q = 0; q < report_.query_ids.size(); ++q) {
        differences.push_back(report_.arms[each.b].values[0][q] -
                              report_.arms[each.a].values[0][q]);
      }
      out_ += "<figure><figcaption>" +
              Escape(primary_ + ": " + arm_names_[each.b] + " minus " + arm_names_[each.a]) +
              Format(" &middot; %zu better, %zu equal, %zu worse</figcaption>", each.wins,
                     each.ties, each.losses) +
              svg::Differences(std::move(differences)) + "</figure>";
    }
    out_ += "</div>";
    End();
  }

  void Curves() {
    std::vector<svg::Line> recall;
    std::vector<svg::Line> precision;
    for (const ArmResult& arm : report_.arms) {
      svg::Line by_cutoff{arm.name, {}, arm.recall_at};
      for (const size_t cutoff : report_.recall_cutoffs) {
        by_cutoff.x.push_back(static_cast<double>(cutoff));
      }
      recall.push_back(std::move(by_cutoff));
      svg::Line by_recall{arm.name, {}, arm.precision_at_recall};
      for (size_t i = 0; i < by_recall.y.size(); ++i) {
        by_recall.x.push_back(static_cast<double>(i) / 10);
      }
      precision.push_back(std::move(by_recall));
    }
    Begin("Recall and precision");
    Legend();
    out_ += "<div class=\"pair\"><figure><figcaption>Recall at rank k</figcaption>" +
            svg::Lines(recall, "k", "recall", true) +
            "</figure><figure><figcaption>Interpolated precision at recall</figcaption>" +
            svg::Lines(precision, "recall", "precision", false) + "</figure></div>";
    End();
  }

  void Groups() {
    if (report_.breakdowns.empty()) return;
    std::vector<std::string> names;
    std::vector<std::vector<svg::Bar>> bars;
    for (const Breakdown& each : report_.breakdowns) {
      const size_t colon = each.group.find(": ");
      names.push_back(each.group.substr(colon + 2) + " (" + std::to_string(each.questions) + ")");
      bars.emplace_back();
      for (const double mean : each.means) bars.back().push_back({mean, {}});
    }
    Begin("By kind of question", Escape(primary_) + "; the number of questions in brackets.");
    Legend();
    out_ += svg::GroupedBars(names, arm_names_, bars);
    End();
  }

  void Latency() {
    std::vector<std::vector<double>> values;
    std::vector<std::string> names;
    for (const ArmResult& arm : report_.arms) {
      if (arm.latencies_ms.empty()) continue;
      values.push_back(arm.latencies_ms);
      names.push_back(arm.name);
    }
    if (values.empty()) return;
    Begin("Latency",
          "Share of questions by search time, embedding of the question included, one "
          "question at a time.");
    Legend();
    out_ += svg::Histogram(names, values, "milliseconds");
    End();
  }

  void Refusals() {
    if (!report_.refusal) return;
    const RefusalResult& refusal = *report_.refusal;
    Begin("Answers and refusals");
    out_ +=
        "<div class=\"pair\"><div><table class=\"confusion\"><thead><tr><th></th>"
        "<th class=\"num\">answered</th><th class=\"num\">refused</th></tr></thead><tbody>";
    out_ += Format(
        "<tr><th>answerable</th><td class=\"num right\">%zu</td><td class=\"num "
        "wrong\">%zu</td></tr>",
        refusal.answerable_answered, refusal.answerable_refused);
    out_ += Format(
        "<tr><th>unanswerable</th><td class=\"num wrong\">%zu</td><td class=\"num "
        "right\">%zu</td></tr></tbody></table>",
        refusal.unanswerable_answered, refusal.unanswerable_refused);
    out_ += Format(
        "<p>Refusal precision <b>%.4f</b>, recall <b>%.4f</b>, F1 <b>%.4f</b> at evidence "
        "threshold %.2f.</p>",
        refusal.precision, refusal.recall, refusal.f1, report_.input.evidence_threshold);
    if (refusal.checked > 0) {
      out_ += Format("<p>%zu of %zu answers to answerable questions hold the reference.</p>",
                     refusal.correct, refusal.checked);
    }
    out_ +=
        "</div><figure><figcaption>Refusal precision and recall by evidence "
        "threshold</figcaption>";
    svg::Line precision{"precision", {}, {}};
    svg::Line recall{"recall", {}, {}};
    for (const auto& point : refusal.curve) {
      precision.x.push_back(point.threshold);
      precision.y.push_back(point.precision);
      recall.x.push_back(point.threshold);
      recall.y.push_back(point.recall);
    }
    out_ +=
        "<p class=\"legend\"><span><i class=\"swatch arm0\"></i>precision</span><span><i "
        "class=\"swatch arm1\"></i>recall</span></p>" +
        svg::Lines({precision, recall}, "threshold (0 to 1)", "share", false) + "</figure></div>";
    End();
  }

  void Lost() {
    if (report_.input.lost.empty()) return;
    std::map<LossStage, size_t> counts;
    for (const LostDocument& lost : report_.input.lost) ++counts[lost.stage];
    Begin("Where relevant documents were lost",
          "Down to rank " + std::to_string(report_.input.lost_depth) + " of the hybrid search.");
    out_ += "<table><tbody>";
    const auto total = static_cast<double>(report_.input.lost.size());
    for (const auto& [stage, count] : counts) {
      const double share = static_cast<double>(count) / total;
      out_ += "<tr>" + Element("th", LossStageName(stage)) +
              Format(
                  "<td class=\"num\">%zu</td><td class=\"num\">%.1f %%</td><td class=\"meter\"><i "
                  "style=\"width:%.1f%%\" class=\"%s\"></i></td></tr>",
                  count, share * 100, share * 100, stage == LossStage::kFound ? "gain" : "loss");
    }
    out_ += "</tbody></table>";
    End();
  }

  /// Ids of the judged questions on which the last system does worst.
  [[nodiscard]] std::vector<size_t> Hardest() const {
    std::vector<size_t> order(report_.query_ids.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const std::vector<double>& values = report_.arms[main_arm_].values[0];
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return values[a] < values[b]; });
    std::erase_if(order, [&](size_t q) { return values[q] >= 1.0; });
    if (order.size() > kHardQuestions) order.resize(kHardQuestions);
    return order;
  }

  [[nodiscard]] std::string DocumentCell(const std::string& id, std::string_view note) const {
    const auto title = report_.input.document_titles.find(id);
    std::string cell = "<li><code>" + Escape(id) + "</code>";
    if (title != report_.input.document_titles.end() && !title->second.empty()) {
      cell += " " + Escape(title->second);
    }
    return cell.append(note).append("</li>");
  }

  void HardQuestions() {
    const std::vector<size_t> hardest = Hardest();
    if (hardest.empty()) return;
    Begin("Hardest questions", "Lowest " + Escape(primary_) + " of " +
                                   Escape(arm_names_[main_arm_]) +
                                   ", with what was judged relevant and what came back first.");
    out_ += "<div class=\"scroll\"><table class=\"hard\"><thead><tr><th class=\"num\">" +
            Escape(primary_) +
            "</th><th>question</th><th>relevant</th><th>retrieved</th></tr>"
            "</thead><tbody>";
    for (const size_t q : hardest) HardQuestion(q);
    out_ += "</tbody></table></div>";
    End();
  }

  void HardQuestion(size_t q) {
    const std::string& id = report_.query_ids[q];
    const Question* info = report_.InfoOf(q);
    const auto& judgments = report_.input.qrels.find(id)->second;
    out_ += Format("<tr><td class=\"num\">%.3f</td><td>", report_.arms[main_arm_].values[0][q]);
    out_ += info == nullptr ? "" : Escape(info->text) + "<br>";
    out_ += "<small><code>" + Escape(id) + "</code>";
    if (info != nullptr && !info->type.empty()) out_ += " " + Escape(info->type);
    out_ += "</small></td><td><ul>";
    size_t shown = 0;
    for (const Judgment& judgment : judgments) {
      if (judgment.grade < 1 || shown++ == kShownHits) continue;
      out_ += DocumentCell(judgment.doc, RankNote(q, judgment.doc));
    }
    out_ += "</ul></td><td><ol>";
    const auto& run = report_.input.arms[main_arm_].run;
    if (const auto found = run.queries.find(id); found != run.queries.end()) {
      const std::vector<size_t> order = TrecOrder(found->second, ScorePrecision::kSingle);
      for (size_t i = 0; i < std::min(order.size(), kShownHits); ++i) {
        out_ += DocumentCell(found->second[order[i]].doc, "");
      }
    }
    out_ += "</ol></td></tr>";
  }

  /// " at rank 14", or " not retrieved".
  [[nodiscard]] std::string RankNote(size_t q, const std::string& doc) const {
    const auto& run = report_.input.arms[main_arm_].run;
    const auto found = run.queries.find(report_.query_ids[q]);
    if (found != run.queries.end()) {
      size_t rank = 0;
      for (const size_t at : TrecOrder(found->second, ScorePrecision::kSingle)) {
        ++rank;
        if (found->second[at].doc == doc) return Format(" <small>at rank %zu</small>", rank);
      }
    }
    return " <small>not retrieved</small>";
  }

  const Report& report_;
  size_t main_arm_;  // the last: the one under test
  std::vector<std::string> arm_names_;
  std::string primary_;
  std::string out_;
};

}  // namespace

std::string FormatHtml(const Report& report) { return Page(report).Build(); }

}  // namespace vade::qa::eval
