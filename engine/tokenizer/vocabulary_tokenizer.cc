// Framing, the walk over special tokens, decoding.
#include "engine/tokenizer/vocabulary_tokenizer.h"

#include <algorithm>

#include "engine/base/utf8.h"
#include "engine/tokenizer/byte_tokens.h"
#include "engine/tokenizer/detokenize.h"

namespace vade::tokenizer {
namespace {

Result<void> CheckByteTokens(const gguf::File& file, const Vocabulary& vocabulary) {
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (vocabulary.type(id) != TokenType::kByte || ParseByteToken(vocabulary.text(id))) continue;
    return file.KeyError("tokenizer.ggml.tokens",
                         "byte token " + std::to_string(i) + ": got \"" +
                             utf8::Escape(vocabulary.text(id).substr(0, 32)) + "\", want <0xNN>");
  }
  return {};
}

// A token that is to be added must exist.
Result<bool> MayAdd(const gguf::File& file, std::string_view key, bool fallback,
                    std::optional<TokenId> id) {
  VADE_TRY(const auto given, file.Find<bool>(key));
  if (given.value_or(false) && !id) {
    return file.KeyError(key, "true, but the file names no such token");
  }
  return given.value_or(fallback) && id.has_value();
}

}  // namespace

Result<VocabularyTokenizer::Parts> VocabularyTokenizer::LoadParts(const gguf::File& file,
                                                                  const SpecialIds& defaults,
                                                                  Framing framing) {
  VADE_TRY(Vocabulary vocabulary, Vocabulary::Load(file));
  VADE_CHECK_OK(CheckByteTokens(file, vocabulary));
  TokenIndex index(vocabulary);  // by the types of the file: a named role is no bar to merging
  VADE_TRY(SpecialRoles roles, LoadSpecialRoles(file, defaults, vocabulary));
  Parts parts{std::move(vocabulary), std::move(index), std::move(roles), {}};
  VADE_TRY(framing.add_bos,
           MayAdd(file, "tokenizer.ggml.add_bos_token", framing.add_bos, parts.roles.ids.bos));
  VADE_TRY(framing.add_eos,
           MayAdd(file, "tokenizer.ggml.add_eos_token", framing.add_eos, parts.roles.ids.eos));
  VADE_TRY(const auto prefix, file.Find<bool>("tokenizer.ggml.add_space_prefix"));
  framing.add_space_prefix = prefix.value_or(framing.add_space_prefix);
  parts.framing = framing;
  return parts;
}

VocabularyTokenizer::VocabularyTokenizer(Parts parts)
    : vocabulary_(std::move(parts.vocabulary)),
      index_(std::move(parts.index)),
      roles_(std::move(parts.roles)),
      framing_(parts.framing),
      splitter_(vocabulary_, roles_.strips_left, roles_.strips_right) {}

std::vector<TokenId> VocabularyTokenizer::Encode(std::string_view text, bool add_special,
                                                 bool parse_special) const {
  std::vector<TokenId> out;
  if (add_special && framing_.add_bos) out.push_back(*roles_.ids.bos);
  bool first = true;
  for (const Fragment& fragment : splitter_.Split(text, parse_special)) {
    if (fragment.id >= 0) {
      out.push_back(fragment.id);
    } else {
      AppendText(fragment.text, first, out);
    }
    first = fragment.id >= 0;
  }
  if (add_special && framing_.add_eos) out.push_back(*roles_.ids.eos);
  return out;
}

size_t VocabularyTokenizer::Count(std::string_view text) const {
  return Encode(text, false, false).size();
}

std::string VocabularyTokenizer::Decode(std::span<const TokenId> ids,
                                        const DecodeOptions& options) const {
  bool drop_space = framing_.add_space_prefix;
  if (options.remove_added && framing_.add_bos && !ids.empty() && ids.front() == *roles_.ids.bos) {
    ids = ids.subspan(1);
    drop_space = false;
  }
  if (options.remove_added && framing_.add_eos && !ids.empty() && ids.back() == *roles_.ids.eos) {
    ids = ids.first(ids.size() - 1);
  }
  std::string out;
  for (const TokenId id : ids) {
    if (options.render_special || !IsControl(id)) {
      const std::string text = TokenText(id);
      out += drop_space && text.starts_with(' ') ? std::string_view(text).substr(1) : text;
    }
    drop_space = false;
  }
  return framing_.clean_up_spaces ? CleanUpSpaces(out) : out;
}

std::string VocabularyTokenizer::TokenText(TokenId id) const {
  if (!vocabulary_.Contains(id)) return {};
  const std::string_view text = vocabulary_.text(id);
  switch (vocabulary_.type(id)) {
    case TokenType::kNormal:
      return PlainBytes(text);
    case TokenType::kByte:
      return std::string(1, static_cast<char>(ParseByteToken(text).value_or(0)));
    case TokenType::kControl:
    case TokenType::kUnknown:
    case TokenType::kUserDefined:
      return std::string(text);
    case TokenType::kUndefined:
    case TokenType::kUnused:
      break;
  }
  return {};
}

bool VocabularyTokenizer::IsControl(TokenId id) const noexcept {
  if (!vocabulary_.Contains(id)) return false;
  const TokenType type = vocabulary_.type(id);
  return type == TokenType::kControl || type == TokenType::kUnknown;
}

bool VocabularyTokenizer::IsEndOfGeneration(TokenId id) const noexcept {
  return std::binary_search(roles_.ends.begin(), roles_.ends.end(), id);
}

}  // namespace vade::tokenizer
