// Writes a GGUF version 3 file: metadata is serialised at once, tensor data is produced one tensor
// (or piece of one) at a time, so that a model never has to fit in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/value.h"
#include "engine/quant/tensor_type.h"

namespace vade::gguf {

/// Called once per tensor, in order; returns exactly the tensor's bytes.
using TensorProducer = std::function<Result<std::vector<std::byte>>()>;

/// Takes the next bytes of a tensor.
using ByteSink = std::function<Result<void>(std::span<const std::byte>)>;

/// Called once per tensor, in order; hands the tensor's bytes to the sink, in pieces of any size.
using StreamProducer = std::function<Result<void>(const ByteSink& sink)>;

/// Told after each finished tensor: its name, how many are done, how many there are.
using TensorProgress = std::function<void(std::string_view name, size_t done, size_t total)>;

/// Single-thread. Names and keys are ours or validated ones; a key must be added once only.
class Writer {
 public:
  /// T: the scalar types of the format, std::string_view.
  template <typename T>
  void Add(std::string_view key, T value) {
    BeginKey(key, kTypeOf<T>);
    Append(value);
  }
  void Add(std::string_view key, const char* text) { Add(key, std::string_view(text)); }
  void Add(std::string_view key, const std::string& text) { Add(key, std::string_view(text)); }

  template <typename T>
  void AddArray(std::string_view key, std::span<const T> values) {
    BeginKey(key, ValueType::kArray);
    Append(static_cast<uint32_t>(kTypeOf<T>));
    Append(static_cast<uint64_t>(values.size()));
    for (const T& value : values) Append(value);
  }

  /// Copies an entry of another file byte for byte.
  void Copy(const KeyValue& entry);

  /// dims in file order, fastest dimension first: 1 to 4, all positive, rows of whole blocks.
  void AddTensor(std::string name, quant::TensorType type, std::vector<uint64_t> dims,
                 TensorProducer produce);
  /// The same for a tensor that is not to be held in memory.
  void AddStreamedTensor(std::string name, quant::TensorType type, std::vector<uint64_t> dims,
                         StreamProducer produce);

  /// Sum of the tensors' stored bytes.
  [[nodiscard]] uint64_t tensor_bytes() const;

  /// Writes the file atomically. `on_tensor` may be empty.
  /// Errors: of the producers and the disk; kInvalidArgument for an existing file without replace.
  [[nodiscard]] Result<void> WriteTo(const std::filesystem::path& path, bool replace,
                                     const TensorProgress& on_tensor = {}) const;

  /// The whole file in memory, for tests.
  [[nodiscard]] Result<std::string> ToBytes() const;

 private:
  struct Tensor {
    std::string name;
    quant::TensorType type;
    std::vector<uint64_t> dims;
    uint64_t size_bytes;
    StreamProducer produce;
  };

  void BeginKey(std::string_view key, ValueType type);
  void AppendRaw(const void* bytes, size_t size);
  template <typename T>
  void Append(T value) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      Append(static_cast<uint64_t>(value.size()));
      AppendRaw(value.data(), value.size());
    } else {
      AppendRaw(&value, sizeof value);
    }
  }
  [[nodiscard]] std::string Head() const;  // all before the tensor data, padded
  [[nodiscard]] Result<void> Emit(const ByteSink& sink, const TensorProgress& on_tensor) const;

  std::string metadata_;
  uint64_t num_keys_ = 0;
  std::vector<Tensor> tensors_;
};

}  // namespace vade::gguf
