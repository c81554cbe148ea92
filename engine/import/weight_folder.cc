// One file, or those an index lists; every tensor once.
#include "engine/import/weight_folder.h"

#include <array>
#include <set>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/import/json_file.h"

namespace vade::import {
namespace {

constexpr size_t kMaxFiles = 1000;
constexpr std::array<const char*, 2> kNames = {"model.safetensors", "pytorch_model.bin"};

// The files a weight map names: plain names only, so that a folder cannot reach out of itself.
Result<std::set<std::string>> FilesOf(const JsonObject& index, const nlohmann::json& map) {
  std::set<std::string> files;
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string() || file.get_ref<const std::string&>().empty() ||
        file.get_ref<const std::string&>().find_first_of("/\\") != std::string::npos) {
      return Fail(ErrorCode::kCorruptData,
                  index.name() + ": weight_map: " + utf8::Escape(tensor) + ": not a file name");
    }
    files.insert(file.get<std::string>());
    if (files.size() > kMaxFiles) {
      return Fail(ErrorCode::kCorruptData,
                  index.name() + ": more than " + std::to_string(kMaxFiles) + " files");
    }
  }
  return files;
}

}  // namespace

Result<WeightFolder> WeightFolder::Open(const std::filesystem::path& folder) {
  WeightFolder out;
  std::error_code ignored;
  for (const char* name : kNames) {
    const auto index = folder / (std::string(name) + ".index.json");
    const bool alone = std::filesystem::exists(folder / name, ignored);
    if (!alone && !std::filesystem::exists(index, ignored)) continue;
    VADE_CHECK_OK(alone ? out.AddFile(folder / name) : out.AddListed(index));
    return out;
  }
  return Fail(ErrorCode::kNotFound,
              utf8::Escape(folder.native()) +
                  ": neither model.safetensors nor pytorch_model.bin, nor an index of either");
}

Result<void> WeightFolder::AddFile(const std::filesystem::path& path) {
  if (path.extension() == ".safetensors") {
    VADE_TRY(SafeTensorsFile file, SafeTensorsFile::Open(path));
    safetensors_.push_back(std::move(file));
    return AddTensors(safetensors_.back().name(), safetensors_.back().tensors());
  }
  VADE_TRY(TorchFile file, TorchFile::Open(path));
  torch_.push_back(std::move(file));
  return AddTensors(torch_.back().name(), torch_.back().tensors());
}

Result<void> WeightFolder::AddTensors(const std::string& file,
                                      const std::vector<SafeTensor>& tensors) {
  for (const SafeTensor& tensor : tensors) {
    const auto [at, is_new] = tensors_.try_emplace(
        tensor.name, SourceTensor{file, tensor.dtype, tensor.shape, tensor.data});
    if (is_new) continue;
    return Fail(ErrorCode::kCorruptData,
                file + ": tensor " + utf8::Escape(tensor.name) + ": also in " + at->second.file);
  }
  return {};
}

Result<void> WeightFolder::AddListed(const std::filesystem::path& index) {
  VADE_TRY(const JsonObject json, JsonObject::Read(index));
  const nlohmann::json* map = json.Find("weight_map");
  if (map == nullptr || !map->is_object() || map->empty()) {
    return Fail(ErrorCode::kCorruptData, json.name() + ": no weight_map");
  }
  VADE_TRY(const std::set<std::string> files, FilesOf(json, *map));
  for (const std::string& file : files) VADE_CHECK_OK(AddFile(index.parent_path() / file));
  for (const auto& [name, file] : map->items()) {
    const SourceTensor* tensor = Find(name);
    if (tensor != nullptr && tensor->file == utf8::Escape(file.get<std::string>())) continue;
    return Fail(ErrorCode::kCorruptData, json.name() + ": tensor " + utf8::Escape(name) +
                                             ": not in " + utf8::Escape(file.get<std::string>()));
  }
  return {};
}

const SourceTensor* WeightFolder::Find(std::string_view name) const noexcept {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? nullptr : &at->second;
}

Result<FloatRows> RowsOf(std::string_view name, const SourceTensor& tensor) {
  const std::string where = tensor.file + ": tensor " + utf8::Escape(name) + ": ";
  for (const std::string_view type : {"F32", "F16", "BF16"}) {
    if (tensor.dtype != type) continue;
    const quant::TensorTypeInfo& info = *quant::FindTensorType(type);
    const uint64_t num_values = tensor.data.size() / info.block_bytes;
    if (num_values == 0) return Fail(ErrorCode::kCorruptData, where + "has no values");
    const uint64_t row_values = tensor.shape.empty() ? 1 : tensor.shape.back();
    return StoredFloatRows(info.type, tensor.data, row_values, num_values / row_values);
  }
  return Fail(ErrorCode::kUnsupported, where + "dtype " + tensor.dtype + ", want F32, F16 or BF16");
}

}  // namespace vade::import
