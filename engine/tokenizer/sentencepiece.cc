// Spaces to U+2581, merging by score, bytes for the rest.
#include "engine/tokenizer/sentencepiece.h"

#include <bit>
#include <string>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/tokenizer/byte_tokens.h"
#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/word_cache.h"

namespace vade::tokenizer {
namespace {

constexpr SpecialIds kDefaults = {.bos = 1, .eos = 2, .unk = 0};
constexpr size_t kMinCachedText = 4096;  // bytes

// Higher scores first. Any order of NaNs will do, as long as it is one.
uint32_t RankOfScore(float score) noexcept {
  const auto bits = std::bit_cast<uint32_t>(score + 0.0F);  // -0 is 0
  const bool negative = (bits >> 31) != 0;
  return std::min(negative ? bits : ~bits & 0x7FFFFFFF, Merge::kNever - 1);
}

// True when no token has a word start behind something else: then nothing merges across one.
bool WordsAreSeparate(const Vocabulary& vocabulary) {
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (vocabulary.type(id) == TokenType::kControl) continue;
    std::string_view text = vocabulary.text(id);
    while (text.starts_with(gguf::kWordStart)) text.remove_prefix(gguf::kWordStart.size());
    if (text.find(gguf::kWordStart) != std::string_view::npos) return false;
  }
  return true;
}

// The end of the word at `at`: word starts, then anything else.
size_t EndOfWord(std::string_view text, size_t at) {
  while (text.substr(at).starts_with(gguf::kWordStart)) at += gguf::kWordStart.size();
  return std::min(text.find(gguf::kWordStart, at), text.size());
}

}  // namespace

struct SentencePiece::Workspace {
  std::vector<Piece> pieces;
  MergeLoop loop;
  WordCache cache;
};

Result<std::unique_ptr<Tokenizer>> SentencePiece::Load(const gguf::File& file) {
  VADE_TRY(Parts parts, LoadParts(file, kDefaults, {.add_bos = true, .add_space_prefix = true}));
  auto byte_ids = FindByteTokens(parts.vocabulary, parts.index);
  for (TokenId& id : byte_ids) {
    if (id == TokenIndex::kNone) id = parts.roles.ids.unk.value_or(TokenIndex::kNone);
  }
  return std::unique_ptr<Tokenizer>(new SentencePiece(std::move(parts), byte_ids));
}

SentencePiece::SentencePiece(Parts parts, const std::array<TokenId, 256>& byte_ids)
    : VocabularyTokenizer(std::move(parts)),
      byte_ids_(byte_ids),
      words_are_separate_(WordsAreSeparate(vocabulary())) {}

void SentencePiece::AppendText(std::string_view text, bool first, std::vector<TokenId>& out) const {
  std::string escaped;
  escaped.reserve(text.size() + text.size() / 2);
  if (first && framing().add_space_prefix) escaped += gguf::kWordStart;
  for (const char c : text) {
    if (c == ' ') {
      escaped += gguf::kWordStart;
    } else {
      escaped.push_back(c);
    }
  }
  Workspace workspace;
  if (escaped.size() >= kMinCachedText) workspace.cache.Enable();
  for (size_t at = 0; at < escaped.size();) {
    const size_t end = words_are_separate_ ? EndOfWord(escaped, at) : escaped.size();
    AppendSegment(std::string_view(escaped).substr(at, end - at), workspace, out);
    at = end;
  }
}

void SentencePiece::AppendSegment(std::string_view text, Workspace& workspace,
                                  std::vector<TokenId>& out) const {
  if (workspace.cache.Append(text, out)) return;
  const size_t before = out.size();
  workspace.pieces.clear();
  for (size_t at = 0; at < text.size();) {
    const uint32_t length = utf8::Decode(text, at).length;
    workspace.pieces.push_back(
        {static_cast<uint32_t>(at), length, FindToken(text.substr(at, length))});
    at += length;
  }
  workspace.loop.Run(workspace.pieces, [&](const Piece& left, const Piece& right) {
    const uint32_t length = left.length + right.length;
    if (length > vocabulary().max_token_bytes()) return Merge{};
    const TokenId id = FindToken(text.substr(left.begin, length));
    return id == TokenIndex::kNone ? Merge{} : Merge{RankOfScore(vocabulary().score(id)), id};
  });
  for (const Piece& piece : workspace.pieces) {
    if (piece.id != Piece::kNone) {
      out.push_back(piece.id);
      continue;
    }
    for (const char byte : text.substr(piece.begin, piece.length)) {
      const TokenId id = byte_ids_[static_cast<uint8_t>(byte)];
      if (id != TokenIndex::kNone) out.push_back(id);
    }
  }
  workspace.cache.Insert(text, std::span(out).subspan(before));
}

std::string SentencePiece::PlainBytes(std::string_view token) const {
  return WordStartsToSpaces(token);
}

}  // namespace vade::tokenizer
