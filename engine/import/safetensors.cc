// The header, entry by entry, before any data is looked at.
#include "engine/import/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/checked.h"
#include "engine/base/utf8.h"
#include "engine/import/json_file.h"

namespace vade::import {
namespace {

constexpr uint64_t kMaxHeaderBytes = uint64_t{16} << 20;  // describes some 100,000 tensors
constexpr size_t kMaxRank = 8;

struct Dtype {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array<Dtype, 14> kDtypes = {{{"F64", 8},
                                            {"F32", 4},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I64", 8},
                                            {"I32", 4},
                                            {"I16", 2},
                                            {"I8", 1},
                                            {"U64", 8},
                                            {"U32", 4},
                                            {"U16", 2},
                                            {"U8", 1},
                                            {"BOOL", 1},
                                            {"F8_E4M3", 1}}};

struct Entry {
  SafeTensor tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

std::string Where(const std::string& file, std::string_view tensor) {
  return file + ": tensor " + utf8::Escape(tensor.substr(0, 160)) + ": ";
}

Result<uint64_t> ElementBytes(const std::string& where, const std::string& dtype) {
  const auto it = std::ranges::find(kDtypes, dtype, &Dtype::name);
  if (it != kDtypes.end()) return it->bytes;
  return Fail(ErrorCode::kUnsupported, where + "dtype \"" + utf8::Escape(dtype) + "\" is unknown");
}

Result<void> ReadShape(const nlohmann::json& shape, const std::string& where, SafeTensor& tensor) {
  if (!shape.is_array() || shape.size() > kMaxRank) {
    return Fail(ErrorCode::kCorruptData, where + "shape is not a list of at most 8 numbers");
  }
  tensor.num_values = 1;
  for (const auto& dim : shape) {
    if (!dim.is_number_unsigned()) {
      return Fail(ErrorCode::kCorruptData, where + "shape holds something not a natural number");
    }
    tensor.shape.push_back(dim.get<uint64_t>());
    const auto product = CheckedMul(tensor.num_values, tensor.shape.back());
    if (!product) return Fail(ErrorCode::kCorruptData, where + "shape is too large");
    tensor.num_values = *product;
  }
  return {};
}

Result<Entry> ReadEntry(const std::string& file, const std::string& name,
                        const nlohmann::json& json) {
  const std::string where = Where(file, name);
  const auto bad = [&](const char* reason) {
    return Fail(ErrorCode::kCorruptData, where + reason);
  };
  if (!json.is_object()) return bad("description is not an object");
  const auto dtype = json.find("dtype");
  const auto shape = json.find("shape");
  const auto offsets = json.find("data_offsets");
  if (dtype == json.end() || shape == json.end() || offsets == json.end() || !dtype->is_string()) {
    return bad("dtype, shape or data_offsets missing");
  }
  if (!offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    return bad("data_offsets is not two natural numbers");
  }
  Entry entry;
  entry.tensor.name = name;
  entry.tensor.dtype = dtype->get<std::string>();
  entry.begin = (*offsets)[0].get<uint64_t>();
  entry.end = (*offsets)[1].get<uint64_t>();
  VADE_CHECK_OK(ReadShape(*shape, where, entry.tensor));
  VADE_TRY(const uint64_t element_bytes, ElementBytes(where, entry.tensor.dtype));
  const auto size = CheckedMul(entry.tensor.num_values, element_bytes);
  if (!size || entry.end < entry.begin || entry.end - entry.begin != *size) {
    return bad("data_offsets disagree with dtype and shape");
  }
  return entry;
}

}  // namespace

Result<SafeTensorsFile> SafeTensorsFile::Open(const std::filesystem::path& path) {
  SafeTensorsFile file;
  file.name_ = utf8::Escape(path.filename().native());
  VADE_TRY(MappedFile mapping, MappedFile::Open(path));
  file.mapping_.push_back(std::move(mapping));
  VADE_CHECK_OK(file.ReadHeader(file.mapping_.back().bytes()));
  return file;
}

Result<SafeTensorsFile> SafeTensorsFile::Parse(std::span<const std::byte> bytes, std::string name) {
  SafeTensorsFile file;
  file.name_ = std::move(name);
  VADE_CHECK_OK(file.ReadHeader(bytes));
  return file;
}

Result<void> SafeTensorsFile::ReadHeader(std::span<const std::byte> bytes) {
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof header_bytes) {
    return Fail(ErrorCode::kCorruptData,
                name_ + ": truncated at " + std::to_string(bytes.size()) + ", want a header");
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  const uint64_t left = bytes.size() - sizeof header_bytes;
  if (header_bytes > std::min(left, kMaxHeaderBytes)) {
    return Fail(ErrorCode::kCorruptData, name_ + ": header of " + std::to_string(header_bytes) +
                                             " bytes in a file of " + std::to_string(bytes.size()));
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof header_bytes,
                              header_bytes);
  const auto data = bytes.subspan(sizeof header_bytes + header_bytes);
  VADE_TRY(const nlohmann::json json, ParseJson(text, name_));
  if (!json.is_object()) return Fail(ErrorCode::kCorruptData, name_ + ": header is not an object");
  std::vector<Entry> entries;
  for (const auto& [name, description] : json.items()) {
    if (name == "__metadata__") continue;
    VADE_TRY(Entry entry, ReadEntry(name_, name, description));
    if (entry.end > data.size()) {
      return Fail(ErrorCode::kCorruptData,
                  Where(name_, name) + "ends at " + std::to_string(entry.end) + " of " +
                      std::to_string(data.size()) + " bytes of data (truncated file?)");
    }
    entry.tensor.data = data.subspan(entry.begin, entry.end - entry.begin);
    entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].begin < entries[i - 1].end) {
      return Fail(ErrorCode::kCorruptData, Where(name_, entries[i].tensor.name) + "overlaps " +
                                               utf8::Escape(entries[i - 1].tensor.name));
    }
  }
  for (Entry& entry : entries) tensors_.push_back(std::move(entry.tensor));
  std::ranges::sort(tensors_, {}, &SafeTensor::name);
  return {};
}

const SafeTensor* SafeTensorsFile::Find(std::string_view tensor) const noexcept {
  const auto it = std::ranges::lower_bound(tensors_, tensor, {}, &SafeTensor::name);
  return it != tensors_.end() && it->name == tensor ? &*it : nullptr;
}

Result<std::vector<float>> SafeTensorsFile::ToFloats(const SafeTensor& tensor) const {
  std::vector<float> out(tensor.num_values);
  if (out.empty()) return out;
  const quant::TensorTypeInfo* type = nullptr;
  for (const std::string_view name : {"F32", "F16", "BF16"}) {
    if (tensor.dtype == name) type = quant::FindTensorType(name);
  }
  if (type == nullptr) {
    return Fail(ErrorCode::kUnsupported,
                Where(name_, tensor.name) + "dtype " + tensor.dtype + ", want F32, F16 or BF16");
  }
  type->dequantize(tensor.data.data(), out.data(), out.size());
  return out;
}

}  // namespace vade::import
