// Which tensor takes which type, and the conversion of one.
#include "engine/import/requantize.h"

#include <algorithm>
#include <array>

#include "engine/base/utf8.h"
#include "engine/quant/quantize.h"

namespace vade::import {
namespace {

using quant::TensorType;

// llama.cpp's numbers for "mostly this type".
uint32_t FileTypeNumber(TensorType type) {
  switch (type) {
    case TensorType::kF16:
      return 1;
    case TensorType::kQ8_0:
      return 7;
    case TensorType::kBf16:
      return 32;
    default:
      return 0;
  }
}

bool IsFloat(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kBf16;
}

// A value quantised once would only lose by being quantised again.
TensorType TargetOf(const gguf::TensorInfo& tensor, TensorType wanted, bool is_encoder) {
  const bool convertible =
      IsFloat(tensor.type) || (tensor.type == TensorType::kQ8_0 && IsFloat(wanted));
  if (!convertible) return tensor.type;
  const uint64_t rows = tensor.num_values / tensor.dims[0];
  return StoredType(tensor.name, tensor.dims[0], tensor.num_dims == 1 ? 1 : rows, wanted,
                    is_encoder);
}

Result<std::vector<std::byte>> Convert(const gguf::File& file, const gguf::TensorInfo& tensor,
                                       TensorType target) {
  if (target == tensor.type) return std::vector<std::byte>(tensor.data.begin(), tensor.data.end());
  std::vector<float> values(tensor.num_values);
  quant::InfoOf(tensor.type).dequantize(tensor.data.data(), values.data(), values.size());
  auto bytes = quant::Quantize(target, values);
  if (!bytes) {
    return Fail(file.name() + ": tensor " + utf8::Escape(tensor.name), std::move(bytes).error());
  }
  return bytes;
}

}  // namespace

TensorType StoredType(std::string_view name, uint64_t row_values, uint64_t num_rows,
                      TensorType wanted, bool is_encoder) {
  constexpr std::array<std::string_view, 5> kKeepF32 = {"_norm", "position_embd", "token_types",
                                                        "ffn_gate_inp", "rope_freqs"};
  const auto named = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (num_rows <= 1 || !name.ends_with(".weight") || std::ranges::any_of(kKeepF32, named)) {
    return TensorType::kF32;
  }
  const bool whole_blocks = row_values % quant::InfoOf(wanted).block_values == 0;
  const bool values = is_encoder && named("attn_v.") && !IsFloat(wanted);
  return whole_blocks && !values ? wanted : TensorType::kF16;
}

void AddFileType(gguf::Writer& writer, TensorType type) {
  writer.Add("general.file_type", FileTypeNumber(type));
  writer.Add("general.quantization_version", uint32_t{2});
}

Result<TensorType> ParseOutputType(std::string_view name) {
  const quant::TensorTypeInfo* info = quant::FindTensorType(name);
  if (info != nullptr && quant::CanQuantize(info->type)) return info->type;
  return Fail(ErrorCode::kInvalidArgument,
              "type \"" + utf8::Escape(name) + "\": want f32, f16, bf16 or q8_0");
}

Result<void> Requantize(const gguf::File& in, const std::filesystem::path& out,
                        const WriteOptions& options) {
  gguf::Writer writer;
  AddFileType(writer, options.type);
  for (const gguf::KeyValue& entry : in.metadata()) {
    const bool rewritten = entry.key == "general.file_type" ||
                           entry.key == "general.quantization_version" ||
                           entry.key == "general.alignment" || entry.key.starts_with("split.");
    if (!rewritten) writer.Copy(entry);
  }
  VADE_TRY(const auto architecture, in.Find<std::string_view>("general.architecture"));
  const bool is_encoder = architecture.value_or("").find("bert") != std::string_view::npos;
  for (const gguf::TensorInfo& tensor : in.tensors()) {
    const TensorType target = TargetOf(tensor, options.type, is_encoder);
    writer.AddTensor(std::string(tensor.name), target,
                     {tensor.dims.begin(), tensor.dims.begin() + tensor.num_dims},
                     [&in, &tensor, target] { return Convert(in, tensor, target); });
  }
  return writer.WriteTo(out, options.replace, options.on_tensor);
}

}  // namespace vade::import
