// A GGUF model file, or a set of split files, mapped and validated: metadata and tensors by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/mapped_file.h"
#include "engine/base/result.h"
#include "engine/gguf/parse.h"

namespace vade::gguf {

/// Immutable, const-safe from any thread. Everything it returns views the mapping and lives as long
/// as the File. Moving keeps the views valid.
class File {
 public:
  /// Opens one file, or all parts of a split model given its first ("-00001-of-00003.gguf").
  [[nodiscard]] static Result<File> Open(const std::filesystem::path& path);

  /// The same from memory that outlives the File; split parts are refused.
  [[nodiscard]] static Result<File> Parse(std::span<const std::byte> bytes, std::string name);

  /// The file's name as it appears in messages.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] uint32_t version() const noexcept { return version_; }
  [[nodiscard]] uint32_t alignment() const noexcept { return alignment_; }
  [[nodiscard]] const std::vector<KeyValue>& metadata() const noexcept { return metadata_; }
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept { return tensors_; }
  /// Bytes of the whole file (all parts), for hashing.
  [[nodiscard]] const std::vector<std::span<const std::byte>>& parts() const noexcept {
    return parts_;
  }

  /// Gives back the memory of tensor data that has been copied (MappedFile::Release).
  void Release(std::span<const std::byte> data) const noexcept {
    for (const MappedFile& mapping : mappings_) mapping.Release(data);
  }

  /// nullptr when absent.
  [[nodiscard]] const KeyValue* FindKey(std::string_view key) const noexcept;
  [[nodiscard]] const TensorInfo* FindTensor(std::string_view name) const noexcept;

  /// The scalar of exactly this type (uint32_t, float, bool, std::string_view ...).
  /// Errors: kCorruptData "key X: missing" or "key X: got type T, expected U".
  template <typename T>
  [[nodiscard]] Result<T> Require(std::string_view key) const {
    VADE_TRY(const std::optional<T> value, Find<T>(key));
    if (!value) return KeyError(key, "missing, expected type " + std::string(NameOf(kTypeOf<T>)));
    return *value;
  }

  /// The same, or nothing when the key is absent. A wrong type is still an error.
  template <typename T>
  [[nodiscard]] Result<std::optional<T>> Find(std::string_view key) const {
    const KeyValue* entry = FindKey(key);
    if (entry == nullptr) return std::optional<T>();
    const std::optional<T> value = entry->value.As<T>();
    if (!value) return TypeError(*entry, std::string(NameOf(kTypeOf<T>)));
    return value;
  }

  /// The array of exactly this element type; std::string_view for strings.
  template <typename T>
  [[nodiscard]] Result<std::vector<T>> RequireArray(std::string_view key) const {
    VADE_TRY(auto value, FindArray<T>(key));
    if (!value) {
      return KeyError(key, "missing, expected array of " + std::string(NameOf(kTypeOf<T>)));
    }
    return std::move(*value);
  }

  template <typename T>
  [[nodiscard]] Result<std::optional<std::vector<T>>> FindArray(std::string_view key) const {
    const KeyValue* entry = FindKey(key);
    if (entry == nullptr) return std::optional<std::vector<T>>();
    std::optional<std::vector<T>> value = entry->value.AsArray<T>();
    if (!value) return TypeError(*entry, "array of " + std::string(NameOf(kTypeOf<T>)));
    return value;
  }

  /// The tensor of exactly this shape (file order, fastest dimension first; trailing 1s ignored).
  /// Errors: kCorruptData "tensor X: missing" or "tensor X: got [..], want [..]".
  [[nodiscard]] Result<const TensorInfo*> RequireTensor(std::string_view name,
                                                        std::span<const uint64_t> shape) const;

  /// "file: key X: reason" as kCorruptData, with the key's offset when it exists.
  [[nodiscard]] tl::unexpected<Error> KeyError(std::string_view key,
                                               const std::string& reason) const;
  /// "file: tensor X: reason" as kCorruptData.
  [[nodiscard]] tl::unexpected<Error> TensorError(std::string_view name,
                                                  const std::string& reason) const;

 private:
  File() = default;
  [[nodiscard]] tl::unexpected<Error> TypeError(const KeyValue& entry,
                                                const std::string& expected) const;
  void Adopt(ParsedImage image);  // takes metadata and tensors of a part
  void BuildIndex();
  Result<void> OpenOtherParts(const std::filesystem::path& first, uint32_t num_parts);
  Result<void> CheckTensorCount() const;
  Result<void> CheckPart(const ParsedImage& image, const std::string& part_name, uint32_t part_idx,
                         uint32_t num_parts) const;

  std::string name_;
  uint32_t version_ = 0;
  uint32_t alignment_ = kDefaultAlignment;
  std::vector<MappedFile> mappings_;  // empty for Parse
  std::vector<std::span<const std::byte>> parts_;
  std::vector<KeyValue> metadata_;
  std::vector<TensorInfo> tensors_;
  std::vector<uint32_t> keys_by_name_;  // indices, sorted by name
  std::vector<uint32_t> tensors_by_name_;
};

}  // namespace vade::gguf
