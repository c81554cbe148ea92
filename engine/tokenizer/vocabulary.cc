// Lengths, types and ids checked against each other.
#include "engine/tokenizer/vocabulary.h"

#include <algorithm>
#include <utility>

namespace vade::tokenizer {
namespace {

constexpr std::string_view kTokensKey = "tokenizer.ggml.tokens";
constexpr std::string_view kTypesKey = "tokenizer.ggml.token_type";
constexpr std::string_view kScoresKey = "tokenizer.ggml.scores";
constexpr size_t kMaxTokens = size_t{1} << 24;  // ids and offsets stay well inside 32 bits

Result<void> CheckLength(const gguf::File& file, std::string_view key, size_t got, size_t want) {
  if (got == want) return {};
  return file.KeyError(key, "has " + std::to_string(got) + " entries, the vocabulary has " +
                                std::to_string(want) + " tokens");
}

}  // namespace

Result<Vocabulary> Vocabulary::Load(const gguf::File& file) {
  VADE_TRY(const auto tokens, file.RequireArray<std::string_view>(kTokensKey));
  VADE_TRY(const auto types, file.FindArray<int32_t>(kTypesKey));
  VADE_TRY(auto scores, file.FindArray<float>(kScoresKey));
  if (tokens.empty()) return file.KeyError(kTokensKey, "the vocabulary is empty");
  if (tokens.size() > kMaxTokens) {
    return file.KeyError(
        kTokensKey, std::to_string(tokens.size()) + " tokens, limit " + std::to_string(kMaxTokens));
  }
  if (types) VADE_CHECK_OK(CheckLength(file, kTypesKey, types->size(), tokens.size()));
  if (scores) VADE_CHECK_OK(CheckLength(file, kScoresKey, scores->size(), tokens.size()));
  Vocabulary out;
  out.begins_.reserve(tokens.size() + 1);
  out.types_.reserve(tokens.size());
  uint64_t total_bytes = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].size() > gguf::kMaxTokenBytes) {
      return file.KeyError(kTokensKey, "token " + std::to_string(i) + " has " +
                                           std::to_string(tokens[i].size()) + " bytes, limit " +
                                           std::to_string(gguf::kMaxTokenBytes));
    }
    total_bytes += tokens[i].size();
    if (total_bytes > UINT32_MAX) return file.KeyError(kTokensKey, "more than 4 GiB of text");
    const int32_t type = types ? (*types)[i] : static_cast<int32_t>(TokenType::kNormal);
    if (type < 0 || type > static_cast<int32_t>(TokenType::kByte)) {
      return file.KeyError(
          kTypesKey, "token " + std::to_string(i) + " has unknown type " + std::to_string(type));
    }
    out.begins_.push_back(static_cast<uint32_t>(out.texts_.size()));
    out.texts_ += tokens[i];
    out.types_.push_back(static_cast<TokenType>(type));
    out.max_token_bytes_ = std::max(out.max_token_bytes_, tokens[i].size());
  }
  out.begins_.push_back(static_cast<uint32_t>(out.texts_.size()));
  if (scores) out.scores_ = std::move(*scores);
  return out;
}

Result<std::optional<TokenId>> SpecialId(const gguf::File& file, std::string_view key,
                                         size_t vocab_size, std::optional<TokenId> fallback) {
  VADE_TRY(const auto given, file.Find<uint32_t>(key));
  if (!given && !fallback) return std::optional<TokenId>();
  const uint32_t id = given ? *given : static_cast<uint32_t>(*fallback);
  if (id < vocab_size) return std::optional<TokenId>(static_cast<TokenId>(id));
  return file.KeyError(key, (given ? "id " : "absent, and the default id ") + std::to_string(id) +
                                " is outside the vocabulary of " + std::to_string(vocab_size));
}

}  // namespace vade::tokenizer
