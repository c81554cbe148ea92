// GPTQ and AWQ matrices packed here from codes, zeros and scales, against the formula.
#include "engine/import/packed_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/quant/quantize.h"
#include "tests/support/model_folder.h"

namespace vade::import {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr uint64_t kIn = 32, kOut = 16, kGroup = 8, kGroups = kIn / kGroup;

uint32_t CodeOf(uint64_t in, uint64_t out) { return static_cast<uint32_t>(in * 7 + out * 3) % 16; }
uint32_t ZeroOf(uint64_t group, uint64_t out) { return static_cast<uint32_t>(group + out) % 16; }
float ScaleOf(uint64_t group, uint64_t out) {
  return 0.25f * static_cast<float>(group + 1) + 0.0625f * static_cast<float>(out);
}

struct Stored {
  std::string dtype;
  std::vector<uint64_t> shape;
  std::string bytes;
};

template <typename T>
std::string Raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class PackedWeightsTest : public ::testing::Test {
 protected:
  PackedWeightsTest() : folder_("vade_packed") {
    std::vector<float> scales;
    for (uint64_t g = 0; g < kGroups; ++g) {
      for (uint64_t o = 0; o < kOut; ++o) scales.push_back(ScaleOf(g, o));
    }
    const auto half = quant::Quantize(quant::TensorType::kF16, scales).value();
    tensors_["m.scales"] = {
        "F16", {kGroups, kOut}, {reinterpret_cast<const char*>(half.data()), half.size()}};
  }

  // Output o of a word of eight outputs goes to the bits 4 * place(o % 8).
  template <typename Code, typename Place>
  static std::string PackOutputs(uint64_t rows, const Code& code, const Place& place) {
    std::vector<uint32_t> words(rows * kOut / 8);
    for (uint64_t r = 0; r < rows; ++r) {
      for (uint64_t o = 0; o < kOut; ++o) {
        words[r * kOut / 8 + o / 8] |= code(r, o) << (4 * place(o % 8));
      }
    }
    return Raw(words);
  }

  void MakeGptq() {
    std::vector<uint32_t> words(kIn / 8 * kOut);
    for (uint64_t i = 0; i < kIn; ++i) {
      for (uint64_t o = 0; o < kOut; ++o) words[i / 8 * kOut + o] |= CodeOf(i, o) << (4 * (i % 8));
    }
    tensors_["m.qweight"] = {"I32", {kIn / 8, kOut}, Raw(words)};
    const auto in_order = [](uint64_t o) { return o; };
    tensors_["m.qzeros"] = {"I32", {kGroups, kOut / 8}, PackOutputs(kGroups, ZeroOf, in_order)};
  }

  void MakeAwq() {
    // The published packing order: bits 4 * i hold output {0, 2, 4, 6, 1, 3, 5, 7}[i].
    const auto place = [](uint64_t o) {
      constexpr uint64_t kOrder[] = {0, 2, 4, 6, 1, 3, 5, 7};
      return static_cast<uint64_t>(std::find(kOrder, kOrder + 8, o) - kOrder);
    };
    tensors_["m.qweight"] = {"I32", {kIn, kOut / 8}, PackOutputs(kIn, CodeOf, place)};
    tensors_["m.qzeros"] = {"I32", {kGroups, kOut / 8}, PackOutputs(kGroups, ZeroOf, place)};
  }

  Result<UnpackedMatrix> Unpack(const Packing& packing) {
    json header;
    std::string data;
    for (const auto& [name, tensor] : tensors_) {
      const size_t begin = data.size();
      data += tensor.bytes;
      header[name] = {
          {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    const uint64_t size = text.size();
    folder_.Write("model.safetensors",
                  std::string(reinterpret_cast<const char*>(&size), 8) + text + data);
    auto opened = WeightFolder::Open(folder_.path());
    EXPECT_TRUE(opened) << opened.error().message;
    weights_.emplace(std::move(*opened));
    return UnpackMatrix(*weights_, "m", packing);
  }

  template <typename GroupOf>
  void ExpectFormula(const Packing& packing, float less, const GroupOf& group_of) {
    const auto matrix = Unpack(packing);
    ASSERT_TRUE(matrix) << matrix.error().message;
    EXPECT_EQ(matrix->shape, (std::vector<uint64_t>{kOut, kIn}));
    std::vector<float> row(kIn);
    for (uint64_t o = 0; o < kOut; ++o) {
      matrix->rows.read(o, row);
      for (uint64_t i = 0; i < kIn; ++i) {
        const uint64_t g = group_of(i);
        const float zero = static_cast<float>(ZeroOf(g, o)) + less;
        EXPECT_EQ(row[i], ScaleOf(g, o) * (static_cast<float>(CodeOf(i, o)) - zero))
            << "row " << o << ", input " << i;
      }
    }
  }
  void ExpectRefused(const Packing& packing, const std::string& reason) {
    const auto matrix = Unpack(packing);
    ASSERT_FALSE(matrix) << "want: " << reason;
    EXPECT_THAT(matrix.error().message, HasSubstr(reason));
  }

  testing::ModelFolder folder_;
  std::map<std::string, Stored> tensors_;
  std::optional<WeightFolder> weights_;
};

constexpr Packing kGptq = {Packing::Method::kGptq, kGroup};
constexpr Packing kAwq = {Packing::Method::kAwq, kGroup};

TEST_F(PackedWeightsTest, Gptq) {
  MakeGptq();
  const auto in_order = [](uint64_t i) { return i / kGroup; };
  ExpectFormula(kGptq, 1, in_order);  // zero codes are stored less one
  ExpectFormula({Packing::Method::kGptq, kGroup, /*zeros_less_one=*/false}, 0, in_order);
  std::vector<int32_t> groups;
  for (uint64_t i = 0; i < kIn; ++i) groups.push_back(static_cast<int32_t>(i * 5 % kGroups));
  tensors_["m.g_idx"] = {"I32", {kIn}, Raw(groups)};
  ExpectFormula(kGptq, 1, [](uint64_t i) { return i * 5 % kGroups; });
}

TEST_F(PackedWeightsTest, Awq) {
  MakeAwq();
  ExpectFormula(kAwq, 0, [](uint64_t i) { return i / kGroup; });
}

TEST_F(PackedWeightsTest, PartsThatDoNotFit) {
  MakeGptq();
  ExpectRefused({Packing::Method::kGptq, 7}, "whole words and groups of 7");
  ExpectRefused({Packing::Method::kGptq, 16}, "m.qzeros: got I32 [4,2], want [2,2]");
  ExpectRefused(kAwq, "m.qweight: got I32 [4,16], want whole words and groups of 8");
  std::vector<int32_t> groups(kIn, 0);
  groups[3] = 4;
  tensors_["m.g_idx"] = {"I32", {kIn}, Raw(groups)};
  ExpectRefused(kGptq, "m.g_idx: group 4 of 4");
  groups[3] = -1;
  tensors_["m.g_idx"] = {"I32", {kIn}, Raw(groups)};
  ExpectRefused(kGptq, "m.g_idx: group -1 of 4");
  tensors_["m.g_idx"] = {"I32", {kIn / 2}, Raw(std::vector<int32_t>(kIn / 2))};
  ExpectRefused(kGptq, "m.g_idx: got I32 [16], want [32]");
  tensors_.erase("m.scales");
  ExpectRefused(kGptq, "tensor m.scales: missing");
}

TEST(Packing, OfTheConfiguration) {
  const auto read = [](const json& settings) {
    // As from a file: natural numbers are unsigned.
    return ReadPacking(
        JsonObject(json::parse(json{{"quantization_config", settings}}.dump()), "config.json"));
  };
  EXPECT_EQ(ReadPacking(JsonObject(json::object(), "c"))->method, Packing::Method::kNone);
  const auto gptq = read({{"quant_method", "gptq"}, {"bits", 4}, {"group_size", -1}});
  ASSERT_TRUE(gptq) << gptq.error().message;
  EXPECT_EQ(gptq->group_size, 0u);
  EXPECT_TRUE(gptq->zeros_less_one);
  EXPECT_FALSE(read({{"quant_method", "gptq"}, {"checkpoint_format", "gptq_v2"}})->zeros_less_one);
  EXPECT_EQ(read({{"quant_method", "awq"}, {"version", "gemm"}})->method, Packing::Method::kAwq);
  const auto refused = [&](const json& settings, const std::string& reason) {
    EXPECT_THAT(read(settings).error().message, HasSubstr(reason));
  };
  refused({{"quant_method", "bitsandbytes"}}, "quant_method \"bitsandbytes\", want gptq or awq");
  refused({{"quant_method", "gptq"}, {"bits", 8}}, "8 bits");
  refused({{"quant_method", "awq"}, {"version", "gemv"}}, "gemv");
  refused({{"quant_method", "awq"}, {"group_size", 0}}, "group_size");
  refused({{"quant_method", "awq"}, {"group_size", 2.5}}, "group_size");
}

}  // namespace
}  // namespace vade::import
