// Rule by rule; at the end nothing may be left over.
#include "engine/import/decoder_tensors.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/import/float_rows.h"

namespace vade::import {
namespace {

// A matrix or vector of the folder.
struct Matrix {
  std::string name;
  std::vector<uint64_t> shape;  // slowest dimension first
  FloatRows rows;
};

// Each head's row i of the lower half, then that of the upper, for i rising.
uint64_t HalvesToNeighbours(uint64_t row, uint64_t head_dim) {
  const uint64_t at = row % head_dim;
  return row - at + at / 2 + at % 2 * (head_dim / 2);
}

// Computed again when the model starts, or masks.
bool IsDerived(std::string_view name) {
  constexpr std::array<std::string_view, 4> kEnds = {".rotary_emb.inv_freq", ".attn.bias",
                                                     ".attn.masked_bias", ".self_attn.bias"};
  return std::ranges::any_of(kEnds, [&](std::string_view end) { return name.ends_with(end); });
}

class Mapper {
 public:
  Mapper(const WeightFolder& weights, const DecoderSource& source, const DecoderSettings& settings)
      : weights_(weights), source_(source), settings_(settings) {}

  Result<std::vector<MappedTensor>> Map() {
    FindPrefix();
    for (const TensorRule& rule : source_.model_rules) {
      if (rule.to == "output" && settings_.tied) {
        Take(std::string(rule.from) + ".weight");  // the embedding once more
        VADE_CHECK_OK(Vector("output", std::string(rule.from)));
        continue;
      }
      VADE_CHECK_OK(Apply(rule, "", ""));
    }
    for (uint32_t i = 0; i < settings_.num_layers; ++i) {
      const std::string number = std::to_string(i) + ".";
      const std::string from = std::string(source_.layers) + number;
      if (source_.extra == Extra::kInternLm2) VADE_CHECK_OK(TakeApart("blk." + number, from));
      for (const TensorRule& rule : source_.layer_rules) {
        VADE_CHECK_OK(Apply(rule, "blk." + number, from));
      }
    }
    VADE_CHECK_OK(CheckAllUsed());
    return std::move(out_);
  }

 private:
  // What the folder's names begin with where ours begin with "model." or "transformer.": the bare
  // model leaves that out, a model that also sees puts more there.
  void FindPrefix() {
    const std::string_view embedding = source_.model_rules.front().from;
    usual_ = std::string(embedding.substr(0, embedding.find('.') + 1));
    const std::string rest(embedding.substr(usual_.size()));
    for (const std::string& prefix :
         {usual_, std::string(), "language_model." + usual_, usual_ + "language_model."}) {
      if (weights_.Find(prefix + rest + ".weight") == nullptr) continue;
      prefix_ = prefix;
      return;
    }
    prefix_ = usual_;
  }

  [[nodiscard]] std::string InFolder(const std::string& name) const {
    if (name.starts_with(usual_)) return prefix_ + name.substr(usual_.size());
    const bool nested = prefix_.starts_with("language_model.");
    return nested ? "language_model." + name : name;
  }

  // nullptr when absent; remembers what was asked for.
  const SourceTensor* Take(const std::string& name) {
    const std::string full = InFolder(name);
    const SourceTensor* tensor = weights_.Find(full);
    if (tensor != nullptr) used_.insert(full);
    return tensor;
  }

  tl::unexpected<Error> Missing(const std::string& name) const {
    return Fail(ErrorCode::kCorruptData, "tensor " + utf8::Escape(InFolder(name)) + ": missing");
  }

  tl::unexpected<Error> Wrong(const Matrix& matrix, const std::string& want) const {
    return Fail(ErrorCode::kCorruptData, "tensor " + utf8::Escape(InFolder(matrix.name)) +
                                             ": got " + nlohmann::json(matrix.shape).dump() +
                                             ", want " + want);
  }

  Result<Matrix> Get(const std::string& name, bool transposed = false) {
    const SourceTensor* tensor = Take(name);
    if (tensor == nullptr && IsPacked(name)) return Unpack(name);
    if (tensor == nullptr) return Missing(name);
    VADE_TRY(FloatRows rows, RowsOf(InFolder(name), *tensor));
    Matrix matrix{name, tensor->shape, std::move(rows)};
    if (matrix.shape.empty() || matrix.shape.size() > 3) return Wrong(matrix, "1 to 3 dimensions");
    if (!transposed) return matrix;
    if (matrix.shape.size() != 2) return Wrong(matrix, "a matrix");
    std::swap(matrix.shape[0], matrix.shape[1]);
    matrix.rows = StoredColumns(quant::FindTensorType(tensor->dtype)->type, tensor->data,
                                matrix.shape[1], matrix.shape[0]);
    return matrix;
  }

  // "x.weight" may be stored as "x.qweight" and others.
  [[nodiscard]] static std::string Stem(const std::string& weight) {
    return weight.substr(0, weight.size() - std::string_view(".weight").size());
  }
  [[nodiscard]] bool IsPacked(const std::string& name) const {
    return settings_.packing.method != Packing::Method::kNone && name.ends_with(".weight") &&
           weights_.Find(InFolder(Stem(name) + ".qweight")) != nullptr;
  }
  [[nodiscard]] bool Has(const std::string& name) const {
    return weights_.Find(InFolder(name)) != nullptr || IsPacked(name);
  }
  Result<Matrix> Unpack(const std::string& name) {
    for (const std::string& part : PackedParts()) Take(Stem(name) + "." + part);
    VADE_TRY(UnpackedMatrix all, UnpackMatrix(weights_, InFolder(Stem(name)), settings_.packing));
    return Matrix{name, std::move(all.shape), std::move(all.rows)};
  }

  void Put(std::string name, Matrix matrix) {
    out_.push_back(
        {std::move(name), {matrix.shape.rbegin(), matrix.shape.rend()}, std::move(matrix.rows)});
  }

  // The bias beside a weight, if there is one.
  Result<void> Vector(const std::string& to, const std::string& from,
                      Change change = Change::kNone) {
    if (weights_.Find(InFolder(from + ".bias")) == nullptr) return {};
    VADE_TRY(Matrix bias, Get(from + ".bias"));
    VADE_CHECK_OK(Permute(change, bias));
    Put(to + ".bias", std::move(bias));
    return {};
  }

  Result<void> Permute(Change change, Matrix& matrix) const {
    if (change != Change::kPermuteQ && change != Change::kPermuteK) return {};
    const uint64_t heads =
        change == Change::kPermuteQ ? settings_.num_heads : settings_.num_kv_heads;
    const uint64_t head_dim = settings_.head_dim;
    if (matrix.shape[0] != heads * head_dim || head_dim % 2 != 0 || matrix.shape.size() > 2) {
      return Wrong(matrix, std::to_string(heads) + " heads of " + std::to_string(head_dim));
    }
    const auto from = [head_dim](uint64_t i) { return HalvesToNeighbours(i, head_dim); };
    matrix.rows = matrix.shape.size() == 1
                      ? PickValues(std::move(matrix.rows), from)
                      : PickRows(std::move(matrix.rows), matrix.shape[0], from);
    return {};
  }

  Result<void> Apply(const TensorRule& rule, const std::string& to_prefix,
                     const std::string& from_prefix) {
    const std::string to = to_prefix + std::string(rule.to);
    const std::string from = from_prefix + std::string(rule.from);
    const bool stacked = rule.change == Change::kPerHead || rule.change == Change::kPerKvHead ||
                         rule.change == Change::kPerExpert;
    const std::string first = stacked ? Numbered(from, 0) : from + ".weight";
    if (rule.optional && !Has(first)) return {};
    if (stacked) {
      VADE_TRY(Matrix all, Stack(rule.change, from));
      Put(to + ".weight", std::move(all));
      return {};
    }
    VADE_TRY(Matrix matrix, Get(from + ".weight", rule.change == Change::kTransposed));
    VADE_CHECK_OK(Permute(rule.change, matrix));
    if (rule.change == Change::kPlusOne) matrix.rows = AddToRows(std::move(matrix.rows), 1);
    Put(to + ".weight", std::move(matrix));
    return Vector(to, from, rule.change);
  }

  static std::string Numbered(const std::string& pattern, uint32_t number) {
    const size_t at = pattern.find("{}");
    return pattern.substr(0, at) + std::to_string(number) + pattern.substr(at + 2) + ".weight";
  }

  Result<Matrix> Stack(Change change, const std::string& pattern) {
    const uint32_t count = change == Change::kPerExpert ? settings_.num_experts
                           : change == Change::kPerHead ? settings_.num_heads
                                                        : settings_.num_kv_heads;
    std::vector<FloatRows> parts;
    Matrix all;
    for (uint32_t i = 0; i < count; ++i) {
      VADE_TRY(Matrix part, Get(Numbered(pattern, i)));
      if (i > 0 && part.shape != all.shape) {
        return Wrong(part, nlohmann::json(all.shape).dump() + " as the first");
      }
      parts.push_back(std::move(part.rows));
      all.shape = std::move(part.shape);
      if (all.shape.size() > 2) return Wrong(part, "a matrix");
    }
    all.shape.insert(all.shape.begin(), count);
    all.rows = StackRows(std::move(parts));
    return all;
  }

  // internlm2: for each key head its queries, the key, the value.
  Result<void> TakeApart(const std::string& to, const std::string& from) {
    VADE_TRY(const Matrix all, Get(from + "attention.wqkv.weight"));
    const uint64_t d = settings_.head_dim;
    const uint64_t queries = settings_.num_heads / settings_.num_kv_heads;
    const uint64_t group = (queries + 2) * d;
    if (all.shape.size() != 2 || all.shape[0] != group * settings_.num_kv_heads || d % 2 != 0) {
      return Wrong(all, std::to_string(settings_.num_kv_heads) + " groups of " +
                            std::to_string(group) + " rows");
    }
    const auto part = [&](const char* name, uint64_t first, uint64_t heads, bool rotated) {
      const uint64_t rows = heads * settings_.num_kv_heads * d;
      const auto of_row = [=](uint64_t row) {
        const uint64_t in_part = rotated ? HalvesToNeighbours(row, d) : row;
        return in_part / (heads * d) * group + first * d + in_part % (heads * d);
      };
      Put(to + name, {all.name, {rows, all.shape[1]}, PickRows(all.rows, rows, of_row)});
    };
    part("attn_q.weight", 0, queries, true);
    part("attn_k.weight", queries, 1, true);
    part("attn_v.weight", queries + 1, 1, false);
    if (weights_.Find(InFolder(from + "attention.wqkv.bias")) == nullptr) return {};
    return Fail(ErrorCode::kUnsupported, "tensor " + from + "attention.wqkv.bias: a bias");
  }

  Result<void> CheckAllUsed() const {
    const bool sees = prefix_.find("language_model.") != std::string::npos;
    for (const auto& [name, tensor] : weights_.tensors()) {
      if (used_.contains(name) || IsDerived(name)) continue;
      if (sees && name.find("language_model.") == std::string::npos) continue;  // its eyes
      return Fail(ErrorCode::kUnsupported, tensor.file + ": tensor " + utf8::Escape(name) + " " +
                                               nlohmann::json(tensor.shape).dump() +
                                               ": not part of " + std::string(source_.model_type) +
                                               " as we know it");
    }
    return {};
  }

  const WeightFolder& weights_;
  const DecoderSource& source_;
  const DecoderSettings& settings_;
  std::string usual_;
  std::string prefix_;
  std::set<std::string> used_;
  std::vector<MappedTensor> out_;
};

}  // namespace

Result<std::vector<MappedTensor>> MapDecoderTensors(const WeightFolder& weights,
                                                    const DecoderSource& source,
                                                    const DecoderSettings& settings) {
  return Mapper(weights, source, settings).Map();
}

}  // namespace vade::import
