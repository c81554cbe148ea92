// Loading special ids, greedy matching, decoding.
#include "engine/tokenizer/wordpiece.h"

#include <cstdint>

#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/tokenizer/detokenize.h"

namespace vade::tokenizer {
namespace {

// What BERT's own vocabulary has, used by files that do not name their special tokens.
constexpr TokenId kDefaultUnk = 100;
constexpr TokenId kDefaultCls = 101;
constexpr TokenId kDefaultSep = 102;

constexpr size_t kHuggingFaceMaxWordChars = 100;

// The first of two keys that is present, else the default.
Result<std::optional<TokenId>> EitherId(const gguf::File& file, std::string_view key,
                                        std::string_view other_key, size_t vocab_size,
                                        TokenId fallback) {
  VADE_TRY(const auto other, SpecialId(file, other_key, vocab_size, std::nullopt));
  const bool has_other = other.has_value();
  return SpecialId(file, key, vocab_size, has_other ? *other : fallback);
}

Result<SpecialIds> LoadSpecialIds(const gguf::File& file, size_t n) {
  SpecialIds ids;
  VADE_TRY(ids.bos, SpecialId(file, "tokenizer.ggml.bos_token_id", n, std::nullopt));
  VADE_TRY(ids.eos, SpecialId(file, "tokenizer.ggml.eos_token_id", n, std::nullopt));
  VADE_TRY(ids.pad, SpecialId(file, "tokenizer.ggml.padding_token_id", n, std::nullopt));
  VADE_TRY(ids.mask, SpecialId(file, "tokenizer.ggml.mask_token_id", n, std::nullopt));
  VADE_TRY(ids.unk, SpecialId(file, "tokenizer.ggml.unknown_token_id", n, kDefaultUnk));
  VADE_TRY(ids.cls, EitherId(file, "tokenizer.ggml.cls_token_id", "tokenizer.ggml.bos_token_id", n,
                             kDefaultCls));
  // The misspelt key is the format's own; some writers correct it.
  VADE_TRY(ids.sep, EitherId(file, "tokenizer.ggml.seperator_token_id",
                             "tokenizer.ggml.separator_token_id", n, kDefaultSep));
  return ids;
}

Result<BertNormalizerOptions> LoadNormalizer(const gguf::File& file) {
  BertNormalizerOptions options;
  VADE_TRY(const auto name, file.Find<std::string_view>(gguf::kNormalizerKey));
  VADE_TRY(const auto lowercase, file.Find<bool>(gguf::kLowercaseKey));
  VADE_TRY(const auto strip_accents, file.Find<bool>(gguf::kStripAccentsKey));
  if (name && *name != gguf::kHuggingFaceNormalizer) {
    return Fail(ErrorCode::kUnsupported,
                file.name() + ": key " + std::string(gguf::kNormalizerKey) + ": got \"" +
                    utf8::Escape(name->substr(0, 64)) +
                    "\", this version has: " + std::string(gguf::kHuggingFaceNormalizer));
  }
  options.hugging_face = name.has_value();
  options.lowercase = lowercase.value_or(true);
  options.strip_accents = strip_accents.value_or(options.lowercase);
  return options;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> WordPiece::Load(const gguf::File& file) {
  VADE_TRY(Vocabulary vocabulary, Vocabulary::Load(file));
  VADE_TRY(const SpecialIds special, LoadSpecialIds(file, vocabulary.size()));
  VADE_TRY(const BertNormalizerOptions options, LoadNormalizer(file));
  return std::unique_ptr<Tokenizer>(new WordPiece(std::move(vocabulary), special, options));
}

WordPiece::WordPiece(Vocabulary vocabulary, const SpecialIds& special,
                     const BertNormalizerOptions& options)
    : vocabulary_(std::move(vocabulary)),
      special_(special),
      normalizer_(options),
      splitter_(vocabulary_),
      max_word_chars_(options.hugging_face ? kHuggingFaceMaxWordChars : SIZE_MAX) {
  for (size_t i = 0; i < vocabulary_.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const std::string_view token = vocabulary_.text(id);
    const bool starts_word = token.starts_with(gguf::kWordStart);
    if (starts_word) word_starts_.Insert(token.substr(gguf::kWordStart.size()), id);
    // llama.cpp looks a piece up without asking whether it may begin here; Hugging Face does ask.
    if (!token.empty() && !(starts_word && options.hugging_face)) continuations_.Insert(token, id);
  }
}

void WordPiece::AppendWord(std::string_view word, std::vector<TokenId>& out) const {
  const size_t before = out.size();
  const auto give_up = [&] {
    out.resize(before);
    out.push_back(*special_.unk);
  };
  if (word.size() > max_word_chars_ && utf8::CountCodePoints(word) > max_word_chars_) {
    return give_up();
  }
  Trie::Match match = word_starts_.LongestPrefix(word);
  if (match.value == Trie::kNoValue) {
    // A vocabulary may hold the bare word start as a token of its own.
    match = {word_starts_.ValueAt(Trie::kRoot), 0};
    if (match.value == Trie::kNoValue) return give_up();
  }
  out.push_back(match.value);
  for (size_t at = match.length; at < word.size(); at += match.length) {
    match = continuations_.LongestPrefix(word.substr(at));
    if (match.value == Trie::kNoValue) return give_up();
    out.push_back(match.value);
  }
}

std::vector<TokenId> WordPiece::Encode(std::string_view text, bool add_special,
                                       bool parse_special) const {
  std::vector<TokenId> out;
  if (add_special) out.push_back(*special_.cls);
  for (const Fragment& fragment : splitter_.Split(text, parse_special)) {
    if (fragment.id >= 0) {
      out.push_back(fragment.id);
    } else {
      normalizer_.ForEachWord(fragment.text, [&](std::string_view word) { AppendWord(word, out); });
    }
  }
  if (add_special) out.push_back(*special_.sep);
  return out;
}

size_t WordPiece::Count(std::string_view text) const {
  size_t count = 0;
  std::vector<TokenId> pieces;
  for (const Fragment& fragment : splitter_.Split(text, false)) {
    if (fragment.id >= 0) {
      ++count;
      continue;
    }
    normalizer_.ForEachWord(fragment.text, [&](std::string_view word) {
      pieces.clear();
      AppendWord(word, pieces);
      count += pieces.size();
    });
  }
  return count;
}

std::string WordPiece::Decode(std::span<const TokenId> ids, const DecodeOptions& options) const {
  if (options.remove_added && !ids.empty() && ids.front() == *special_.cls) ids = ids.subspan(1);
  if (options.remove_added && !ids.empty() && ids.back() == *special_.sep) {
    ids = ids.first(ids.size() - 1);
  }
  std::string out;
  for (const TokenId id : ids) {
    if (options.render_special || !IsControl(id)) out += TokenText(id);
  }
  return CleanUpSpaces(out);
}

std::string WordPiece::TokenText(TokenId id) const {
  if (!vocabulary_.Contains(id)) return {};
  if (IsControl(id)) return std::string(vocabulary_.text(id));
  return WordStartsToSpaces(vocabulary_.text(id));
}

bool WordPiece::IsControl(TokenId id) const noexcept {
  if (!vocabulary_.Contains(id)) return false;
  const TokenType type = vocabulary_.type(id);
  return type == TokenType::kControl || type == TokenType::kUnknown;
}

}  // namespace vade::tokenizer
