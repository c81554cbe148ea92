// BERT's text cleaning: control characters dropped, lower case, accents stripped, punctuation and
// Chinese characters split off as words of their own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/utf8.h"

namespace vade::tokenizer {

/// Two programs disagree on details, and a model file says which one it follows.
struct BertNormalizerOptions {
  /// true: as Hugging Face's tokenizers, with which the models were trained. A character's whole
  /// canonical decomposition is kept (Hangul becomes its jamo).
  /// false: as llama.cpp reads its own files: only the first code point of a decomposition is kept,
  /// and spacing vowel signs go with the accents.
  bool hugging_face = false;
  bool lowercase = true;
  bool strip_accents = true;
};

/// What one input code point becomes.
struct CleanChar {
  enum class Kind : uint8_t { kDrop, kSpace, kAlone, kLetter };
  Kind kind = Kind::kDrop;
  uint8_t size = 0;    // bytes of text used by kAlone and kLetter
  char text[14] = {};  // UTF-8
};

/// Thread-safe, immutable.
class BertNormalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options);

  /// Calls word(std::string_view) for each word of `text`, in order; linear in the text.
  template <typename WordSink>
  void ForEachWord(std::string_view text, const WordSink& sink) const {
    std::string word;
    const auto flush = [&] {
      if (!word.empty()) sink(std::string_view(word));
      word.clear();
    };
    for (size_t at = 0; at < text.size();) {
      const auto byte = static_cast<uint8_t>(text[at]);
      CleanChar slow;
      const CleanChar* clean = &slow;
      if (byte < 0x80) {
        clean = &ascii_[byte];
        ++at;
      } else {
        const utf8::CodePoint c = utf8::Decode(text, at);
        slow = Clean(c.value);
        at += c.length;
      }
      switch (clean->kind) {
        case CleanChar::Kind::kDrop:
          break;
        case CleanChar::Kind::kSpace:
          flush();
          break;
        case CleanChar::Kind::kAlone:
          flush();
          sink(std::string_view(clean->text, clean->size));
          break;
        case CleanChar::Kind::kLetter:
          word.append(clean->text, clean->size);
          break;
      }
    }
    flush();
  }

 private:
  [[nodiscard]] CleanChar Clean(char32_t c) const;

  BertNormalizerOptions options_;
  std::array<CleanChar, 128> ascii_;
};

}  // namespace vade::tokenizer
