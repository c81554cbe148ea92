// Container, pickle, then every tensor against its storage.
#include "engine/import/torch_file.h"

#include <algorithm>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/utf8.h"
#include "engine/import/stored_zip.h"
#include "engine/import/torch_pickle.h"

namespace vade::import {
namespace {

uint64_t BytesOf(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  return dtype == "F16" || dtype == "BF16" || dtype == "I16" ? 2 : 1;
}

// "archive/" of the entry "archive/data.pkl".
Result<std::string> TopFolder(const StoredZip& zip, const std::string& name) {
  for (const auto& [entry, data] : zip.entries()) {
    const size_t slash = entry.find('/');
    if (slash != std::string::npos && entry.substr(slash + 1) == "data.pkl") {
      return entry.substr(0, slash + 1);
    }
  }
  return Fail(ErrorCode::kCorruptData, name + ": no data.pkl in it: not a torch file of weights");
}

// Values of a tensor stored row by row; dimensions of one value may have any stride.
Result<uint64_t> CountValues(const PickledTensor& tensor, const std::string& where) {
  uint64_t count = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != count) {
      return Fail(ErrorCode::kUnsupported, where + "not stored row by row (strides)");
    }
    const auto product = CheckedMul(count, tensor.shape[i]);
    if (!product) return Fail(ErrorCode::kCorruptData, where + "shape is too large");
    count = *product;
    if (count == 0) return uint64_t{0};
  }
  return count;
}

Result<SafeTensor> Locate(const PickledTensor& tensor, const StoredZip& zip,
                          const std::string& folder, const std::string& name) {
  const std::string where = name + ": tensor " + utf8::Escape(tensor.name.substr(0, 160)) + ": ";
  const auto storage = zip.entries().find(folder + "data/" + tensor.storage);
  if (storage == zip.entries().end()) {
    return Fail(ErrorCode::kCorruptData, where + "no storage " + utf8::Escape(tensor.storage));
  }
  const uint64_t bytes = BytesOf(tensor.dtype);
  const uint64_t stored = std::min(tensor.storage_values, storage->second.size() / bytes);
  VADE_TRY(const uint64_t count, CountValues(tensor, where));
  if (tensor.offset > stored || stored - tensor.offset < count) {
    return Fail(ErrorCode::kCorruptData, where + std::to_string(count) + " values at " +
                                             std::to_string(tensor.offset) + " of a storage of " +
                                             std::to_string(stored));
  }
  return SafeTensor{tensor.name, tensor.dtype, tensor.shape, count,
                    storage->second.subspan(tensor.offset * bytes, count * bytes)};
}

}  // namespace

Result<TorchFile> TorchFile::Open(const std::filesystem::path& path) {
  TorchFile file;
  file.name_ = utf8::Escape(path.filename().native());
  VADE_TRY(MappedFile mapping, MappedFile::Open(path));
  file.mapping_.push_back(std::move(mapping));
  VADE_CHECK_OK(file.Read(file.mapping_.back().bytes()));
  return file;
}

Result<TorchFile> TorchFile::Parse(std::span<const std::byte> bytes, std::string name) {
  TorchFile file;
  file.name_ = std::move(name);
  VADE_CHECK_OK(file.Read(bytes));
  return file;
}

Result<void> TorchFile::Read(std::span<const std::byte> bytes) {
  if (!StoredZip::LooksLike(bytes)) {
    return Fail(ErrorCode::kUnsupported,
                name_ +
                    ": not a torch file of version 1.6 or later (save it again, or as "
                    "safetensors)");
  }
  VADE_TRY(const StoredZip zip, StoredZip::Parse(bytes, name_));
  VADE_TRY(const std::string folder, TopFolder(zip, name_));
  const auto order = zip.entries().find(folder + "byteorder");
  if (order != zip.entries().end() &&
      std::string_view(reinterpret_cast<const char*>(order->second.data()), order->second.size()) !=
          "little") {
    return Fail(ErrorCode::kUnsupported, name_ + ": values of another byte order, want little");
  }
  const auto pickle = zip.entries().find(folder + "data.pkl");
  VADE_TRY(const std::vector<PickledTensor> pickled, ReadTorchPickle(pickle->second, name_));
  for (const PickledTensor& tensor : pickled) {
    VADE_TRY(SafeTensor located, Locate(tensor, zip, folder, name_));
    tensors_.push_back(std::move(located));
  }
  return {};
}

}  // namespace vade::import
