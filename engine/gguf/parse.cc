// The header in file order: counts, metadata, tensor table, extents.
#include "engine/gguf/parse.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>

#include "engine/base/checked.h"
#include "engine/base/utf8.h"
#include "engine/gguf/cursor.h"

namespace vade::gguf {
namespace {

// Smallest possible entries; a count above remaining / minimum cannot be true.
constexpr uint64_t kMinKeyValueBytes = 8 + 1 + 4 + 1;        // key, type, one-byte value
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;  // name, n_dims, dim, type, offset
constexpr std::string_view kAlignmentKey = "general.alignment";

Result<uint64_t> ReadCount(Cursor& in, std::string_view field, uint64_t other_entries_bytes,
                           uint64_t min_entry_bytes) {
  const uint64_t at = in.offset();
  VADE_TRY(const uint64_t count, in.Read<uint64_t>(field));
  const uint64_t left = in.remaining() - std::min(in.remaining(), other_entries_bytes);
  if (count > left / min_entry_bytes) {
    return in.Reject(ErrorCode::kCorruptData, at, field,
                     std::to_string(count) + " entries cannot fit in the " + std::to_string(left) +
                         " bytes left");
  }
  return count;
}

Result<void> CheckName(const Cursor& in, uint64_t at, std::string_view what,
                       std::string_view name) {
  const auto reject = [&](const char* reason) {
    return in.Reject(ErrorCode::kCorruptData, at, what, reason);
  };
  if (name.empty()) return reject("empty name");
  if (name.find('\0') != std::string_view::npos) return reject("name contains NUL");
  if (!utf8::IsValid(name)) return reject("name is not valid UTF-8");
  return {};
}

Result<void> CheckHeader(Cursor& in, ParsedImage& out) {
  VADE_TRY(const uint32_t magic, in.Read<uint32_t>("magic"));
  if (magic != kMagic) {
    std::array<char, 4> shown = std::bit_cast<std::array<char, 4>>(magic);
    return in.Reject(ErrorCode::kCorruptData, 0, "magic",
                     "not a GGUF file: begins with \"" +
                         utf8::Escape(std::string_view(shown.data(), shown.size())) + "\"");
  }
  VADE_TRY(out.version, in.Read<uint32_t>("version"));
  if (__builtin_bswap32(out.version) == 2 || __builtin_bswap32(out.version) == 3) {
    return in.Reject(ErrorCode::kUnsupported, 4, "version",
                     "big-endian byte order is not supported");
  }
  if (out.version != 2 && out.version != 3) {
    return in.Reject(ErrorCode::kUnsupported, 4, "version",
                     "unsupported version " + std::to_string(out.version) + ", want 2 or 3");
  }
  return {};
}

Result<Value> ReadArray(Cursor& in, std::string_view key) {
  const uint64_t start = in.offset();
  VADE_TRY(const uint32_t type_id, in.Read<uint32_t>(key));
  const auto type = static_cast<ValueType>(type_id);
  if (type == ValueType::kArray) {
    return in.Reject(ErrorCode::kUnsupported, start, key, "array of arrays");
  }
  if (NameOf(type) == "?") {
    return in.Reject(ErrorCode::kCorruptData, start, key,
                     "unknown array element type " + std::to_string(type_id));
  }
  const bool is_string = type == ValueType::kString;
  VADE_TRY(const uint64_t count, ReadCount(in, key, 0, is_string ? 8 : ScalarBytes(type)));
  std::vector<std::string_view> strings;
  if (is_string) {
    strings.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      VADE_TRY(const std::string_view text, in.ReadString(kMaxStringBytes, key));
      strings.push_back(text);
    }
  } else {
    VADE_CHECK_OK(in.ReadBytes(count * ScalarBytes(type), key));  // ReadCount bounded the product
  }
  return Value(ValueType::kArray, type, count, in.Between(start, in.offset()), std::move(strings));
}

Result<Value> ReadValue(Cursor& in, std::string_view key) {
  const uint64_t type_at = in.offset();
  VADE_TRY(const uint32_t type_id, in.Read<uint32_t>(key));
  const auto type = static_cast<ValueType>(type_id);
  if (NameOf(type) == "?") {
    return in.Reject(ErrorCode::kCorruptData, type_at, key,
                     "unknown value type " + std::to_string(type_id));
  }
  if (type == ValueType::kArray) return ReadArray(in, key);
  const uint64_t start = in.offset();
  std::vector<std::string_view> strings;
  if (type == ValueType::kString) {
    VADE_TRY(const std::string_view text, in.ReadString(kMaxStringBytes, key));
    strings.push_back(text);
  } else {
    VADE_CHECK_OK(in.ReadBytes(ScalarBytes(type), key));
  }
  return Value(type, type, 1, in.Between(start, in.offset()), std::move(strings));
}

Result<void> ReadMetadata(Cursor& in, uint64_t count, ParsedImage& out) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t at = in.offset();
    const std::string field = "metadata key " + std::to_string(i);
    VADE_TRY(const std::string_view key, in.ReadString(kMaxKeyBytes, field));
    VADE_CHECK_OK(CheckName(in, at, field, key));
    VADE_TRY(Value value, ReadValue(in, key));
    out.metadata.push_back({key, std::move(value), at});
  }
  return {};
}

// Sorting finds duplicates without a hash table a hostile file could flood.
template <typename Entry, typename Name>
Result<void> CheckUnique(const Cursor& in, const std::vector<Entry>& entries, const Name& name_of,
                         std::string_view what) {
  std::vector<const Entry*> sorted;
  sorted.reserve(entries.size());
  for (const Entry& entry : entries) sorted.push_back(&entry);
  std::ranges::sort(sorted, {}, [&](const Entry* e) { return std::invoke(name_of, *e); });
  const auto same = std::ranges::adjacent_find(
      sorted, {}, [&](const Entry* e) { return std::invoke(name_of, *e); });
  if (same == sorted.end()) return {};
  return in.Reject(
      ErrorCode::kCorruptData, (*same)->offset, what,
      "duplicate \"" + utf8::Escape(std::invoke(name_of, **same).substr(0, 160)) + "\"");
}

Result<void> ReadAlignment(const Cursor& in, ParsedImage& out) {
  const auto it = std::ranges::find(out.metadata, kAlignmentKey, &KeyValue::key);
  if (it == out.metadata.end()) return {};
  const auto alignment = it->value.As<uint32_t>();
  if (!alignment) {
    return in.Reject(ErrorCode::kCorruptData, it->offset, kAlignmentKey,
                     "got type " + it->value.TypeName() + ", expected u32");
  }
  if (!std::has_single_bit(*alignment) || *alignment > kMaxAlignment) {
    return in.Reject(ErrorCode::kCorruptData, it->offset, kAlignmentKey,
                     "got " + std::to_string(*alignment) +
                         ", alignment must be a power of two <= " + std::to_string(kMaxAlignment));
  }
  out.alignment = *alignment;
  return {};
}

Result<void> ReadDims(Cursor& in, std::string_view field, TensorInfo& tensor) {
  const uint64_t at = in.offset();
  VADE_TRY(tensor.num_dims, in.Read<uint32_t>(field));
  if (tensor.num_dims < 1 || tensor.num_dims > kMaxDims) {
    return in.Reject(ErrorCode::kCorruptData, at, field,
                     "got " + std::to_string(tensor.num_dims) + " dimensions, want 1 to 4");
  }
  // int64 limits, like the reference reader, so that no signed code downstream can overflow.
  int64_t product = 1;
  for (uint32_t i = 0; i < tensor.num_dims; ++i) {
    VADE_TRY(const int64_t dim, in.Read<int64_t>(field));
    tensor.dims[i] = static_cast<uint64_t>(dim);
    const auto next = dim > 0 ? CheckedMul(product, dim) : std::nullopt;
    if (!next) {
      return in.Reject(ErrorCode::kCorruptData, at, field,
                       "dimension " + std::to_string(i) + " is " + std::to_string(dim) +
                           (dim > 0 ? ": too many values" : ", want a positive number"));
    }
    product = *next;
  }
  tensor.num_values = static_cast<uint64_t>(product);
  return {};
}

struct Extent {
  uint64_t offset = 0;  // relative to the data section
  uint64_t bytes = 0;
  size_t tensor_idx = 0;
};

Result<Extent> ReadTensorInfo(Cursor& in, uint64_t index, uint32_t alignment, TensorInfo& tensor) {
  tensor.offset = in.offset();
  std::string field = "tensor " + std::to_string(index);
  VADE_TRY(tensor.name, in.ReadString(kMaxTensorNameBytes, field + " name"));
  VADE_CHECK_OK(CheckName(in, tensor.offset, field, tensor.name));
  field = "tensor " + std::string(tensor.name);
  VADE_CHECK_OK(ReadDims(in, field, tensor));
  const uint64_t type_at = in.offset();
  VADE_TRY(const uint32_t type_id, in.Read<uint32_t>(field));
  const quant::TensorTypeInfo* type = quant::FindTensorType(type_id);
  if (type == nullptr) {
    return in.Reject(ErrorCode::kUnsupported, type_at, field,
                     "type " + std::to_string(type_id) + " is unknown or was removed");
  }
  tensor.type = type->type;
  if (tensor.dims[0] % type->block_values != 0) {
    return in.Reject(ErrorCode::kCorruptData, type_at, field,
                     "row of " + std::to_string(tensor.dims[0]) + " values is not whole " +
                         std::string(type->name) + " blocks of " +
                         std::to_string(type->block_values));
  }
  const auto bytes = quant::StoredBytes(*type, tensor.num_values);
  if (!bytes) return in.Reject(ErrorCode::kCorruptData, type_at, field, "size overflows");
  const uint64_t offset_at = in.offset();
  VADE_TRY(const uint64_t offset, in.Read<uint64_t>(field));
  if (offset % alignment != 0) {
    return in.Reject(ErrorCode::kCorruptData, offset_at, field,
                     "offset " + std::to_string(offset) + " is not a multiple of the alignment " +
                         std::to_string(alignment));
  }
  return Extent{offset, *bytes, index};
}

// Binds each tensor to its bytes after proving that it lies in the file and overlaps no other.
Result<void> BindData(const Cursor& in, std::span<const std::byte> data,
                      std::vector<Extent> extents, ParsedImage& out) {
  std::ranges::sort(extents, {}, &Extent::offset);
  uint64_t previous_end = 0;
  for (const Extent& extent : extents) {
    TensorInfo& tensor = out.tensors[extent.tensor_idx];
    const std::string field = "tensor " + std::string(tensor.name);
    const auto end = CheckedAdd(extent.offset, extent.bytes);
    if (!end || *end > data.size()) {
      return in.Reject(ErrorCode::kCorruptData, tensor.offset, field,
                       "offset " + std::to_string(extent.offset) + " + " +
                           std::to_string(extent.bytes) + " bytes is past the " +
                           std::to_string(data.size()) + " bytes of data (truncated file?)");
    }
    if (extent.offset < previous_end) {
      return in.Reject(ErrorCode::kCorruptData, tensor.offset, field,
                       "offset " + std::to_string(extent.offset) +
                           " overlaps the tensor that ends at " + std::to_string(previous_end));
    }
    previous_end = *end;
    tensor.data = data.subspan(extent.offset, extent.bytes);
  }
  return {};
}

Result<void> ReadTensors(Cursor& in, std::span<const std::byte> bytes, uint64_t count,
                         ParsedImage& out) {
  std::vector<Extent> extents;
  for (uint64_t i = 0; i < count; ++i) {
    VADE_TRY(const Extent extent, ReadTensorInfo(in, i, out.alignment, out.tensors.emplace_back()));
    extents.push_back(extent);
  }
  VADE_CHECK_OK(CheckUnique(in, out.tensors, &TensorInfo::name, "tensor table"));
  const uint64_t align = out.alignment;
  out.data_offset = (in.offset() + align - 1) / align * align;
  if (count == 0) return {};  // a vocabulary-only file may end without padding
  if (out.data_offset > bytes.size()) {
    return in.Reject(ErrorCode::kCorruptData, in.offset(), "tensor data",
                     "truncated at " + std::to_string(bytes.size()));
  }
  return BindData(in, bytes.subspan(out.data_offset), std::move(extents), out);
}

}  // namespace

std::string ShapeToString(const TensorInfo& tensor) {
  std::string out = "[";
  for (uint32_t i = 0; i < tensor.num_dims; ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(tensor.dims[i]);
  }
  return out + "]";
}

Result<ParsedImage> ParseImage(std::span<const std::byte> bytes, std::string_view file_name) {
  Cursor in(bytes, file_name);
  ParsedImage out;
  VADE_CHECK_OK(CheckHeader(in, out));
  VADE_TRY(const uint64_t num_tensors, ReadCount(in, "tensor count", 8, kMinTensorBytes));
  VADE_TRY(const uint64_t num_keys,
           ReadCount(in, "metadata count", num_tensors * kMinTensorBytes, kMinKeyValueBytes));
  VADE_CHECK_OK(ReadMetadata(in, num_keys, out));
  VADE_CHECK_OK(CheckUnique(in, out.metadata, &KeyValue::key, "metadata"));
  VADE_CHECK_OK(ReadAlignment(in, out));
  VADE_CHECK_OK(ReadTensors(in, bytes, num_tensors, out));
  return out;
}

}  // namespace vade::gguf
