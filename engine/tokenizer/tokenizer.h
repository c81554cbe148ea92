// Text <-> token ids of a model, whatever the kind of its vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/gguf/file.h"

namespace vade::tokenizer {

using TokenId = int32_t;

/// Ids a vocabulary gives a role. All present ones are inside the vocabulary.
struct SpecialIds {
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  std::optional<TokenId> unk;
  std::optional<TokenId> sep;
  std::optional<TokenId> pad;
  std::optional<TokenId> cls;
  std::optional<TokenId> mask;
  std::optional<TokenId> eot;  // end of a turn in a chat, where the file names one
};

struct DecodeOptions {
  bool remove_added = false;   // drop what add_special put at the ends
  bool render_special = true;  // write control tokens as their text ("[SEP]"), else as nothing
};

/// Immutable and thread-safe. Encode never fails: any bytes are text (invalid UTF-8 reads as
/// U+FFFD). User text is encoded with parse_special false, so that "[SEP]" written in a document is
/// five characters and not a control token (faults.md 20).
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Chosen by the key tokenizer.ggml.model. The tokenizer copies what it needs from the file.
  /// Errors: kUnsupported for a kind we do not have; kCorruptData for special ids outside the
  /// vocabulary, arrays of different lengths, over-long tokens.
  [[nodiscard]] static Result<std::unique_ptr<Tokenizer>> Load(const gguf::File& file);

  /// add_special: what the model expects around a text ([CLS] ... [SEP]).
  /// parse_special: control tokens written in the text become their ids.
  [[nodiscard]] virtual std::vector<TokenId> Encode(std::string_view text, bool add_special,
                                                    bool parse_special) const = 0;

  /// Encode(text, false, false).size() without storing the ids.
  [[nodiscard]] virtual size_t Count(std::string_view text) const = 0;

  /// Ids outside the vocabulary are skipped.
  [[nodiscard]] virtual std::string Decode(std::span<const TokenId> ids,
                                           const DecodeOptions& options) const = 0;

  /// The bytes one token stands for, spaces as spaces; a control token gives its name ("[SEP]",
  /// "<|im_end|>"), so ask IsControl before writing it out. The bytes may end inside a UTF-8
  /// character. Joined over a sequence they are Decode's text, except for the space that some kinds
  /// put before a text and what others do to spaces at punctuation. Empty outside the vocabulary.
  [[nodiscard]] virtual std::string TokenText(TokenId id) const = 0;
  /// Control and unknown tokens: they stand for no text.
  [[nodiscard]] virtual bool IsControl(TokenId id) const noexcept = 0;
  /// True where a model says that it has finished: end of sequence, of a turn, of a message.
  [[nodiscard]] virtual bool IsEndOfGeneration(TokenId id) const noexcept = 0;

  [[nodiscard]] virtual size_t vocab_size() const noexcept = 0;
  [[nodiscard]] virtual const SpecialIds& special_ids() const noexcept = 0;
  /// How many ids add_special adds to a text: 2 for [CLS] ... [SEP].
  [[nodiscard]] virtual size_t num_added() const noexcept = 0;
};

}  // namespace vade::tokenizer
