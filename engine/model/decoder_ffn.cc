#include "engine/model/decoder_ffn.h"

#include <algorithm>
#include <cmath>

namespace vade::model {
namespace {

// Rows a thread stores or combines at a time.
constexpr size_t kRowChunk = 8;

// Columns computed, activated and stored before the next, while they are in the cache: about this
// many, in whole scale groups of what reads them, which are no longer than that.
constexpr size_t kFfnColumns = 384;

// The weights of a row's experts are divided by their sum, but not by less: the least normal f16.
constexpr float kLeastWeightSum = 6.103515625e-5f;

void Grow(AlignedBuffer<float>& buffer, size_t size) {
  if (buffer.size() < size) buffer = AlignedBuffer<float>(size);
}

float Dot(const float* x, const float* y, size_t n) noexcept {
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += double{x[i]} * double{y[i]};
  return static_cast<float>(sum);
}

void AddScaled(const float* x, float scale, size_t n, float* y) noexcept {
  for (size_t i = 0; i < n; ++i) y[i] += scale * x[i];
}

size_t ChunkOf(const tensor::PackedMatrix& down) noexcept {
  const bool grouped = down.form() == tensor::Form::kI8 || down.form() == tensor::Form::kI16;
  return grouped ? kFfnColumns / down.group() * down.group() : kFfnColumns;
}

size_t VisitsPerRow(const DecoderConfig& config) noexcept {
  return config.num_experts == 0 ? 1 : config.num_used_experts;
}

size_t WidestFfn(const DecoderConfig& config) noexcept {
  const size_t routed = config.num_experts == 0 ? config.d_ff : config.d_expert;
  return std::max(routed, config.d_shared);
}

}  // namespace

void FfnScratch::Reserve(const DecoderConfig& config, size_t num_rows, size_t team_size,
                         bool with_f32) {
  const size_t num_visits = num_rows * VisitsPerRow(config);
  in_.Reserve(num_visits, config.d_model, with_f32);
  wide_.Reserve(num_visits, WidestFfn(config), with_f32);
  if (config.num_experts != 0) {
    Grow(out_, num_visits * config.d_model);
    Grow(logits_, num_rows * config.num_experts);
  }
  if (threads_.size() < team_size) threads_.resize(team_size);
  for (PerThread& thread : threads_) {
    Grow(thread.up, num_rows * kFfnColumns);
    if (config.facts->ffn != FfnKind::kGelu) Grow(thread.gate, num_rows * kFfnColumns);
  }
}

size_t FfnScratch::Bytes(const DecoderConfig& config, size_t num_rows, size_t team_size,
                         bool with_f32) noexcept {
  const size_t num_visits = num_rows * VisitsPerRow(config);
  const size_t mixture =
      config.num_experts == 0 ? 0 : num_visits * config.d_model + num_rows * config.num_experts;
  return tensor::Operand::ReservedBytes(num_visits, config.d_model, with_f32) +
         tensor::Operand::ReservedBytes(num_visits, WidestFfn(config), with_f32) +
         (mixture + team_size * 2 * num_rows * kFfnColumns) * sizeof(float);
}

void Ffn::Run(const float* x, size_t num_rows, float* out) const {
  if (config_.num_experts == 0) {
    SendAll(num_rows);
    return RunExperts(layer_.ffn, x, out);
  }
  Route(x, num_rows);
  RunExperts(layer_.ffn, x, scratch_.out_.data());
  Combine(num_rows, out);
  if (!layer_.shared.empty()) AddShared(x, num_rows, out);
}

// Every row visits the one expert there is.
void Ffn::SendAll(size_t num_rows) const {
  Assignment& assignment = scratch_.assignment_;
  assignment.visits.resize(num_rows);
  for (size_t row = 0; row < num_rows; ++row) assignment.visits[row] = {row, 1.0f};
  assignment.starts = {0, num_rows};
}

void Ffn::Combine(size_t num_rows, float* out) const {
  const size_t d = config_.d_model;
  const size_t per_row = config_.num_used_experts;
  const Assignment& assignment = scratch_.assignment_;
  team_.ForRanges(num_rows, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      std::fill_n(out + row * d, d, 0.0f);
      for (size_t i = 0; i < per_row; ++i) {
        const size_t visit = assignment.by_row[row * per_row + i];
        AddScaled(scratch_.out_.data() + visit * d, assignment.visits[visit].weight, d,
                  out + row * d);
      }
    }
  });
}

// The shared expert takes every row and is weighed by a gate of its own.
void Ffn::AddShared(const float* x, size_t num_rows, float* out) const {
  const size_t d = config_.d_model;
  SendAll(num_rows);
  RunExperts(layer_.shared, x, scratch_.out_.data());
  team_.ForRanges(num_rows, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      const float gate = Dot(x + row * d, layer_.shared_gate.data(), d);
      AddScaled(scratch_.out_.data() + row * d, 1.0f / (1.0f + std::exp(-gate)), d, out + row * d);
    }
  });
}

// Fills the assignment from the router's scores.
void Ffn::Route(const float* x, size_t num_rows) const {
  const size_t d = config_.d_model;
  const tensor::PackedMatrix& router = layer_.router.weight;
  scratch_.in_.Shape(router);
  team_.ForRanges(num_rows, kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t row = begin; row < end; ++row) {
      scratch_.in_.Store(kernels_, row, 0, {x + row * d, d});
    }
  });
  team_.ForRanges(router.n(), kernels::kPanelWidth, [&](size_t begin, size_t end, size_t) {
    tensor::Product{.x = scratch_.in_,
                    .w = router,
                    .bias = layer_.router.bias_or_null(),
                    .y = scratch_.logits_.data() + begin,
                    .ldy = router.n()}
        .Run(kernels_, 0, num_rows, begin, end - begin);
  });
  scratch_.assignment_.visits.clear();
  scratch_.assignment_.by_row.clear();
  for (size_t row = 0; row < num_rows; ++row) {
    ChooseExperts(row, {scratch_.logits_.data() + row * router.n(), router.n()});
  }
  SortVisits(num_rows);
}

// Softmax over all experts, then the best ones. Appends to visits, and the experts to by_row.
void Ffn::ChooseExperts(size_t row, std::span<float> logits) const {
  Assignment& assignment = scratch_.assignment_;
  kernels_.softmax(logits.data(), logits.size(), 1.0f);
  const size_t first = assignment.visits.size();
  float sum = 0;
  for (size_t i = 0; i < config_.num_used_experts; ++i) {
    size_t best = 0;
    for (size_t expert = 1; expert < logits.size(); ++expert) {
      // NaN loses to nothing and beats nothing: any choice will do, the output is NaN anyway.
      if (logits[expert] > logits[best]) best = expert;
    }
    assignment.visits.push_back({row, logits[best]});
    assignment.by_row.push_back(best);
    sum += logits[best];
    logits[best] = -1.0f;  // below every probability
  }
  const float divisor = config_.facts->renormalise_experts ? std::max(sum, kLeastWeightSum) : 1.0f;
  for (size_t i = first; i < assignment.visits.size(); ++i) {
    assignment.visits[i].weight *= config_.expert_scale / divisor;
  }
}

// A counting sort by expert; by_row held the experts and gets the places.
void Ffn::SortVisits(size_t num_rows) const {
  Assignment& assignment = scratch_.assignment_;
  const size_t count = num_rows * config_.num_used_experts;
  std::vector<size_t>& starts = assignment.starts;
  starts.assign(config_.num_experts + 1, 0);
  for (const size_t expert : assignment.by_row) ++starts[expert + 1];
  for (size_t i = 0; i < config_.num_experts; ++i) starts[i + 1] += starts[i];
  std::vector<size_t> next(starts.begin(), starts.end() - 1);
  std::vector<Visit> sorted(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t place = next[assignment.by_row[i]]++;
    sorted[place] = assignment.visits[i];
    assignment.by_row[i] = place;
  }
  assignment.visits = std::move(sorted);
}

// out [num_visits, d_model], in the order of the visits.
void Ffn::RunExperts(std::span<const FfnWeights> experts, const float* x, float* out) const {
  const size_t d = config_.d_model;
  const std::vector<Visit>& visits = scratch_.assignment_.visits;
  scratch_.in_.Shape(experts.front().up.weight);
  team_.ForRanges(visits.size(), kRowChunk, [&](size_t begin, size_t end, size_t) {
    for (size_t i = begin; i < end; ++i) {
      scratch_.in_.Store(kernels_, i, 0, {x + visits[i].row * d, d});
    }
  });
  Up(experts);
  Down(experts, out);
}

void Ffn::Up(std::span<const FfnWeights> experts) const {
  const tensor::PackedMatrix& down = experts.front().down.weight;
  const std::vector<size_t>& starts = scratch_.assignment_.starts;
  const size_t chunk = ChunkOf(down);
  scratch_.wide_.Shape(down);
  scratch_.tasks_.clear();
  for (size_t expert = 0; expert < experts.size(); ++expert) {
    if (starts[expert] == starts[expert + 1]) continue;
    for (size_t col = 0; col < down.k(); col += chunk) {
      scratch_.tasks_.push_back({expert, col, std::min(chunk, down.k() - col)});
    }
  }
  team_.For(scratch_.tasks_.size(), [&](size_t i, size_t thread_idx) {
    const FfnScratch::Task& task = scratch_.tasks_[i];
    UpColumns(experts[task.expert], task, scratch_.threads_[thread_idx]);
  });
}

void Ffn::UpColumns(const FfnWeights& ffn, const FfnScratch::Task& task,
                    FfnScratch::PerThread& thread) const {
  const size_t first = scratch_.assignment_.starts[task.expert];
  const size_t num_rows = scratch_.assignment_.starts[task.expert + 1] - first;
  const size_t width = task.width;
  const auto multiply = [&](const Linear& linear, float* y) {
    tensor::Product{.x = scratch_.in_,
                    .w = linear.weight,
                    .bias = linear.bias_or_null(),
                    .y = y - first * width,  // row `first` of the output is row 0 of y
                    .ldy = width}
        .Run(kernels_, first, num_rows, task.col, width);
  };
  const FfnKind kind = config_.facts->ffn;
  multiply(ffn.up, thread.up.data());
  if (kind != FfnKind::kGelu) multiply(ffn.gate, thread.gate.data());
  for (size_t row = 0; row < num_rows; ++row) {
    float* up = thread.up.data() + row * width;
    float* gate = thread.gate.data() + row * width;
    switch (kind) {
      case FfnKind::kSiluGated:
        kernels_.silu_multiply(gate, width, up);
        break;
      case FfnKind::kGeluGated:
        kernels_.gelu_tanh_multiply(gate, width, up);
        break;
      case FfnKind::kGelu:
        kernels_.gelu_tanh(up, width);
        break;
    }
    scratch_.wide_.Store(kernels_, first + row, task.col, {up, width});
  }
}

void Ffn::Down(std::span<const FfnWeights> experts, float* out) const {
  const std::vector<size_t>& starts = scratch_.assignment_.starts;
  const size_t d = config_.d_model;
  size_t num_active = 0;
  for (size_t i = 0; i < experts.size(); ++i) num_active += starts[i] != starts[i + 1] ? 1 : 0;
  // About three pieces for each thread over all experts.
  const size_t pieces = std::max<size_t>(1, 3 * team_.size() / std::max<size_t>(1, num_active));
  const size_t panels = (d + kernels::kPanelWidth - 1) / kernels::kPanelWidth;
  const size_t width = (panels + pieces - 1) / pieces * kernels::kPanelWidth;
  scratch_.tasks_.clear();
  for (size_t expert = 0; expert < experts.size(); ++expert) {
    if (starts[expert] == starts[expert + 1]) continue;
    for (size_t col = 0; col < d; col += width) {
      scratch_.tasks_.push_back({expert, col, std::min(width, d - col)});
    }
  }
  team_.For(scratch_.tasks_.size(), [&](size_t i, size_t) {
    const FfnScratch::Task& task = scratch_.tasks_[i];
    const Linear& down = experts[task.expert].down;
    tensor::Product{.x = scratch_.wide_,
                    .w = down.weight,
                    .bias = down.bias_or_null(),
                    .y = out + task.col,
                    .ldy = d}
        .Run(kernels_, starts[task.expert], starts[task.expert + 1] - starts[task.expert], task.col,
             task.width);
  });
}

}  // namespace vade::model
