// The classifier of a reranker: from one vector to relevance scores.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/kernels/kernels.h"
#include "engine/model/tensor_binder.h"

namespace vade::model {

/// scores = output(norm(activation(dense(x)))): tensors cls, cls.norm and cls.output. Each may be
/// absent, but not both dense and output; without an output, dense gives the scores. Immutable.
class RankHead {
 public:
  enum class Act { kTanh, kGeluErf, kGeluTanh };

  RankHead() = default;

  /// Empty if the file has no such tensors. norm_eps is that of the model's other norms.
  /// Errors: TensorBinder's; kCorruptData for more than 4096 labels.
  [[nodiscard]] static Result<RankHead> Bind(TensorBinder& binder, size_t d_model, Act activation,
                                             float norm_eps);

  [[nodiscard]] bool empty() const noexcept { return num_labels_ == 0; }
  [[nodiscard]] size_t num_labels() const noexcept { return num_labels_; }

  /// Shapes: x [d_model] f32, out [num_labels()] f32. Sums are taken in double. REQUIRES !empty().
  void Run(const kernels::KernelTable& kernels, std::span<const float> x,
           std::span<float> out) const;

 private:
  using Vector = std::vector<float>;
  static void Multiply(const Vector& weight, const Vector& bias, std::span<const float> x,
                       std::span<float> out);

  Vector dense_;       // [d_model, d_model] f32, or [num_labels, d_model]; may be empty
  Vector dense_bias_;  // [d_model], may be empty, as all biases
  Vector norm_;        // [d_model], may be empty
  Vector output_;      // [num_labels, d_model], may be empty
  Vector output_bias_;
  Act activation_ = Act::kTanh;
  float norm_eps_ = 0;
  size_t num_labels_ = 0;
};

}  // namespace vade::model
