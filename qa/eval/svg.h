// Small SVG plots for the HTML report: bars with intervals, lines, differences, histograms.
// Colours come from CSS classes (arm0, arm1, ...), so that one page serves light and dark.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qa/eval/significance.h"

namespace vade::qa::eval::svg {

/// &, <, >, quotes and control characters made harmless.
[[nodiscard]] std::string Escape(std::string_view text);

struct Bar {
  double value = 0;
  Interval interval;  // equal ends: no whisker
};

/// Groups of bars, one bar per series; values in [0, 1].
[[nodiscard]] std::string GroupedBars(
    const std::vector<std::string>& groups, const std::vector<std::string>& series,
    const std::vector<std::vector<Bar>>& bars);  // [group][series]

struct Line {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;  // in [0, 1]
};

/// Lines with a dot at each point. x ticks at the values of the first line, evenly spaced when
/// `even_x` (cut-offs 1, 2, 5, 10, ...), else to scale in [0, 1].
[[nodiscard]] std::string Lines(const std::vector<Line>& lines, std::string_view x_label,
                                std::string_view y_label, bool even_x);

/// One thin bar per question, sorted, above or below zero; values in [-1, 1].
[[nodiscard]] std::string Differences(std::vector<double> differences);

/// Share of values per bin, one step line per series, common bins from 0 to the 99th percentile.
[[nodiscard]] std::string Histogram(const std::vector<std::string>& series,
                                    const std::vector<std::vector<double>>& values,
                                    std::string_view x_label);

}  // namespace vade::qa::eval::svg
