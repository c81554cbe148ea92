#include "engine/model/rank_head.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace vade::model {
namespace {

constexpr size_t kMaxLabels = 4096;

// Rows of a matrix with d columns; 0 if there is no such tensor.
Result<size_t> CountLabels(const TensorBinder& binder, const std::string& name) {
  const gguf::TensorInfo* info = binder.file().FindTensor(name);
  if (info == nullptr) return size_t{0};
  const uint64_t rows = info->dims[1];
  if (rows >= 1 && rows <= kMaxLabels) return size_t{rows};
  return binder.file().TensorError(name, "got " + gguf::ShapeToString(*info) +
                                             ", expected at most " + std::to_string(kMaxLabels) +
                                             " labels");
}

}  // namespace

Result<RankHead> RankHead::Bind(TensorBinder& binder, size_t d_model, Act activation,
                                float norm_eps) {
  RankHead head;
  head.activation_ = activation;
  head.norm_eps_ = norm_eps;
  const bool has_dense = binder.Has("cls.weight");
  VADE_TRY(head.num_labels_, CountLabels(binder, "cls.output.weight"));
  if (head.num_labels_ != 0) {
    VADE_TRY(head.output_, binder.Values("cls.output.weight", d_model, head.num_labels_));
    VADE_TRY(head.output_bias_, binder.FindValues("cls.output.bias", false, head.num_labels_));
  }
  if (!has_dense) return head;
  size_t rows = d_model;
  if (head.num_labels_ == 0) {
    VADE_TRY(rows, CountLabels(binder, "cls.weight"));
    head.num_labels_ = rows;
  }
  VADE_TRY(head.dense_, binder.Values("cls.weight", d_model, rows));
  VADE_TRY(head.dense_bias_, binder.FindValues("cls.bias", false, rows));
  VADE_TRY(head.norm_, binder.FindValues("cls.norm.weight", false, rows));
  return head;
}

void RankHead::Multiply(const Vector& weight, const Vector& bias, std::span<const float> x,
                        std::span<float> out) {
  for (size_t row = 0; row < out.size(); ++row) {
    double sum = bias.empty() ? 0.0 : double{bias[row]};
    const float* w = weight.data() + row * x.size();
    for (size_t i = 0; i < x.size(); ++i) sum += double{x[i]} * double{w[i]};
    out[row] = static_cast<float>(sum);
  }
}

void RankHead::Run(const kernels::KernelTable& kernels, std::span<const float> x,
                   std::span<float> out) const {
  if (dense_.empty()) return Multiply(output_, output_bias_, x, out);
  Vector dense(dense_.size() / x.size());
  Multiply(dense_, dense_bias_, x, dense);
  switch (activation_) {
    case Act::kTanh:
      for (float& value : dense) value = std::tanh(value);
      break;
    case Act::kGeluErf:
      kernels.gelu_erf(dense.data(), dense.size());
      break;
    case Act::kGeluTanh:
      kernels.gelu_tanh(dense.data(), dense.size());
      break;
  }
  if (!norm_.empty()) {
    kernels.layer_norm(dense.data(), norm_.data(), nullptr, norm_eps_, dense.size(), dense.data());
  }
  if (output_.empty()) {
    std::ranges::copy(dense, out.begin());
  } else {
    Multiply(output_, output_bias_, dense, out);
  }
}

}  // namespace vade::model
