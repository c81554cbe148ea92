// The table of kinds and the rule of the mixtures.
#include "engine/import/file_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>

#include "engine/base/utf8.h"

namespace vade::import {
namespace {

using quant::TensorType;

struct Kind {
  FileType type;
  std::string_view name;
  TensorType matrices;
  bool is_mixture = false;
};

constexpr std::array kKinds = {
    Kind{FileType::kF32, "f32", TensorType::kF32},
    Kind{FileType::kF16, "f16", TensorType::kF16},
    Kind{FileType::kBf16, "bf16", TensorType::kBf16},
    Kind{FileType::kQ8_0, "q8_0", TensorType::kQ8_0},
    Kind{FileType::kQ6K, "q6_K", TensorType::kQ6K},
    Kind{FileType::kQ5KM, "q5_K_M", TensorType::kQ5K, true},
    Kind{FileType::kQ5_1, "q5_1", TensorType::kQ5_1},
    Kind{FileType::kQ5_0, "q5_0", TensorType::kQ5_0},
    Kind{FileType::kQ4KM, "q4_K_M", TensorType::kQ4K, true},
    Kind{FileType::kQ4_1, "q4_1", TensorType::kQ4_1},
    Kind{FileType::kQ4_0, "q4_0", TensorType::kQ4_0},
    Kind{FileType::kIq4Nl, "iq4_nl", TensorType::kIq4Nl},
};

constexpr std::string_view kNames =
    "f32, f16, bf16, q8_0, q6_K, q5_K_M, q5_1, q5_0, q4_K_M, q4_1, q4_0 or iq4_nl";

const Kind& KindOf(FileType type) { return *std::ranges::find(kKinds, type, &Kind::type); }

bool IsFloat(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kBf16;
}

// 12 of "blk.12.attn_v.weight".
std::optional<size_t> LayerOf(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  size_t layer = 0;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* const end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + kPrefix.size(), end, layer);
  return error == std::errc() && at != end && *at == '.' ? std::optional(layer) : std::nullopt;
}

// The first and the last eighth of the layers, and every third between.
bool TakesMoreBits(std::string_view name, size_t num_layers) {
  const std::optional<size_t> layer = LayerOf(name);
  if (!layer) return false;
  const size_t eighth = num_layers / 8;
  return *layer < eighth || *layer >= 7 * num_layers / 8 || (*layer - eighth) % 3 == 2;
}

TensorType Preferred(std::string_view name, const Kind& kind, const ModelShape& shape) {
  const auto named = [&](std::string_view part) { return name.find(part) != name.npos; };
  const bool is_output =
      name == "output.weight" || (name == "token_embd.weight" && !shape.has_output);
  if (is_output) return kind.matrices == TensorType::kQ8_0 ? kind.matrices : TensorType::kQ6K;
  const bool is_value = named("attn_v.") || named("attn_qkv.") || named("attn_kv_b.");
  // Eight experts share one attention: its size does not matter beside theirs.
  const bool eight_experts = shape.num_experts == 8;
  if (eight_experts && (is_value || named("attn_k."))) return TensorType::kQ8_0;
  if (eight_experts && named("attn_output.") && kind.type == FileType::kQ4KM) {
    return TensorType::kQ5K;
  }
  if (kind.is_mixture && (is_value || named("ffn_down")) && TakesMoreBits(name, shape.num_layers)) {
    return TensorType::kQ6K;
  }
  return kind.matrices;
}

// What rows of `row_values` can take instead.
TensorType FitToRow(TensorType type, uint64_t row_values) {
  const auto fits = [&](TensorType t) { return row_values % quant::InfoOf(t).block_values == 0; };
  if (fits(type)) return type;
  if (type == TensorType::kQ4K) type = TensorType::kQ5_0;
  if (type == TensorType::kQ5K) type = TensorType::kQ5_1;
  if (type == TensorType::kQ6K) type = TensorType::kQ8_0;
  return fits(type) ? type : TensorType::kF16;
}

}  // namespace

Result<ModelShape> ShapeOf(const gguf::File& file) {
  ModelShape shape;
  VADE_TRY(const auto architecture, file.Find<std::string_view>("general.architecture"));
  const std::string name(architecture.value_or(""));
  shape.is_encoder = name.find("bert") != name.npos;
  shape.has_output = file.FindTensor("output.weight") != nullptr;
  VADE_TRY(const auto num_experts, file.Find<uint32_t>(name + ".expert_count"));
  shape.num_experts = num_experts.value_or(0);
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    const std::optional<size_t> layer = LayerOf(tensor.name);
    // A layer of a real model; anything else is only a name.
    if (layer && *layer < file.tensors().size()) {
      shape.num_layers = std::max(shape.num_layers, *layer + 1);
    }
  }
  return shape;
}

TensorType StoredType(std::string_view tensor_name, uint64_t row_values, uint64_t num_rows,
                      FileType wanted, const ModelShape& shape) {
  constexpr std::array<std::string_view, 5> kKeepF32 = {"_norm", "position_embd", "token_types",
                                                        "ffn_gate_inp", "rope_freqs"};
  const auto named = [&](std::string_view part) {
    return tensor_name.find(part) != tensor_name.npos;
  };
  if (num_rows <= 1 || !tensor_name.ends_with(".weight") || std::ranges::any_of(kKeepF32, named)) {
    return TensorType::kF32;
  }
  const Kind& kind = KindOf(wanted);
  if (IsFloat(kind.matrices)) return kind.matrices;
  if (shape.is_encoder && named("attn_v.")) return TensorType::kF16;
  return FitToRow(Preferred(tensor_name, kind, shape), row_values);
}

void AddFileType(gguf::Writer& writer, FileType type) {
  writer.Add("general.file_type", static_cast<uint32_t>(type));
  writer.Add("general.quantization_version", uint32_t{2});
}

Result<FileType> ParseFileType(std::string_view name) {
  const auto same_letter = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  for (const Kind& kind : kKinds) {
    if (std::ranges::equal(kind.name, name, same_letter)) return kind.type;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "type \"" + utf8::Escape(name) + "\": want " + std::string(kNames));
}

std::string_view FileTypeNames() noexcept { return kNames; }

}  // namespace vade::import
