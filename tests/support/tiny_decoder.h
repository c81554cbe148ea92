// TinyDecoder: the metadata and tensors of a small random decoder, which a test may break before it
// writes them.
#pragma once

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/gguf_builder.h"

namespace vade::testing {

struct TinyDecoder {
  static constexpr uint64_t kWidth = 64;
  static constexpr uint64_t kFfn = 96;
  static constexpr uint64_t kVocab = 50;
  static constexpr uint64_t kHeads = 4;
  static constexpr uint64_t kKvHeads = 2;
  static constexpr uint64_t kHeadDim = kWidth / kHeads;
  static constexpr uint64_t kContext = 200;

  std::string architecture;
  std::map<std::string, uint32_t> counts = {{"block_count", 2},
                                            {"embedding_length", kWidth},
                                            {"feed_forward_length", kFfn},
                                            {"attention.head_count", kHeads},
                                            {"attention.head_count_kv", kKvHeads},
                                            {"context_length", kContext}};
  std::map<std::string, float> numbers;                         // further keys of the architecture
  std::map<std::string, std::string> strings;                   // likewise
  std::map<std::string, std::vector<uint64_t>> tensors;         // name -> dims
  std::map<std::string, std::pair<size_t, float>> overwritten;  // name -> index, value
  bool bert_vocabulary = false;  // of AddBertVocabulary; else the file has none
  bool equal_experts = false;    // all as the network of the same model without experts

  /// A plain one: RMS norms before both branches, gated, the output tied to the input.
  explicit TinyDecoder(std::string name = "llama") : architecture(std::move(name)) {
    numbers["attention.layer_norm_rms_epsilon"] = 1e-5f;
    tensors = {{"token_embd.weight", {kWidth, kVocab}}, {"output_norm.weight", {kWidth}}};
    for (const std::string p : {"blk.0.", "blk.1."}) {
      tensors[p + "attn_norm.weight"] = {kWidth};
      tensors[p + "ffn_norm.weight"] = {kWidth};
      tensors[p + "attn_q.weight"] = {kWidth, kWidth};
      tensors[p + "attn_k.weight"] = {kWidth, kKvHeads * kHeadDim};
      tensors[p + "attn_v.weight"] = {kWidth, kKvHeads * kHeadDim};
      tensors[p + "attn_output.weight"] = {kWidth, kWidth};
      tensors[p + "ffn_gate.weight"] = {kWidth, kFfn};
      tensors[p + "ffn_up.weight"] = {kWidth, kFfn};
      tensors[p + "ffn_down.weight"] = {kFfn, kWidth};
    }
  }

  /// The same with `count` experts of which `used` are taken.
  void MakeMixture(uint32_t count, uint32_t used) {
    counts["expert_count"] = count;
    counts["expert_used_count"] = used;
    for (const std::string p : {"blk.0.", "blk.1."}) {
      for (const char* name : {"ffn_gate", "ffn_up", "ffn_down"}) {
        std::vector<uint64_t> dims = tensors.at(p + name + ".weight");
        tensors.erase(p + name + ".weight");
        dims.push_back(count);
        tensors[p + name + "_exps.weight"] = dims;
      }
      tensors[p + "ffn_gate_inp.weight"] = {kWidth, count};
    }
  }

  [[nodiscard]] std::string ToBytes() const {
    gguf::Writer writer;
    writer.Add("general.architecture", architecture);
    writer.Add("general.name", "tiny");
    for (const auto& [key, value] : counts) writer.Add(architecture + "." + key, value);
    for (const auto& [key, value] : numbers) writer.Add(architecture + "." + key, value);
    for (const auto& [key, value] : strings) writer.Add(architecture + "." + key, value);
    if (bert_vocabulary) AddBertVocabulary(writer);
    for (const auto& [name, dims] : tensors) {
      std::vector<float> values = Values(name, dims);
      if (const auto at = overwritten.find(name); at != overwritten.end()) {
        values.at(at->second.first) = at->second.second;
      }
      AddF32Tensor(writer, name, dims, std::move(values));
    }
    return writer.ToBytes().value();
  }

 private:
  // Depend on the name only, so that models that differ in one tensor are alike in the others.
  // Matrices keep the size of what they multiply; norms are near one.
  [[nodiscard]] std::vector<float> Values(std::string name,
                                          const std::vector<uint64_t>& dims) const {
    if (const size_t at = name.find("_exps"); at != std::string::npos) name.erase(at, 5);
    std::seed_seq seed(name.begin(), name.end());
    std::mt19937 random(seed);
    const bool is_vector = dims.size() == 1;
    std::normal_distribution<float> value(
        is_vector ? 1.0f : 0.0f,
        is_vector ? 0.2f : 1.5f / std::sqrt(static_cast<float>(dims.front())));
    uint64_t size = 1;
    for (const uint64_t dim : dims) size *= dim;
    const uint64_t period = equal_experts && dims.size() == 3 ? size / dims[2] : size;
    std::vector<float> values(size);
    for (size_t i = 0; i < size; ++i) values[i] = i < period ? value(random) : values[i - period];
    return values;
  }
};

}  // namespace vade::testing
