// Shapes checked once; then each row is a column of words read down.
//   GPTQ: qweight [in / 8, out], input 8w + k at bits 4k; g_idx [in] names each input's group.
//   AWQ:  qweight [in, out / 8], output 8w + k at bits 4 * (0 4 1 5 2 6 3 7)[k].
// Both: qzeros [groups, out / 8] packed along outputs; scales [groups, out].
#include "engine/import/packed_weights.h"

#include <array>
#include <cstring>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::import {
namespace {

constexpr uint64_t kCodes = 8;  // in a word
constexpr std::array<uint32_t, kCodes> kInOrder = {0, 1, 2, 3, 4, 5, 6, 7};
constexpr std::array<uint32_t, kCodes> kAwqOrder = {0, 4, 1, 5, 2, 6, 3, 7};

struct Parts {
  const SourceTensor* codes = nullptr;
  const SourceTensor* zeros = nullptr;
  const SourceTensor* scales = nullptr;
  const SourceTensor* groups = nullptr;  // nullptr: in order
  quant::DequantizeFn read_scale = nullptr;
  uint64_t scale_bytes = 0;
  uint64_t in = 0;
  uint64_t out = 0;
  uint64_t group_size = 0;
};

int32_t WordAt(const SourceTensor& tensor, uint64_t index) {
  int32_t word;
  std::memcpy(&word, tensor.data.data() + index * sizeof word, sizeof word);
  return word;
}

float CodeAt(const SourceTensor& tensor, uint64_t word, uint32_t position) {
  const auto bits = static_cast<uint32_t>(WordAt(tensor, word));
  return static_cast<float>(bits >> (4 * position) & 15);
}

class Checker {
 public:
  Checker(const WeightFolder& weights, const std::string& name, const Packing& packing)
      : weights_(weights), name_(name), packing_(packing) {}

  Result<Parts> Check() const {
    Parts p;
    const bool gptq = packing_.method == Packing::Method::kGptq;
    VADE_TRY(p.codes, Find("qweight", "I32"));
    VADE_TRY(p.zeros, Find("qzeros", "I32"));
    VADE_TRY(p.scales, Find("scales", ""));
    if (p.codes->shape.size() != 2) return Wrong("qweight", *p.codes, "a matrix");
    p.in = p.codes->shape[0] * (gptq ? kCodes : 1);
    p.out = p.codes->shape[1] * (gptq ? 1 : kCodes);
    p.group_size = packing_.group_size == 0 ? p.in : packing_.group_size;
    if (p.in == 0 || p.out == 0 || p.out % kCodes != 0 || p.in % p.group_size != 0) {
      return Wrong("qweight", *p.codes,
                   "whole words and groups of " + std::to_string(p.group_size));
    }
    const uint64_t groups = p.in / p.group_size;
    VADE_CHECK_OK(Expect("qzeros", *p.zeros, {groups, p.out / kCodes}));
    VADE_CHECK_OK(Expect("scales", *p.scales, {groups, p.out}));
    const quant::TensorTypeInfo* type = quant::FindTensorType(p.scales->dtype);
    if (type == nullptr || type->block_values != 1 || type->dequantize == nullptr) {
      return Wrong("scales", *p.scales, "floats");
    }
    p.read_scale = type->dequantize;
    p.scale_bytes = type->block_bytes;
    p.groups = weights_.Find(name_ + ".g_idx");
    if (p.groups != nullptr) VADE_CHECK_OK(CheckGroups(p, groups));
    return p;
  }

 private:
  tl::unexpected<Error> Wrong(const std::string& part, const SourceTensor& tensor,
                              const std::string& want) const {
    return Fail(ErrorCode::kCorruptData,
                tensor.file + ": tensor " + utf8::Escape(name_) + "." + part + ": got " +
                    tensor.dtype + " " + nlohmann::json(tensor.shape).dump() + ", want " + want);
  }
  Result<const SourceTensor*> Find(const std::string& part, const std::string& dtype) const {
    const SourceTensor* tensor = weights_.Find(name_ + "." + part);
    if (tensor == nullptr) {
      return Fail(ErrorCode::kCorruptData,
                  "tensor " + utf8::Escape(name_) + "." + part + ": missing");
    }
    if (!dtype.empty() && tensor->dtype != dtype) return Wrong(part, *tensor, dtype);
    return tensor;
  }
  Result<void> Expect(const std::string& part, const SourceTensor& tensor,
                      const std::vector<uint64_t>& shape) const {
    if (tensor.shape == shape) return {};
    return Wrong(part, tensor, nlohmann::json(shape).dump());
  }
  Result<void> CheckGroups(const Parts& p, uint64_t num_groups) const {
    if (p.groups->dtype != "I32") return Wrong("g_idx", *p.groups, "I32");
    VADE_CHECK_OK(Expect("g_idx", *p.groups, {p.in}));
    for (uint64_t i = 0; i < p.in; ++i) {
      const int32_t group = WordAt(*p.groups, i);
      if (group < 0 || static_cast<uint64_t>(group) >= num_groups) {
        return Fail(ErrorCode::kCorruptData, p.groups->file + ": tensor " + utf8::Escape(name_) +
                                                 ".g_idx: group " + std::to_string(group) + " of " +
                                                 std::to_string(num_groups));
      }
    }
    return {};
  }

  const WeightFolder& weights_;
  const std::string& name_;
  const Packing& packing_;
};

void ReadRow(const Parts& p, const Packing& packing, uint64_t row, std::span<float> out) {
  const bool gptq = packing.method == Packing::Method::kGptq;
  const uint32_t position = (gptq ? kInOrder : kAwqOrder)[row % kCodes];
  const uint64_t words = p.out / kCodes;
  const float added = gptq && packing.zeros_less_one ? 1.0f : 0.0f;
  uint64_t group = p.in;  // none yet
  float scale = 0;
  float zero = 0;
  for (uint64_t i = 0; i < p.in; ++i) {
    const uint64_t wanted =
        p.groups != nullptr ? static_cast<uint64_t>(WordAt(*p.groups, i)) : i / p.group_size;
    if (wanted != group) {
      group = wanted;
      p.read_scale(p.scales->data.data() + (group * p.out + row) * p.scale_bytes, &scale, 1);
      zero = CodeAt(*p.zeros, group * words + row / kCodes, position) + added;
    }
    const float code =
        gptq ? CodeAt(*p.codes, i / kCodes * p.out + row, static_cast<uint32_t>(i % kCodes))
             : CodeAt(*p.codes, i * words + row / kCodes, position);
    out[i] = scale * (code - zero);
  }
}

}  // namespace

Result<Packing> ReadPacking(const JsonObject& config) {
  const nlohmann::json* found = config.Find("quantization_config");
  if (found == nullptr) return Packing();
  const std::string name = config.name() + ": quantization_config";
  if (!found->is_object()) return Fail(ErrorCode::kCorruptData, name + ": not an object");
  const JsonObject settings(*found, name);
  VADE_TRY(const std::string method, settings.GetString("quant_method", std::nullopt));
  Packing out;
  if (method == "gptq") out.method = Packing::Method::kGptq;
  if (method == "awq") out.method = Packing::Method::kAwq;
  if (out.method == Packing::Method::kNone) {
    return Fail(ErrorCode::kUnsupported,
                name + ": quant_method \"" + utf8::Escape(method) + "\", want gptq or awq");
  }
  VADE_TRY(const uint32_t bits, settings.GetUint("bits", 4));
  VADE_TRY(const std::string version, settings.GetString("version", "gemm"));
  if (bits != 4 ||
      (out.method == Packing::Method::kAwq && version != "gemm" && version != "GEMM")) {
    return Fail(ErrorCode::kUnsupported, name + ": " + std::to_string(bits) + " bits, version \"" +
                                             utf8::Escape(version) + "\", want 4 bits (gemm)");
  }
  VADE_TRY(const double group, settings.GetNumber("group_size", 128));
  if (group != -1 && (group < 1 || group > 1 << 24 || group != static_cast<uint32_t>(group))) {
    return Fail(ErrorCode::kCorruptData, name + ": group_size " + std::to_string(group));
  }
  out.group_size = group == -1 ? 0 : static_cast<uint32_t>(group);
  VADE_TRY(const std::string format, settings.GetString("checkpoint_format", "gptq"));
  out.zeros_less_one = format != "gptq_v2";
  return out;
}

std::vector<std::string> PackedParts() { return {"qweight", "qzeros", "scales", "g_idx"}; }

Result<UnpackedMatrix> UnpackMatrix(const WeightFolder& weights, const std::string& name,
                                    const Packing& packing) {
  VADE_TRY(const Parts parts, Checker(weights, name, packing).Check());
  return UnpackedMatrix{{parts.out, parts.in},
                        {parts.in, parts.out, [parts, packing](uint64_t row, std::span<float> out) {
                           ReadRow(parts, packing, row, out);
                         }}};
}

}  // namespace vade::import
