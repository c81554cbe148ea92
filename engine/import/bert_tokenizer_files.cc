// tokenizer.json first, vocab.txt otherwise; both give the same tokens.
#include "engine/import/bert_tokenizer_files.h"

#include <algorithm>
#include <array>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/import/json_file.h"

namespace vade::import {
namespace {

using gguf::TokenType;
using nlohmann::json;

constexpr uint64_t kMaxVocabBytes = uint64_t{64} << 20;
constexpr uint32_t kMaxVocab = 1u << 24;
constexpr std::array<std::string_view, 5> kSpecialTokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                                            "[MASK]"};

Result<void> SetToken(const std::string& file, uint64_t id, std::string text,
                      BertTokenizerFiles& out) {
  if (id >= kMaxVocab) {
    return Fail(ErrorCode::kCorruptData,
                file + ": token id " + std::to_string(id) + ", limit " + std::to_string(kMaxVocab));
  }
  if (!utf8::IsValid(text) || text.size() > gguf::kMaxTokenBytes) {
    return Fail(ErrorCode::kCorruptData,
                file + ": token " + std::to_string(id) + " is not valid UTF-8 or too long");
  }
  if (out.tokens.size() <= id) out.tokens.resize(id + 1);
  out.tokens[id] = std::move(text);
  return {};
}

void MarkSpecial(BertTokenizerFiles& out) {
  out.special.assign(out.tokens.size(), false);
  for (size_t i = 0; i < out.tokens.size(); ++i) {
    out.special[i] = std::ranges::find(kSpecialTokens, out.tokens[i]) != kSpecialTokens.end();
  }
}

Result<void> RequireString(const JsonObject& object, const char* key, const std::string& want) {
  VADE_TRY(const std::string got, object.GetString(key, want));
  if (got == want) return {};
  return Fail(ErrorCode::kUnsupported, object.name() + ": \"" + key + "\" is \"" +
                                           utf8::Escape(got) + "\", want \"" + want + "\"");
}

Result<void> RequireTrue(const JsonObject& object, const char* key) {
  VADE_TRY(const bool got, object.GetBool(key, true));
  if (got) return {};
  return Fail(ErrorCode::kUnsupported, object.name() + ": \"" + key + "\" is false, want true");
}

// The named member as an object of its own; an absent one is empty.
Result<JsonObject> Member(const JsonObject& parent, const char* key) {
  const json* value = parent.Find(key);
  if (value != nullptr && !value->is_object()) {
    return Fail(ErrorCode::kCorruptData, parent.name() + ": \"" + key + "\" is not an object");
  }
  return JsonObject(value != nullptr ? *value : json::object(), parent.name() + ": " + key);
}

Result<void> ReadLowercase(const JsonObject& object, const char* key, BertTokenizerFiles& out) {
  VADE_TRY(out.lowercase, object.GetBool(key, true));
  VADE_TRY(out.strip_accents, object.GetBool("strip_accents", out.lowercase));
  return {};
}

Result<BertTokenizerFiles> FromTokenizerJson(const JsonObject& root) {
  BertTokenizerFiles out;
  VADE_TRY(const JsonObject model, Member(root, "model"));
  VADE_CHECK_OK(RequireString(model, "type", "WordPiece"));
  VADE_CHECK_OK(RequireString(model, "continuing_subword_prefix", "##"));
  VADE_CHECK_OK(RequireString(model, "unk_token", "[UNK]"));
  VADE_TRY(const JsonObject normalizer, Member(root, "normalizer"));
  VADE_CHECK_OK(RequireString(normalizer, "type", "BertNormalizer"));
  VADE_CHECK_OK(RequireTrue(normalizer, "clean_text"));
  VADE_CHECK_OK(RequireTrue(normalizer, "handle_chinese_chars"));
  VADE_CHECK_OK(ReadLowercase(normalizer, "lowercase", out));
  VADE_TRY(const JsonObject pre_tokenizer, Member(root, "pre_tokenizer"));
  VADE_CHECK_OK(RequireString(pre_tokenizer, "type", "BertPreTokenizer"));
  VADE_TRY(const JsonObject vocab, Member(model, "vocab"));
  for (const auto& [text, id] : vocab.json().items()) {
    if (!id.is_number_unsigned()) {
      return Fail(ErrorCode::kCorruptData,
                  vocab.name() + ": id of \"" + utf8::Escape(text) + "\" is not a number");
    }
    VADE_CHECK_OK(SetToken(vocab.name(), id.get<uint64_t>(), text, out));
  }
  return out;
}

Result<BertTokenizerFiles> FromVocabTxt(const std::filesystem::path& folder) {
  BertTokenizerFiles out;
  const std::string name = utf8::Escape((folder / "vocab.txt").native());
  VADE_TRY(const std::string text, ReadFile(folder / "vocab.txt", kMaxVocabBytes));
  std::string_view rest = text;
  for (uint64_t id = 0; !rest.empty(); ++id) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    VADE_CHECK_OK(SetToken(name, id, std::string(line), out));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto config = JsonObject::Read(folder / "tokenizer_config.json");
  if (config) {
    VADE_CHECK_OK(RequireTrue(*config, "tokenize_chinese_chars"));
    VADE_CHECK_OK(ReadLowercase(*config, "do_lower_case", out));
  } else if (config.error().code != ErrorCode::kNotFound) {
    return tl::unexpected(config.error());
  }
  return out;
}

// "[CLS]" stays, "##ing" becomes "ing", "the" becomes U+2581 "the".
std::string ToGgufToken(const std::string& token) {
  const bool bracketed = token.size() > 2 && token.front() == '[' && token.back() == ']';
  if (bracketed) return token;
  if (token.size() > 2 && token.starts_with("##")) return token.substr(2);
  return std::string(gguf::kWordStart) + token;
}

}  // namespace

Result<BertTokenizerFiles> ReadBertTokenizer(const std::filesystem::path& folder) {
  const auto root = JsonObject::Read(folder / "tokenizer.json");
  if (!root && root.error().code != ErrorCode::kNotFound) return tl::unexpected(root.error());
  VADE_TRY(BertTokenizerFiles out, root ? FromTokenizerJson(*root) : FromVocabTxt(folder));
  MarkSpecial(out);
  return out;
}

Result<void> AddBertTokenizer(const BertTokenizerFiles& files, uint32_t vocab_size,
                              uint32_t token_type_count, gguf::Writer& writer) {
  if (files.tokens.size() > vocab_size) {
    return Fail(ErrorCode::kCorruptData,
                "the tokenizer has " + std::to_string(files.tokens.size()) +
                    " tokens, the model's vocab_size is " + std::to_string(vocab_size));
  }
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  for (uint32_t i = 0; i < vocab_size; ++i) {
    const bool used = i < files.tokens.size() && !files.tokens[i].empty();
    tokens.push_back(used ? ToGgufToken(files.tokens[i]) : "[PAD" + std::to_string(i) + "]");
    const TokenType type = !used              ? TokenType::kUnused
                           : files.special[i] ? TokenType::kControl
                                              : TokenType::kNormal;
    types.push_back(static_cast<int32_t>(type));
  }
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  writer.Add("tokenizer.ggml.model", "bert");
  writer.Add("tokenizer.ggml.pre", "default");
  writer.AddArray<std::string_view>("tokenizer.ggml.tokens", views);
  writer.AddArray<int32_t>("tokenizer.ggml.token_type", types);
  writer.Add("tokenizer.ggml.token_type_count", token_type_count);
  writer.Add(gguf::kNormalizerKey, gguf::kHuggingFaceNormalizer);
  writer.Add(gguf::kLowercaseKey, files.lowercase);
  writer.Add(gguf::kStripAccentsKey, files.strip_accents);
  // "seperator" is how the format spells it.
  constexpr std::array<std::string_view, 5> kRoles = {"padding", "unknown", "cls", "seperator",
                                                      "mask"};
  for (size_t i = 0; i < kRoles.size(); ++i) {
    const auto it = std::ranges::find(files.tokens, kSpecialTokens[i]);
    const bool required = kRoles[i] != "padding" && kRoles[i] != "mask";
    if (it == files.tokens.end() && required) {
      return Fail(ErrorCode::kCorruptData,
                  "the tokenizer has no " + std::string(kSpecialTokens[i]) + " token");
    }
    if (it == files.tokens.end()) continue;
    const auto id = static_cast<uint32_t>(it - files.tokens.begin());
    writer.Add("tokenizer.ggml." + std::string(kRoles[i]) + "_token_id", id);
  }
  return {};
}

}  // namespace vade::import
