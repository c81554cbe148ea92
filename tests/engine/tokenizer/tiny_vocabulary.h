// Small vocabularies of each kind, as GGUF images in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/utf8.h"
#include "engine/gguf/names.h"
#include "engine/gguf/writer.h"
#include "engine/tokenizer/byte_alphabet.h"
#include "engine/tokenizer/tokenizer.h"
#include "tests/support/gguf_builder.h"

namespace vade::tokenizer {

/// What goes into a file. Add what a test needs, then Load.
struct TinyVocabulary {
  gguf::Writer writer;
  std::vector<std::string> tokens;
  std::vector<int32_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;

  TokenId Add(std::string text, gguf::TokenType type = gguf::TokenType::kNormal, float score = 0) {
    tokens.push_back(std::move(text));
    types.push_back(static_cast<int32_t>(type));
    scores.push_back(score);
    return static_cast<TokenId>(tokens.size() - 1);
  }

  /// A merge and the token it makes.
  TokenId AddMerge(const std::string& left, const std::string& right) {
    merges.push_back(left + " " + right);
    return Add(left + right);
  }

  /// The bytes of the finished file.
  [[nodiscard]] std::string ToBytes() {
    const auto views = [](const std::vector<std::string>& texts) {
      return std::vector<std::string_view>(texts.begin(), texts.end());
    };
    writer.AddArray<std::string_view>("tokenizer.ggml.tokens", views(tokens));
    writer.AddArray<int32_t>("tokenizer.ggml.token_type", types);
    writer.AddArray<float>("tokenizer.ggml.scores", scores);
    writer.AddArray<std::string_view>("tokenizer.ggml.merges", views(merges));
    return writer.ToBytes().value();
  }

  [[nodiscard]] Result<std::unique_ptr<Tokenizer>> Load() {
    const std::string bytes = ToBytes();
    return Tokenizer::Load(testing::ParseGguf(bytes).value());
  }

  /// 256 bytes as ids 0 to 255, no merges.
  static TinyVocabulary OfBytes(std::string_view pre) {
    TinyVocabulary out;
    out.writer.Add("tokenizer.ggml.model", "gpt2");
    out.writer.Add("tokenizer.ggml.pre", std::string(pre));
    for (int byte = 0; byte < 256; ++byte) {
      out.Add(ToByteAlphabet(std::string(1, static_cast<char>(byte))));
    }
    return out;
  }

  /// <unk> <s> </s>, the byte tokens as ids 3 to 258.
  static TinyVocabulary OfSentencePiece() {
    TinyVocabulary out;
    out.writer.Add("tokenizer.ggml.model", "llama");
    out.Add("<unk>", gguf::TokenType::kUnknown);
    out.Add("<s>", gguf::TokenType::kControl);
    out.Add("</s>", gguf::TokenType::kControl);
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    for (size_t byte = 0; byte < 256; ++byte) {
      out.Add({'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'}, gguf::TokenType::kByte);
    }
    return out;
  }
};

}  // namespace vade::tokenizer
