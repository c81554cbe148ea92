// Header layout and the order of writing.
#include "engine/gguf/writer.h"

#include <array>

#include "engine/base/atomic_file.h"
#include "engine/base/check.h"
#include "engine/gguf/parse.h"

namespace vade::gguf {
namespace {

constexpr uint64_t Padding(uint64_t size) {
  return (kDefaultAlignment - size % kDefaultAlignment) % kDefaultAlignment;
}

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename T>
void AppendTo(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

void Writer::BeginKey(std::string_view key, ValueType type) {
  Append(key);
  Append(static_cast<uint32_t>(type));
  ++num_keys_;
}

void Writer::AppendRaw(const void* bytes, size_t size) {
  metadata_.append(static_cast<const char*>(bytes), size);
}

void Writer::Copy(const KeyValue& entry) {
  BeginKey(entry.key, entry.value.type());
  AppendRaw(entry.value.payload().data(), entry.value.payload().size());
}

void Writer::AddTensor(std::string name, quant::TensorType type, std::vector<uint64_t> dims,
                       TensorProducer produce) {
  AddStreamedTensor(std::move(name), type, std::move(dims),
                    [produce = std::move(produce)](const ByteSink& sink) -> Result<void> {
                      VADE_TRY(const std::vector<std::byte> data, produce());
                      return sink(data);
                    });
}

void Writer::AddStreamedTensor(std::string name, quant::TensorType type, std::vector<uint64_t> dims,
                               StreamProducer produce) {
  VADE_CHECK(!dims.empty() && dims.size() <= kMaxDims);
  uint64_t num_values = 1;
  for (const uint64_t dim : dims) num_values *= dim;
  const auto size_bytes = quant::StoredBytes(quant::InfoOf(type), num_values);
  VADE_CHECK(size_bytes.has_value());
  tensors_.push_back({std::move(name), type, std::move(dims), *size_bytes, std::move(produce)});
}

uint64_t Writer::tensor_bytes() const {
  uint64_t total = 0;
  for (const Tensor& tensor : tensors_) total += tensor.size_bytes;
  return total;
}

std::string Writer::Head() const {
  std::string out;
  AppendTo(out, kMagic);
  AppendTo(out, kVersion);
  AppendTo(out, static_cast<uint64_t>(tensors_.size()));
  AppendTo(out, num_keys_);
  out += metadata_;
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    AppendTo(out, static_cast<uint64_t>(tensor.name.size()));
    out += tensor.name;
    AppendTo(out, static_cast<uint32_t>(tensor.dims.size()));
    for (const uint64_t dim : tensor.dims) AppendTo(out, dim);
    AppendTo(out, static_cast<uint32_t>(tensor.type));
    AppendTo(out, offset);
    offset += tensor.size_bytes + Padding(tensor.size_bytes);
  }
  out.append(Padding(out.size()), '\0');
  return out;
}

Result<void> Writer::Emit(const ByteSink& sink, const TensorProgress& on_tensor) const {
  const std::string head = Head();
  VADE_CHECK_OK(sink(std::as_bytes(std::span(head))));
  const std::array<std::byte, kDefaultAlignment> zeros = {};
  size_t num_done = 0;
  for (const Tensor& tensor : tensors_) {
    uint64_t num_bytes = 0;
    VADE_CHECK_OK(tensor.produce([&](std::span<const std::byte> bytes) {
      num_bytes += bytes.size();
      return sink(bytes);
    }));
    VADE_CHECK(num_bytes == tensor.size_bytes);
    VADE_CHECK_OK(sink(std::span(zeros).first(Padding(num_bytes))));
    if (on_tensor) on_tensor(tensor.name, ++num_done, tensors_.size());
  }
  return {};
}

Result<void> Writer::WriteTo(const std::filesystem::path& path, bool replace,
                             const TensorProgress& on_tensor) const {
  VADE_TRY(AtomicFile file, AtomicFile::Create(path, replace));
  VADE_CHECK_OK(
      Emit([&](std::span<const std::byte> bytes) { return file.Write(AsText(bytes)); }, on_tensor));
  return file.Commit();
}

Result<std::string> Writer::ToBytes() const {
  std::string out;
  const auto append = [&](std::span<const std::byte> bytes) -> Result<void> {
    out += AsText(bytes);
    return {};
  };
  VADE_CHECK_OK(Emit(append, {}));
  return out;
}

}  // namespace vade::gguf
