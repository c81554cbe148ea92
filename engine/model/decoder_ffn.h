// The feed-forward step of decoders. A dense layer is a mixture of one expert that every row goes
// to, so both kinds take the same way:
//   assign   rows to experts, sorted by expert
//   gather   the rows' normalised inputs in that order
//   up       wide = activation(gate(x)) * up(x), in chunks of columns
//   down     out = down(wide)
//   combine  each row sums its experts' outputs, weighed
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/kernels.h"
#include "engine/model/decoder_config.h"
#include "engine/model/decoder_weights.h"
#include "engine/model/team.h"
#include "engine/tensor/packed_matrix.h"

namespace vade::model {

/// One row's visit to one expert.
struct Visit {
  size_t row = 0;
  float weight = 1;
};

/// Which rows go where: expert i gets visits [starts[i], starts[i + 1]).
struct Assignment {
  std::vector<Visit> visits;
  std::vector<size_t> starts;
  std::vector<size_t> by_row;  // [num_rows, visits of a row]: indices into visits
};

/// Working memory of one pass at a time.
class FfnScratch {
 public:
  void Reserve(const DecoderConfig& config, size_t num_rows, size_t team_size, bool with_f32);
  [[nodiscard]] static size_t Bytes(const DecoderConfig& config, size_t num_rows, size_t team_size,
                                    bool with_f32) noexcept;

 private:
  friend class Ffn;
  struct PerThread {
    AlignedBuffer<float> up;    // [num_rows, kFfnColumns]
    AlignedBuffer<float> gate;  // likewise
  };
  struct Task {
    size_t expert;
    size_t col;
    size_t width;
  };

  tensor::Operand in_;           // [num_visits, d_model]
  tensor::Operand wide_;         // [num_visits, d_ff]
  AlignedBuffer<float> out_;     // [num_visits, d_model], mixtures only
  AlignedBuffer<float> logits_;  // [num_rows, num_experts], mixtures only
  Assignment assignment_;
  std::vector<Task> tasks_;
  std::vector<PerThread> threads_;
};

/// One layer's feed-forward step.
class Ffn {
 public:
  Ffn(const DecoderConfig& config, const DecoderLayer& layer, const kernels::KernelTable& kernels,
      const Team& team, FfnScratch& scratch)
      : config_(config), layer_(layer), kernels_(kernels), team_(team), scratch_(scratch) {}

  /// Shapes: x [num_rows, d_model] f32 (normalised), out likewise.
  void Run(const float* x, size_t num_rows, float* out) const;

 private:
  void SendAll(size_t num_rows) const;
  void Route(const float* x, size_t num_rows) const;
  void ChooseExperts(size_t row, std::span<float> logits) const;
  void SortVisits(size_t num_rows) const;
  void RunExperts(std::span<const FfnWeights> experts, const float* x, float* out) const;
  void Up(std::span<const FfnWeights> experts) const;
  void UpColumns(const FfnWeights& ffn, const FfnScratch::Task& task,
                 FfnScratch::PerThread& thread) const;
  void Down(std::span<const FfnWeights> experts, float* out) const;
  void Combine(size_t num_rows, float* out) const;
  void AddShared(const float* x, size_t num_rows, float* out) const;

  const DecoderConfig& config_;
  const DecoderLayer& layer_;
  const kernels::KernelTable& kernels_;
  const Team& team_;
  FfnScratch& scratch_;
};

}  // namespace vade::model
