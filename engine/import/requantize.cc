// Metadata copied, tensors streamed through row_writer.
#include "engine/import/requantize.h"

#include <string>

#include "engine/base/thread_pool.h"
#include "engine/base/utf8.h"
#include "engine/import/row_writer.h"

namespace vade::import {
namespace {

using quant::TensorType;

bool IsFloat(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kBf16;
}

uint64_t NumRows(const gguf::TensorInfo& tensor) { return tensor.num_values / tensor.dims[0]; }

TensorType TargetOf(const gguf::TensorInfo& tensor, FileType wanted, const ModelShape& shape) {
  const TensorType target = StoredType(tensor.name, tensor.dims[0], NumRows(tensor), wanted, shape);
  const bool is_quantised = !IsFloat(tensor.type);
  const bool readable = quant::InfoOf(tensor.type).dequantize != nullptr;
  if (!readable) return tensor.type;
  if (is_quantised && !IsFloat(target) && tensor.type != TensorType::kQ8_0) return tensor.type;
  return target;
}

void CopyMetadata(const gguf::File& in, gguf::Writer& writer) {
  for (const gguf::KeyValue& entry : in.metadata()) {
    const bool rewritten = entry.key == "general.file_type" ||
                           entry.key == "general.quantization_version" ||
                           entry.key == "general.alignment" || entry.key.starts_with("split.");
    if (!rewritten) writer.Copy(entry);
  }
}

// A file of which not one matrix can take the type is the wrong file to start from.
Result<void> CheckAnyConverts(const gguf::File& in, FileType wanted, const ModelShape& shape) {
  const gguf::TensorInfo* kept = nullptr;
  for (const gguf::TensorInfo& tensor : in.tensors()) {
    const TensorType ideal =
        StoredType(tensor.name, tensor.dims[0], NumRows(tensor), wanted, shape);
    if (ideal == TensorType::kF32 && wanted != FileType::kF32) continue;  // never quantised
    if (TargetOf(tensor, wanted, shape) == ideal) return {};
    if (kept == nullptr) kept = &tensor;
  }
  if (kept == nullptr) return {};
  return Fail(ErrorCode::kUnsupported,
              in.name() + ": tensor " + utf8::Escape(kept->name) + " is " +
                  std::string(quant::InfoOf(kept->type).name) +
                  ", and quantising twice only loses: start from a f32, f16, bf16 or q8_0 file");
}

}  // namespace

Result<void> Requantize(const gguf::File& in, const std::filesystem::path& out,
                        const WriteOptions& options) {
  VADE_TRY(const ModelShape shape, ShapeOf(in));
  VADE_CHECK_OK(CheckAnyConverts(in, options.type, shape));
  gguf::Writer writer;
  AddFileType(writer, options.type);
  CopyMetadata(in, writer);
  ThreadPool pool(options.num_threads);
  for (const gguf::TensorInfo& tensor : in.tensors()) {
    const TensorType target = TargetOf(tensor, options.type, shape);
    writer.AddStreamedTensor(
        std::string(tensor.name), target,
        {tensor.dims.begin(), tensor.dims.begin() + tensor.num_dims},
        [&in, &tensor, &pool, &options, target](const gguf::ByteSink& sink) -> Result<void> {
          if (target == tensor.type) return sink(tensor.data);
          const FloatRows rows =
              StoredFloatRows(tensor.type, tensor.data, tensor.dims[0], NumRows(tensor));
          auto done = WriteRows(rows, target, pool, options.cancel, sink);
          if (done || done.error().code == ErrorCode::kCancelled) return done;
          return Fail(in.name() + ": tensor " + utf8::Escape(tensor.name), std::move(done).error());
        });
  }
  return writer.WriteTo(out, options.replace, options.on_tensor);
}

}  // namespace vade::import
