#include "engine/import/token_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::import {
namespace {

using gguf::TokenType;
using nlohmann::json;

constexpr uint64_t kMaxTokens = 1u << 24;
constexpr float kAddedScore = -1000;  // never the result of a merge

// Control tokens by their look, which some makers do not mark as such.
bool LooksSpecial(std::string_view text) {
  constexpr std::array<std::string_view, 4> kNames = {"<pad>", "<mask>", "<2mass>", "[@BOS@]"};
  // U+FF5C, a wide bar, in DeepSeek's.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kBrackets = {
      {{"<|", "|>"}, {"<\xEF\xBD\x9C", "\xEF\xBD\x9C>"}, {"<unused", ">"}}};
  return std::ranges::find(kNames, text) != kNames.end() ||
         std::ranges::any_of(kBrackets, [&](const auto& bracket) {
           return text.starts_with(bracket.first) && text.ends_with(bracket.second);
         });
}

std::string SpacesForWordStarts(std::string text) {
  for (size_t at; (at = text.find(gguf::kWordStart)) != std::string::npos;) {
    text.replace(at, gguf::kWordStart.size(), " ");
  }
  return text;
}

std::optional<uint64_t> IdOf(const std::string& key, const json& token) {
  const auto id = token.find("id");
  if (id != token.end()) {
    return id->is_number_unsigned() ? std::optional(id->get<uint64_t>()) : std::nullopt;
  }
  uint64_t out = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), out);
  return error == std::errc() && end == key.data() + key.size() ? std::optional(out) : std::nullopt;
}

}  // namespace

Result<void> TokenTable::Set(uint64_t id, std::string text, TokenType type, float score,
                             const std::string& where) {
  if (id >= kMaxTokens) {
    return Fail(ErrorCode::kCorruptData, where + ": token id " + std::to_string(id) + ", limit " +
                                             std::to_string(kMaxTokens));
  }
  if (!utf8::IsValid(text) || text.size() > gguf::kMaxTokenBytes) {
    return Fail(ErrorCode::kCorruptData,
                where + ": token " + std::to_string(id) + " is not valid UTF-8 or too long");
  }
  if (tokens_.size() <= id) tokens_.resize(id + 1);
  tokens_[id] = {std::move(text), type, score};
  return {};
}

Result<void> TokenTable::SetAdded(const json& tokens, const std::string& where) {
  for (const auto& [key, token] : tokens.items()) {
    const auto content = token.is_object() ? token.find("content") : token.end();
    const auto id = token.is_object() ? IdOf(key, token) : std::nullopt;
    if (!id || content == token.end() || !content->is_string()) {
      return Fail(ErrorCode::kCorruptData, where + ": an added token without id or content");
    }
    auto text = content->get<std::string>();
    const bool special = token.value("special", json(false)) == true || LooksSpecial(text);
    if (!special) text = SpacesForWordStarts(std::move(text));
    VADE_CHECK_OK(Set(*id, std::move(text), special ? TokenType::kControl : TokenType::kUserDefined,
                      kAddedScore, where));
  }
  return {};
}

std::optional<uint32_t> TokenTable::Find(std::string_view text) const {
  const auto at = std::ranges::find(tokens_, text, &Token::text);
  if (text.empty() || at == tokens_.end()) return std::nullopt;
  return static_cast<uint32_t>(at - tokens_.begin());
}

Result<void> TokenTable::AddTo(gguf::Writer& writer, uint64_t vocab_size, bool with_scores) const {
  if (tokens_.size() > vocab_size) {
    return Fail(ErrorCode::kCorruptData, "the tokenizer has " + std::to_string(tokens_.size()) +
                                             " tokens, the embedding has " +
                                             std::to_string(vocab_size) + " rows");
  }
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<int32_t> types;
  for (uint64_t id = 0; id < vocab_size; ++id) {
    const Token token = id < tokens_.size() ? tokens_[id] : Token();
    const bool unused = token.text.empty() && token.type == TokenType::kUnused;
    texts.push_back(unused ? "[PAD" + std::to_string(id) + "]" : token.text);
    scores.push_back(unused ? kAddedScore : token.score);
    types.push_back(static_cast<int32_t>(token.type));
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  writer.AddArray<std::string_view>("tokenizer.ggml.tokens", views);
  if (with_scores) writer.AddArray<float>("tokenizer.ggml.scores", scores);
  writer.AddArray<int32_t>("tokenizer.ggml.token_type", types);
  return {};
}

}  // namespace vade::import
