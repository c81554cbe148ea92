#include "qa/cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

constexpr double kQuietSeconds = 2;  // shorter work needs no progress line
constexpr double kTerminalIntervalSeconds = 0.1;
constexpr double kLogIntervalSeconds = 5;

double Seconds(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

size_t TerminalColumns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

Progress::Progress(std::string_view label, bool quiet)
    : label_(label),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      last_draw_(start_) {}

Progress::~Progress() {
  if (drawn_ && terminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::Update(uint64_t done, uint64_t total, std::string_view detail) {
  const auto now = Clock::now();
  const double elapsed = Seconds(now - start_);
  const double interval = terminal_ ? kTerminalIntervalSeconds : kLogIntervalSeconds;
  if (quiet_ || elapsed < kQuietSeconds || Seconds(now - last_draw_) < interval) return;
  last_draw_ = now;
  drawn_ = true;
  const double share = total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total);
  std::string line = label_ + " " + std::to_string(static_cast<int>(share * 100)) + "%";
  // An early ratio says little: the first files may be the small ones.
  if (share > 0.01) line += ", " + FormatDuration(elapsed / share - elapsed) + " left";
  line += "  " + utf8::Escape(detail);
  if (terminal_) {
    line.resize(utf8::FloorBoundary(line, TerminalColumns() - 1));
    std::fprintf(stderr, "\r\x1b[K%s", line.c_str());
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

std::string FormatDuration(double seconds) {
  const auto total = static_cast<uint64_t>(std::llround(std::max(0.0, seconds)));
  if (total < 60) return std::to_string(total) + " s";
  if (total < 3600) return std::to_string(total / 60) + " min " + std::to_string(total % 60) + " s";
  return std::to_string(total / 3600) + " h " + std::to_string(total / 60 % 60) + " min";
}

std::string FormatBytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 || value >= 99.5 ? "%.0f %s" : "%.1f %s", value,
                kUnits[unit]);
  return text;
}

}  // namespace vade::qa
