// Loading and the way of one word: whole token, cache, merging.
#include "engine/tokenizer/bpe.h"

#include <cstring>
#include <string>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/tokenizer/byte_alphabet.h"
#include "engine/tokenizer/byte_tokens.h"
#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/word_cache.h"

namespace vade::tokenizer {
namespace {

constexpr std::string_view kPreKey = "tokenizer.ggml.pre";
constexpr size_t kMinCachedText = 4096;  // bytes; below, clearing a cache costs more than it saves

Result<const PreTokenizer*> LoadPreTokenizer(const gguf::File& file) {
  VADE_TRY(const auto name, file.Find<std::string_view>(kPreKey));
  VADE_TRY(const std::string_view kind, file.Require<std::string_view>("tokenizer.ggml.model"));
  const std::string_view fallback = kind == "gpt2" ? std::string_view("default") : kind;
  const std::string_view wanted = name && kind == "gpt2" && !name->empty() ? *name : fallback;
  const PreTokenizer* found = PreTokenizer::Find(wanted);
  if (found != nullptr) return found;
  return Fail(ErrorCode::kUnsupported, file.name() + ": " + std::string(kPreKey) + ": got \"" +
                                           utf8::Escape(wanted.substr(0, 64)) +
                                           "\", which this version does not know: text would be "
                                           "split otherwise than the model was trained on");
}

std::array<TokenId, 256> FindAlphabet(const Vocabulary& vocabulary, const TokenIndex& index) {
  std::array<TokenId, 256> out{};
  for (size_t byte = 0; byte < out.size(); ++byte) {
    std::string text;
    utf8::Append(CharOfByte(static_cast<uint8_t>(byte)), text);
    out[byte] = index.Find(vocabulary, text);
  }
  return out;
}

std::string SpacesToWordStarts(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out += gguf::kWordStart;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

struct Bpe::Workspace {
  std::vector<Piece> pieces;
  MergeLoop loop;
  WordCache cache;
};

Result<std::unique_ptr<Tokenizer>> Bpe::Load(const gguf::File& file) {
  VADE_TRY(const PreTokenizer* pre_tokenizer, LoadPreTokenizer(file));
  VADE_TRY(Parts parts, LoadParts(file, {},
                                  {.add_bos = pre_tokenizer->add_bos,
                                   .clean_up_spaces = pre_tokenizer->clean_up_spaces}));
  VADE_TRY(MergeTable merges, MergeTable::Load(file, parts.vocabulary, parts.index));
  const auto byte_ids = pre_tokenizer->byte_level ? FindAlphabet(parts.vocabulary, parts.index)
                                                  : FindByteTokens(parts.vocabulary, parts.index);
  return std::unique_ptr<Tokenizer>(
      new Bpe(std::move(parts), *pre_tokenizer, std::move(merges), byte_ids));
}

Bpe::Bpe(Parts parts, const PreTokenizer& pre_tokenizer, MergeTable merges,
         const std::array<TokenId, 256>& byte_ids)
    : VocabularyTokenizer(std::move(parts)),
      pre_tokenizer_(pre_tokenizer),
      merges_(std::move(merges)),
      byte_ids_(byte_ids) {}

void Bpe::AppendText(std::string_view text, bool /*first*/, std::vector<TokenId>& out) const {
  std::string changed;
  if (!utf8::IsValid(text)) text = changed = utf8::Repair(text);
  if (!pre_tokenizer_.byte_level) text = changed = SpacesToWordStarts(text);
  Workspace workspace;
  if (text.size() >= kMinCachedText) workspace.cache.Enable();
  size_t begin = 0;
  for (const size_t end : pre_tokenizer_.Split(text)) {
    AppendWord(text.substr(begin, end - begin), workspace, out);
    begin = end;
  }
}

void Bpe::AppendWord(std::string_view word, Workspace& workspace, std::vector<TokenId>& out) const {
  if (workspace.cache.Append(word, out)) return;
  const size_t before = out.size();
  if (!AppendWholeWord(word, out)) {
    workspace.pieces.clear();
    for (size_t at = 0; at < word.size();) {
      const uint32_t length = pre_tokenizer_.byte_level ? 1 : utf8::Decode(word, at).length;
      const TokenId id = pre_tokenizer_.byte_level ? byte_ids_[static_cast<uint8_t>(word[at])]
                                                   : FindToken(word.substr(at, length));
      workspace.pieces.push_back({static_cast<uint32_t>(at), length, id});
      at += length;
    }
    workspace.loop.Run(workspace.pieces, [this](const Piece& left, const Piece& right) {
      return left.id < 0 || right.id < 0 ? Merge{} : merges_.Find(left.id, right.id);
    });
    for (const Piece& piece : workspace.pieces) {
      AppendPiece(word.substr(piece.begin, piece.length), piece.id, out);
    }
  }
  workspace.cache.Insert(word, std::span(out).subspan(before));
}

bool Bpe::AppendWholeWord(std::string_view word, std::vector<TokenId>& out) const {
  // Gemma's pieces are lines; only runs of line breaks are looked up as a whole there.
  const bool breaks = !pre_tokenizer_.byte_level && word.front() == '\n';
  if (!pre_tokenizer_.whole_words && !breaks) return false;
  if (word.size() > vocabulary().max_token_bytes()) return false;
  const TokenId id = pre_tokenizer_.byte_level ? FindToken(ToByteAlphabet(word)) : FindToken(word);
  if (id == TokenIndex::kNone) return false;
  out.push_back(id);
  return true;
}

// A piece that is no token is written byte by byte, as far as there are tokens for that.
void Bpe::AppendPiece(std::string_view bytes, TokenId id, std::vector<TokenId>& out) const {
  if (id != Piece::kNone) {
    out.push_back(id);
    return;
  }
  for (const char byte : bytes) {
    const TokenId byte_id = byte_ids_[static_cast<uint8_t>(byte)];
    if (byte_id != TokenIndex::kNone) out.push_back(byte_id);
  }
}

std::string Bpe::PlainBytes(std::string_view token) const {
  return pre_tokenizer_.byte_level ? FromByteAlphabet(token) : WordStartsToSpaces(token);
}

}  // namespace vade::tokenizer
