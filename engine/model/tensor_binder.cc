#include "engine/model/tensor_binder.h"

#include <array>

#include "engine/base/utf8.h"

namespace vade::model {

using gguf::TensorInfo;
using tensor::StoredMatrix;

Result<const TensorInfo*> TensorBinder::Tensor(const std::string& name,
                                               std::span<const uint64_t> shape) {
  VADE_TRY(const TensorInfo* info, file_.RequireTensor(name, shape));
  used_.insert(info->name);
  const quant::TensorTypeInfo& type = quant::InfoOf(info->type);
  if (type.dequantize != nullptr) return info;
  return Fail(ErrorCode::kUnsupported, file_.name() + ": tensor " + name + ": type " +
                                           std::string(type.name) + " cannot be read");
}

Result<StoredMatrix> TensorBinder::Matrix(const std::string& name, size_t n, size_t k) {
  VADE_TRY(const auto matrices, Matrices(name, 1, n, k));
  return matrices.front();
}

Result<std::vector<StoredMatrix>> TensorBinder::Matrices(const std::string& name, size_t count,
                                                         size_t n, size_t k) {
  const std::array<uint64_t, 3> shape = {k, n, count};
  VADE_TRY(const TensorInfo* info, Tensor(name, std::span(shape).first(count == 1 ? 2 : 3)));
  if (!tensor::GroupOf(tensor::DecoderFormOf(info->type), k)) {
    return file_.TensorError(
        name, "got rows of " + std::to_string(k) + " quantised values, expected a multiple of 32");
  }
  const size_t bytes = info->data.size() / count;
  std::vector<StoredMatrix> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back({info->type, info->data.subspan(i * bytes, bytes), n, k});
  }
  return out;
}

Result<std::vector<float>> TensorBinder::Values(const std::string& name, size_t n, size_t rows) {
  VADE_TRY(const TensorInfo* info, Tensor(name, std::array<uint64_t, 2>{n, rows}));
  std::vector<float> out(n * rows);
  quant::InfoOf(info->type).dequantize(info->data.data(), out.data(), out.size());
  return out;
}

Result<std::vector<float>> TensorBinder::FindValues(const std::string& name, bool required,
                                                    size_t n, size_t rows) {
  if (!required && !Has(name)) return std::vector<float>{};
  return Values(name, n, rows);
}

Result<void> TensorBinder::CheckAllUsed() const {
  for (const TensorInfo& info : file_.tensors()) {
    if (used_.contains(info.name)) continue;
    return Fail(ErrorCode::kUnsupported, file_.name() + ": tensor " + utf8::Escape(info.name) +
                                             " " + gguf::ShapeToString(info) +
                                             ": not part of this architecture as we know it");
  }
  return {};
}

}  // namespace vade::model
