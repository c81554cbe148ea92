// Opening parts, lookup by name, errors that name key and offset.
#include "engine/gguf/file.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "engine/base/utf8.h"

namespace vade::gguf {
namespace {

constexpr std::string_view kSplitCountKey = "split.count";
constexpr std::string_view kSplitNoKey = "split.no";
constexpr std::string_view kSplitTensorsKey = "split.tensors.count";
constexpr uint32_t kMaxParts = 1000;

template <typename Entries, typename Name>
std::vector<uint32_t> SortedIndex(const Entries& entries, const Name& name) {
  std::vector<uint32_t> index(entries.size());
  std::iota(index.begin(), index.end(), 0u);
  std::ranges::sort(index, {}, [&](uint32_t i) { return std::invoke(name, entries[i]); });
  return index;
}

template <typename Entries, typename Name>
auto Lookup(const Entries& entries, const std::vector<uint32_t>& index, const Name& name,
            std::string_view wanted) -> decltype(entries.data()) {
  const auto name_at = [&](uint32_t i) { return std::invoke(name, entries[i]); };
  const auto it = std::ranges::lower_bound(index, wanted, {}, name_at);
  return it != index.end() && name_at(*it) == wanted ? &entries[*it] : nullptr;
}

// A part's u16 header field (the type llama.cpp's splitter writes), absent as 0.
Result<uint32_t> SplitField(const ParsedImage& image, std::string_view file_name,
                            std::string_view key) {
  const auto it = std::ranges::find(image.metadata, key, &KeyValue::key);
  if (it == image.metadata.end()) return 0u;
  const auto value = it->value.As<uint16_t>();
  if (!value) {
    return Fail(ErrorCode::kCorruptData, std::string(file_name) + ": key " + std::string(key) +
                                             ": got type " + it->value.TypeName() +
                                             ", expected u16");
  }
  return *value;
}

std::string PartSuffix(uint32_t part_idx, uint32_t num_parts) {
  char suffix[40];
  std::snprintf(suffix, sizeof suffix, "-%05u-of-%05u.gguf", part_idx + 1, num_parts);
  return suffix;
}

}  // namespace

Result<File> File::Open(const std::filesystem::path& path) {
  File file;
  file.name_ = utf8::Escape(path.filename().native());
  VADE_TRY(MappedFile mapping, MappedFile::Open(path));
  file.mappings_.push_back(std::move(mapping));
  file.parts_.push_back(file.mappings_.back().bytes());
  VADE_TRY(ParsedImage image, ParseImage(file.parts_.front(), file.name_));
  VADE_TRY(const uint32_t num_parts, SplitField(image, file.name_, kSplitCountKey));
  if (num_parts > 1) VADE_CHECK_OK(file.CheckPart(image, file.name_, 0, num_parts));
  file.version_ = image.version;
  file.alignment_ = image.alignment;
  file.Adopt(std::move(image));
  if (num_parts > 1) VADE_CHECK_OK(file.OpenOtherParts(path, num_parts));
  file.BuildIndex();
  return file;
}

Result<File> File::Parse(std::span<const std::byte> bytes, std::string name) {
  File file;
  file.name_ = std::move(name);
  file.parts_.push_back(bytes);
  VADE_TRY(ParsedImage image, ParseImage(bytes, file.name_));
  VADE_TRY(const uint32_t num_parts, SplitField(image, file.name_, kSplitCountKey));
  if (num_parts > 1) {
    return file.KeyError(kSplitCountKey, "a split model cannot be read from one piece of memory");
  }
  file.version_ = image.version;
  file.alignment_ = image.alignment;
  file.Adopt(std::move(image));
  file.BuildIndex();
  return file;
}

Result<void> File::CheckPart(const ParsedImage& image, const std::string& part_name,
                             uint32_t part_idx, uint32_t num_parts) const {
  VADE_TRY(const uint32_t count, SplitField(image, part_name, kSplitCountKey));
  VADE_TRY(const uint32_t number, SplitField(image, part_name, kSplitNoKey));
  if (count == num_parts && number == part_idx && num_parts <= kMaxParts) return {};
  return Fail(ErrorCode::kCorruptData,
              part_name + ": is part " + std::to_string(number + 1) + " of " +
                  std::to_string(count) + ", want part " + std::to_string(part_idx + 1) + " of " +
                  std::to_string(num_parts) + " (open the first part; at most " +
                  std::to_string(kMaxParts) + ")");
}

Result<void> File::OpenOtherParts(const std::filesystem::path& first, uint32_t num_parts) {
  std::string prefix = first.native();
  const std::string suffix = PartSuffix(0, num_parts);
  if (!prefix.ends_with(suffix)) {
    return KeyError(kSplitCountKey, "the first of " + std::to_string(num_parts) +
                                        " parts must be named *" + suffix);
  }
  prefix.resize(prefix.size() - suffix.size());
  for (uint32_t i = 1; i < num_parts; ++i) {
    const std::filesystem::path path = prefix + PartSuffix(i, num_parts);
    const std::string part_name = utf8::Escape(path.filename().native());
    VADE_TRY(MappedFile mapping, MappedFile::Open(path));
    VADE_TRY(ParsedImage image, ParseImage(mapping.bytes(), part_name));
    VADE_CHECK_OK(CheckPart(image, part_name, i, num_parts));
    parts_.push_back(mapping.bytes());
    mappings_.push_back(std::move(mapping));
    image.metadata.clear();  // the first part describes the model
    Adopt(std::move(image));
  }
  std::vector<std::string_view> names;
  for (const TensorInfo& tensor : tensors_) names.push_back(tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) return TensorError(*twice, "present in two parts");
  return CheckTensorCount();
}

// The first part says how many tensors all parts have together.
Result<void> File::CheckTensorCount() const {
  const auto entry = std::ranges::find(metadata_, kSplitTensorsKey, &KeyValue::key);
  if (entry == metadata_.end()) return {};
  const auto want = entry->value.As<int32_t>();
  if (want && *want >= 0 && static_cast<size_t>(*want) == tensors_.size()) return {};
  return KeyError(kSplitTensorsKey, "got " + entry->value.ToDisplay(20) + ", the parts have " +
                                        std::to_string(tensors_.size()) + " tensors");
}

void File::Adopt(ParsedImage image) {
  std::ranges::move(image.metadata, std::back_inserter(metadata_));
  std::ranges::move(image.tensors, std::back_inserter(tensors_));
}

void File::BuildIndex() {
  keys_by_name_ = SortedIndex(metadata_, &KeyValue::key);
  tensors_by_name_ = SortedIndex(tensors_, &TensorInfo::name);
}

const KeyValue* File::FindKey(std::string_view key) const noexcept {
  return Lookup(metadata_, keys_by_name_, &KeyValue::key, key);
}

const TensorInfo* File::FindTensor(std::string_view name) const noexcept {
  return Lookup(tensors_, tensors_by_name_, &TensorInfo::name, name);
}

Result<const TensorInfo*> File::RequireTensor(std::string_view name,
                                              std::span<const uint64_t> shape) const {
  const TensorInfo* tensor = FindTensor(name);
  TensorInfo want;
  want.num_dims = static_cast<uint32_t>(std::min(shape.size(), kMaxDims));
  std::copy_n(shape.begin(), want.num_dims, want.dims.begin());
  if (tensor == nullptr) return TensorError(name, "missing, want " + ShapeToString(want));
  if (tensor->dims != want.dims) {
    return TensorError(name, "got " + ShapeToString(*tensor) + ", want " + ShapeToString(want));
  }
  return tensor;
}

tl::unexpected<Error> File::KeyError(std::string_view key, const std::string& reason) const {
  const KeyValue* entry = FindKey(key);
  const std::string where =
      entry != nullptr ? "byte " + std::to_string(entry->offset) + ": " : std::string();
  return Fail(ErrorCode::kCorruptData,
              name_ + ": " + where + "key " + std::string(key) + ": " + reason);
}

tl::unexpected<Error> File::TensorError(std::string_view name, const std::string& reason) const {
  const TensorInfo* tensor = FindTensor(name);
  const std::string where =
      tensor != nullptr ? "byte " + std::to_string(tensor->offset) + ": " : std::string();
  return Fail(ErrorCode::kCorruptData,
              name_ + ": " + where + "tensor " + utf8::Escape(name) + ": " + reason);
}

tl::unexpected<Error> File::TypeError(const KeyValue& entry, const std::string& expected) const {
  return KeyError(entry.key, "got type " + entry.value.TypeName() + ", expected " + expected);
}

}  // namespace vade::gguf
