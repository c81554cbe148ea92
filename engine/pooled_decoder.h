// A decoder as an embedding model or reranker: the pooled vectors after its last norm.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "engine/base/result.h"
#include "engine/encoder_engine.h"
#include "engine/gguf/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/pooling.h"

namespace vade::engine {

struct PooledDecoderOptions {
  std::optional<model::Pooling> pooling;   // instead of the file's
  std::optional<model::Pooling> fallback;  // of a file that names none; nothing: it is refused
  kernels::Isa isa{};
};

/// EncoderEngine::Load for decoders. Texts have up to 4096 tokens (the model's context, if that is
/// shorter): keys and values are kept in f32, exact as the references'.
/// Errors: Decoder::Load's; kUnsupported if no pooling is named.
[[nodiscard]] Result<std::unique_ptr<EncoderEngine>> LoadPooledDecoder(
    gguf::File file, const std::filesystem::path& path, const PooledDecoderOptions& options,
    size_t num_threads);

}  // namespace vade::engine
