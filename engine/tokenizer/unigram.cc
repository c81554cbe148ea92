// Normalising and the Viterbi search: O(text * longest token).
#include "engine/tokenizer/unigram.h"

#include <algorithm>
#include <cfloat>
#include <string>
#include <utility>

#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/tokenizer/detokenize.h"

namespace vade::tokenizer {
namespace {

constexpr SpecialIds kDefaults = {.eos = 1, .unk = 2, .pad = 0};
constexpr float kUnknownPenalty = 10;  // below the least probable token, as SentencePiece has it

}  // namespace

Result<std::unique_ptr<Tokenizer>> Unigram::Load(const gguf::File& file) {
  VADE_TRY(Parts parts, LoadParts(file, kDefaults, {.add_eos = true}));
  VADE_TRY(Charsmap charsmap, Charsmap::Load(file));
  VADE_TRY(const auto merge_spaces, file.Find<bool>("tokenizer.ggml.remove_extra_whitespaces"));
  return std::unique_ptr<Tokenizer>(
      new Unigram(std::move(parts), std::move(charsmap), merge_spaces.value_or(false)));
}

Unigram::Unigram(Parts parts, Charsmap charsmap, bool merge_spaces)
    : VocabularyTokenizer(std::move(parts)),
      charsmap_(std::move(charsmap)),
      merge_spaces_(merge_spaces) {
  float least = FLT_MAX;
  for (size_t i = 0; i < vocabulary().size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const TokenType type = vocabulary().type(id);
    if (type == TokenType::kNormal) least = std::min(least, vocabulary().score(id));
    const bool matches =
        type == TokenType::kNormal || type == TokenType::kUserDefined || type == TokenType::kUnused;
    if (matches && !vocabulary().text(id).empty()) tokens_.Insert(vocabulary().text(id), id);
  }
  unknown_score_ = least - kUnknownPenalty;
}

std::string Unigram::Normalize(std::string_view text) const {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  bool in_word = false;
  bool prefix_due = framing().add_space_prefix;
  const auto add = [&](std::string_view piece) {
    for (const char c : piece) {
      if (c == ' ') {
        in_word = false;
        if (!merge_spaces_) out += gguf::kWordStart;
        continue;
      }
      if (!in_word && (prefix_due || merge_spaces_)) {
        out += gguf::kWordStart;
        prefix_due = false;
      }
      in_word = true;
      out.push_back(c);
    }
  };
  for (size_t at = 0; at < text.size();) {
    const Charsmap::Match match = charsmap_.LongestPrefix(text.substr(at));
    if (match.length > 0) {
      add(match.replacement);
      at += match.length;
      continue;
    }
    const utf8::CodePoint c = utf8::Decode(text, at);
    add(c.valid ? text.substr(at, c.length) : std::string_view("\xEF\xBF\xBD"));
    at += c.length;
  }
  return out;
}

void Unigram::AppendText(std::string_view text, bool /*first*/, std::vector<TokenId>& out) const {
  const std::string normalized = Normalize(text);
  const TokenId unknown = *special_ids().unk;  // has a default
  struct Best {
    double score = -DBL_MAX;
    size_t begin = 0;  // of the last token
    TokenId id = 0;
  };
  std::vector<Best> best(normalized.size() + 1);  // [i]: of the first i bytes
  best[0].score = 0;
  const auto offer = [&](size_t begin, size_t end, TokenId id, double score) {
    const double sum = best[begin].score + score;
    if (sum > best[end].score) best[end] = {sum, begin, id};
  };
  for (size_t begin = 0; begin < normalized.size();) {
    const size_t next = begin + utf8::Decode(normalized, begin).length;
    bool whole_character = false;  // is a token by itself
    Trie::Node node = Trie::kRoot;
    for (size_t end = begin; end < normalized.size();) {
      node = tokens_.Step(node, static_cast<uint8_t>(normalized[end++]));
      if (node == Trie::kNone) break;
      const TokenId id = tokens_.ValueAt(node);
      if (id == Trie::kNoValue) continue;
      whole_character = whole_character || end == next;
      const bool user_defined = vocabulary().type(id) == TokenType::kUserDefined;
      offer(begin, end, id, user_defined ? 0.0 : double{vocabulary().score(id)});
    }
    if (!whole_character) offer(begin, next, unknown, unknown_score_);
    begin = next;
  }
  const size_t before = out.size();
  for (size_t end = normalized.size(); end > 0; end = best[end].begin) {
    const bool repeats = out.size() > before && out.back() == unknown && best[end].id == unknown;
    if (!repeats) out.push_back(best[end].id);
  }
  std::reverse(out.begin() + static_cast<ptrdiff_t>(before), out.end());
}

std::string Unigram::PlainBytes(std::string_view token) const { return WordStartsToSpaces(token); }

}  // namespace vade::tokenizer
