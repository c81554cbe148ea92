#include "engine/text_encoder.h"

#include <xxhash.h>

#include <cmath>
#include <utility>

namespace vade::engine {

Result<TextParts> TextParts::Load(const gguf::File& file, size_t vocab_size) {
  VADE_TRY(auto tokenizer, tokenizer::Tokenizer::Load(file));
  if (tokenizer->vocab_size() != vocab_size) {
    return file.TensorError("token_embd.weight", "got " + std::to_string(vocab_size) +
                                                     " rows, want " +
                                                     std::to_string(tokenizer->vocab_size()) +
                                                     ", the size of the vocabulary");
  }
  VADE_TRY(auto pairs, PairFormat::Read(file, *tokenizer));
  return TextParts{std::move(tokenizer), std::move(pairs)};
}

uint64_t HashOf(const gguf::File& file) {
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  for (const std::span<const std::byte> part : file.parts()) {
    XXH3_64bits_update(state, part.data(), part.size());
  }
  const uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return hash;
}

std::string ModelName(const gguf::File& file, const std::filesystem::path& path) {
  const auto name = file.Find<std::string_view>("general.name");
  if (name && *name && !(*name)->empty()) return std::string(**name);
  return path.stem().string();
}

Result<void> TextEncoder::CheckBatch(std::span<const std::vector<TokenId>> sequences,
                                     size_t out_size) const {
  if (traits_.pooling == model::Pooling::kNone) {
    return Fail(ErrorCode::kUnsupported,
                traits_.name +
                    ": pooling_type is none: the model gives a vector per token, not one per text");
  }
  if (out_size != sequences.size() * dimension()) {
    return Fail(ErrorCode::kInvalidArgument,
                traits_.name + ": got room for " + std::to_string(out_size) + " values, want " +
                    std::to_string(sequences.size()) + " x " + std::to_string(dimension()));
  }
  for (size_t i = 0; i < sequences.size(); ++i) VADE_CHECK_OK(CheckSequence(sequences[i], i));
  return {};
}

Result<void> TextEncoder::CheckSequence(const std::vector<TokenId>& sequence, size_t index) const {
  const std::string where = traits_.name + ": text " + std::to_string(index) + ": ";
  const size_t vocab_size = parts_.tokenizer->vocab_size();
  if (sequence.empty()) return Fail(ErrorCode::kInvalidArgument, where + "no tokens");
  if (sequence.size() > context_length()) {
    return Fail(ErrorCode::kInvalidArgument, where + "got " + std::to_string(sequence.size()) +
                                                 " tokens, the model has " +
                                                 std::to_string(context_length()) + " positions");
  }
  for (const TokenId id : sequence) {
    if (id >= 0 && static_cast<size_t>(id) < vocab_size) continue;
    return Fail(ErrorCode::kInvalidArgument, where + "got token id " + std::to_string(id) +
                                                 ", expected 0 to " +
                                                 std::to_string(vocab_size - 1));
  }
  return {};
}

Result<void> TextEncoder::Finish(std::span<float> out) const {
  const bool normalise = traits_.pooling != model::Pooling::kRank;
  for (size_t i = 0; i < out.size(); i += dimension()) {
    const std::span<float> row = out.subspan(i, dimension());
    double squares = 0;
    for (const float value : row) squares += double{value} * double{value};
    if (!std::isfinite(squares) || (normalise && squares == 0)) {
      return Fail(ErrorCode::kInternal, traits_.name + ": text " + std::to_string(i / dimension()) +
                                            ": non-finite output");
    }
    if (!normalise) continue;
    const double inverse = 1.0 / std::sqrt(squares);
    for (float& value : row) value = static_cast<float>(double{value} * inverse);
  }
  return {};
}

}  // namespace vade::engine
