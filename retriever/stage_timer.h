// StageTimer: how long each stage of a search or an answer took.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "retriever/retriever.h"

namespace vade::retriever {

/// Appends to `timings`, which must outlive it. Single-thread.
class StageTimer {
 public:
  explicit StageTimer(std::vector<StageTiming>& timings) : timings_(timings) {}

  /// The time since the last lap (or the start) is that of `stage`.
  void Lap(std::string stage) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> ms = now - last_;
    timings_.push_back({std::move(stage), ms.count()});
    last_ = now;
  }

 private:
  std::vector<StageTiming>& timings_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace vade::retriever
