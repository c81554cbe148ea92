// TinyEncoder: the metadata and tensors of a small random encoder, which a test may break before
// it writes them.
#pragma once

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/gguf_builder.h"

namespace vade::testing {

struct TinyEncoder {
  std::string architecture = "bert";
  std::string model_name = "tiny";
  std::map<std::string, uint32_t> counts = {
      {"block_count", 2},          {"embedding_length", 64}, {"feed_forward_length", 96},
      {"attention.head_count", 2}, {"context_length", 40},   {"pooling_type", 1}};
  float norm_eps = 1e-5f;
  std::map<std::string, std::string> strings;                   // further keys of the architecture
  std::map<std::string, std::vector<uint64_t>> tensors;         // name -> dims
  std::map<std::string, std::pair<size_t, float>> overwritten;  // name -> index, value

  explicit TinyEncoder(bool nomic = false) {
    const uint64_t d = 64;
    const uint64_t ff = 96;
    const uint64_t vocab = 5 + 2 * 26;  // of AddBertVocabulary
    tensors = {{"token_embd.weight", {d, vocab}},
               {"token_types.weight", {d, 2}},
               {"token_embd_norm.weight", {d}},
               {"token_embd_norm.bias", {d}}};
    if (!nomic) tensors["position_embd.weight"] = {d, 40};
    for (const std::string p : {"blk.0.", "blk.1."}) {
      for (const std::string norm : {"attn_output_norm", "layer_output_norm"}) {
        tensors[p + norm + ".weight"] = {d};
        tensors[p + norm + ".bias"] = {d};
      }
      tensors[p + "attn_output.weight"] = {d, d};
      tensors[p + "ffn_up.weight"] = {d, ff};
      tensors[p + "ffn_down.weight"] = {ff, d};
      if (nomic) {
        tensors[p + "attn_qkv.weight"] = {d, 3 * d};
        tensors[p + "ffn_gate.weight"] = {d, ff};
        continue;
      }
      for (const std::string part : {"attn_q", "attn_k", "attn_v"}) {
        tensors[p + part + ".weight"] = {d, d};
        tensors[p + part + ".bias"] = {d};
      }
    }
    if (nomic) architecture = "nomic-bert";
  }

  /// The file's bytes. The vocabulary has vocab rows whatever the tensors say.
  [[nodiscard]] std::string ToBytes() const {
    gguf::Writer writer;
    writer.Add("general.architecture", architecture);
    writer.Add("general.name", model_name);
    for (const auto& [key, value] : counts) writer.Add(architecture + "." + key, value);
    for (const auto& [key, value] : strings) writer.Add(architecture + "." + key, value);
    writer.Add(architecture + ".attention.layer_norm_epsilon", norm_eps);
    AddBertVocabulary(writer);
    std::mt19937 random(11);
    std::normal_distribution<float> value(0.0f, 0.3f);
    for (const auto& [name, dims] : tensors) {
      uint64_t size = 1;
      for (const uint64_t dim : dims) size *= dim;
      std::vector<float> values(size);
      for (float& x : values) x = value(random);
      if (const auto at = overwritten.find(name); at != overwritten.end()) {
        values.at(at->second.first) = at->second.second;
      }
      AddF32Tensor(writer, name, dims, std::move(values));
    }
    return writer.ToBytes().value();
  }
};

}  // namespace vade::testing
