// ModelFolder: a temporary Hugging Face folder that a test fills with settings, tensors and files.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "engine/base/file.h"

namespace vade::testing {

/// A tensor as it is stored: row-major, slowest dimension first.
struct FolderTensor {
  std::vector<uint64_t> shape;
  std::vector<float> values;

  [[nodiscard]] float At(uint64_t row, uint64_t column) const {
    return values.at(row * shape.back() + column);
  }
};

/// Of one safetensors file: values as F32.
inline std::string SafeTensorsBytes(const std::map<std::string, FolderTensor>& tensors) {
  nlohmann::json header;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * 4);
    header[name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t size = text.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  return out + text + data;
}

class ModelFolder {
 public:
  explicit ModelFolder(const std::string& name)
      : path_(std::filesystem::path(::testing::TempDir()) / name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ModelFolder() { std::filesystem::remove_all(path_); }
  ModelFolder(const ModelFolder&) = delete;
  ModelFolder& operator=(const ModelFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  void Write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(WriteFileAtomically(path_ / name, text));
  }
  void WriteJson(const std::string& name, const nlohmann::json& json) const {
    Write(name, json.dump());
  }

  /// A random tensor, the same for the same name.
  FolderTensor& Add(const std::string& name, std::vector<uint64_t> shape) {
    std::seed_seq seed(name.begin(), name.end());
    std::mt19937 random(seed);
    std::normal_distribution<float> value(0, 0.3f);
    uint64_t count = 1;
    for (const uint64_t dim : shape) count *= dim;
    FolderTensor& tensor = tensors[name];
    tensor.shape = std::move(shape);
    tensor.values.resize(count);
    for (float& each : tensor.values) each = value(random);
    return tensor;
  }

  /// config.json and model.safetensors.
  void WriteModel() const {
    WriteJson("config.json", config);
    Write("model.safetensors", SafeTensorsBytes(tensors));
  }

  nlohmann::json config;
  std::map<std::string, FolderTensor> tensors;

 private:
  std::filesystem::path path_;
};

/// A byte-level tokenizer.json: <s>, </s>, all 256 bytes' characters, and one merge: "t" "h".
inline nlohmann::json ByteLevelTokenizer() {
  using nlohmann::json;
  json vocab = {{"<s>", 0}, {"</s>", 1}};
  const auto add = [&vocab](uint32_t code) {
    const std::string text = code < 0x80 ? std::string(1, static_cast<char>(code))
                                         : std::string{static_cast<char>(0xC0 | code >> 6),
                                                       static_cast<char>(0x80 | (code & 0x3F))};
    vocab[text] = vocab.size();
  };
  for (uint32_t code = 0x21; code <= 0x7E; ++code) add(code);
  for (uint32_t code = 0xA1; code <= 0xFF; ++code) {
    if (code != 0xAD) add(code);
  }
  for (uint32_t code = 0x100; code < 0x100 + 68; ++code) add(code);
  vocab["th"] = vocab.size();
  return {{"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", json::array({"t h"})}}},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"decoder", {{"type", "ByteLevel"}}},
          {"added_tokens",
           {{{"id", 0}, {"content", "<s>"}, {"special", true}},
            {{"id", 1}, {"content", "</s>"}, {"special", true}}}}};
}

}  // namespace vade::testing
