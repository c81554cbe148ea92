// SVG plots: a frame with axes, and the marks in it.
#include "qa/eval/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace vade::qa::eval::svg {
namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 280;
constexpr double kLeft = 46;
constexpr double kRight = 14;
constexpr double kTop = 14;
constexpr double kBottom = 44;
constexpr double kPlotWidth = kWidth - kLeft - kRight;
constexpr double kPlotHeight = kHeight - kTop - kBottom;

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 512> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

std::string Open(std::string_view label) {
  return Format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", kWidth, kHeight) +
         Escape(label) + "\">";
}

/// y pixel of a share in [0, 1].
double Y(double share) { return kTop + kPlotHeight * (1 - std::clamp(share, 0.0, 1.0)); }

std::string Text(double x, double y, const char* style, std::string_view text) {
  return Format("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, style) + Escape(text) +
         "</text>";
}

/// Horizontal grid lines with their values, `top` at the upper edge.
std::string Grid(double top, const char* number_format) {
  std::string out;
  for (int i = 0; i <= 5; ++i) {
    const double y = Y(i / 5.0);
    out += Format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", kLeft,
                  y, kWidth - kRight, y);
    out += Text(kLeft - 6, y + 4, "tick end", Format(number_format, top * i / 5.0));
  }
  return out;
}

std::string Caption(std::string_view x_label) {
  return Text(kLeft + kPlotWidth / 2, kHeight - 6, "axis mid", x_label);
}

std::string OneBar(double x, double width, const Bar& bar, size_t series, std::string_view hint) {
  const double y = Y(bar.value);
  std::string out = Format(
      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" class=\"arm%zu\">", x, y,
      width, kTop + kPlotHeight - y, series % 6);
  out += std::string("<title>").append(Escape(hint)) + Format(" %.4f</title></rect>", bar.value);
  if (bar.interval.high > bar.interval.low) {
    const double middle = x + width / 2;
    out += Format("<path d=\"M%.1f %.1fV%.1fM%.1f %.1fh6M%.1f %.1fh6\" class=\"whisker\"/>", middle,
                  Y(bar.interval.low), Y(bar.interval.high), middle - 3, Y(bar.interval.low),
                  middle - 3, Y(bar.interval.high));
  }
  return out;
}

}  // namespace

std::string Escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string GroupedBars(const std::vector<std::string>& groups,
                        const std::vector<std::string>& series,
                        const std::vector<std::vector<Bar>>& bars) {
  std::string out = Open("Bars") + Grid(1.0, "%.1f");
  const double group_width = kPlotWidth / static_cast<double>(std::max<size_t>(groups.size(), 1));
  const double bar_width =
      std::min(34.0, group_width * 0.8 / static_cast<double>(std::max<size_t>(series.size(), 1)));
  const bool crowded = groups.size() > 7;
  for (size_t g = 0; g < groups.size(); ++g) {
    const double middle = kLeft + group_width * (static_cast<double>(g) + 0.5);
    double x = middle - bar_width * static_cast<double>(bars[g].size()) / 2;
    for (size_t s = 0; s < bars[g].size(); ++s, x += bar_width) {
      out += OneBar(x + 1, bar_width - 2, bars[g][s], s, groups[g] + ", " + series[s] + ":");
    }
    // Every other label a line lower, so that long names do not run into each other.
    const double y = kTop + kPlotHeight + (crowded && g % 2 == 1 ? 30 : 16);
    out += Text(middle, y, "tick mid", groups[g]);
  }
  return out + "</svg>";
}

std::string Lines(const std::vector<Line>& lines, std::string_view x_label,
                  std::string_view y_label, bool even_x) {
  std::string out = Open(y_label) + Grid(1.0, "%.1f") + Caption(x_label);
  if (lines.empty()) return out + "</svg>";
  constexpr size_t kMaxDots = 12;
  const std::vector<double>& ticks = lines[0].x;
  const auto place = [&](double x, size_t i) {
    const double share =
        even_x ? static_cast<double>(i) / static_cast<double>(std::max<size_t>(ticks.size() - 1, 1))
               : std::clamp(x, 0.0, 1.0);
    return kLeft + kPlotWidth * share;
  };
  for (size_t i = 0; i < ticks.size() && ticks.size() <= kMaxDots; ++i) {
    out += Text(place(ticks[i], i), kTop + kPlotHeight + 16, "tick mid", Format("%g", ticks[i]));
  }
  for (int i = 0; i <= 5 && ticks.size() > kMaxDots; ++i) {
    out += Text(kLeft + kPlotWidth * i / 5.0, kTop + kPlotHeight + 16, "tick mid",
                Format("%.1f", i / 5.0));
  }
  for (size_t s = 0; s < lines.size(); ++s) {
    std::string points;
    std::string dots;
    for (size_t i = 0; i < lines[s].y.size(); ++i) {
      const double x = place(lines[s].x[i], i);
      const double y = Y(lines[s].y[i]);
      points += Format("%.1f,%.1f ", x, y);
      if (lines[s].y.size() > kMaxDots) continue;
      dots +=
          Format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" class=\"arm%zu\"><title>", x, y, s % 6) +
          Escape(lines[s].name) +
          Format(" at %g: %.4f</title></circle>", lines[s].x[i], lines[s].y[i]);
    }
    out += Format("<polyline class=\"line%zu\" points=\"", s % 6) + points + "\"/>" + dots;
  }
  return out + "</svg>";
}

std::string Differences(std::vector<double> differences) {
  std::sort(differences.begin(), differences.end(), [](double a, double b) { return a > b; });
  std::string out = Open("Difference per question");
  const double middle = kTop + kPlotHeight / 2;
  for (int i = -2; i <= 2; ++i) {
    const double y = middle - kPlotHeight / 2 * i / 2.0;
    out += Format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>", kLeft, y,
                  kWidth - kRight, y, i == 0 ? "zero" : "grid");
    out += Text(kLeft - 6, y + 4, "tick end", i == 0 ? "0" : Format("%+.1f", i / 2.0));
  }
  const double step = kPlotWidth / static_cast<double>(std::max<size_t>(differences.size(), 1));
  for (size_t i = 0; i < differences.size(); ++i) {
    const double height = std::min(std::abs(differences[i]), 1.0) * kPlotHeight / 2;
    if (height == 0) continue;
    out +=
        Format("<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" class=\"%s\"/>",
               kLeft + step * static_cast<double>(i), differences[i] > 0 ? middle - height : middle,
               std::max(step * 0.92, 0.4), height, differences[i] > 0 ? "gain" : "loss");
  }
  return out + Caption("questions, most improved first") + "</svg>";
}

std::string Histogram(const std::vector<std::string>& series,
                      const std::vector<std::vector<double>>& values, std::string_view x_label) {
  constexpr size_t kBins = 40;
  double end = 0;
  for (const auto& each : values) end = std::max(end, Percentile(each, 0.99));
  if (end <= 0) end = 1;
  std::vector<std::vector<double>> shares(values.size(), std::vector<double>(kBins));
  double top = 0;
  for (size_t s = 0; s < values.size(); ++s) {
    for (const double value : values[s]) {
      const auto bin = static_cast<size_t>(std::clamp(value / end, 0.0, 1.0) * (kBins - 1e-9));
      shares[s][bin] += 1.0 / static_cast<double>(values[s].size());
    }
    for (const double share : shares[s]) top = std::max(top, share);
  }
  top = std::max(std::ceil(top * 10) / 10, 0.1);
  std::string out = Open("Histogram") + Grid(top, "%.2f") + Caption(x_label);
  for (int i = 0; i <= 5; ++i) {
    out += Text(kLeft + kPlotWidth * i / 5.0, kTop + kPlotHeight + 16, "tick mid",
                Format(end < 10 ? "%.1f" : "%.0f", end * i / 5.0));
  }
  for (size_t s = 0; s < shares.size(); ++s) {
    std::string path = Format("M%.1f %.1f", kLeft, Y(0));
    for (size_t bin = 0; bin < kBins; ++bin) {
      path += Format("V%.1fH%.1f", Y(shares[s][bin] / top),
                     kLeft + kPlotWidth * static_cast<double>(bin + 1) / kBins);
    }
    out += Format("<path class=\"line%zu area%zu\" d=\"", s % 6, s % 6) + path +
           Format("V%.1fZ\"><title>", Y(0)) + Escape(series[s]) + "</title></path>";
  }
  return out + "</svg>";
}

}  // namespace vade::qa::eval::svg
