// Metadata names and conventions that one folder writes and another reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vade::gguf {

/// Values of tokenizer.ggml.token_type.
enum class TokenType : uint8_t {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

/// Stands for a space inside vocabularies: U+2581, LOWER ONE EIGHTH BLOCK.
inline constexpr std::string_view kWordStart = "\xE2\x96\x81";

/// Longest token accepted, in bytes. The longest in published vocabularies are runs of some hundred
/// spaces; a limit keeps the longest-match search linear.
inline constexpr size_t kMaxTokenBytes = 1024;

// Keys our importer adds to llama.cpp's own. A file without them is read as llama.cpp reads it.

/// string: how text is normalised before WordPiece. The one value is kHuggingFaceNormalizer.
inline constexpr std::string_view kNormalizerKey = "tokenizer.vade.normalizer";
inline constexpr std::string_view kHuggingFaceNormalizer = "bert-hugging-face";
inline constexpr std::string_view kLowercaseKey = "tokenizer.vade.lowercase";         // bool
inline constexpr std::string_view kStripAccentsKey = "tokenizer.vade.strip_accents";  // bool
/// string: "gelu" (exact, erf) or "gelu_new" (tanh).
inline constexpr std::string_view kHiddenActivationKey = "bert.hidden_activation";
/// u32: tokens the sentence encoder was trained for, special ones included; <= context_length.
inline constexpr std::string_view kMaxSequenceLengthKey = "bert.max_sequence_length";

}  // namespace vade::gguf
