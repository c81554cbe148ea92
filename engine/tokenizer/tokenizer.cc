// The kinds of vocabulary this program has.
#include "engine/tokenizer/tokenizer.h"

#include "engine/base/utf8.h"
#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/sentencepiece.h"
#include "engine/tokenizer/unigram.h"
#include "engine/tokenizer/wordpiece.h"

namespace vade::tokenizer {

Result<std::unique_ptr<Tokenizer>> Tokenizer::Load(const gguf::File& file) {
  VADE_TRY(const std::string_view kind, file.Require<std::string_view>("tokenizer.ggml.model"));
  if (kind == "bert") return WordPiece::Load(file);
  if (kind == "gpt2" || kind == "gemma4") return Bpe::Load(file);
  if (kind == "llama") return SentencePiece::Load(file);
  if (kind == "t5") return Unigram::Load(file);
  return Fail(ErrorCode::kUnsupported, file.name() + ": tokenizer.ggml.model: got \"" +
                                           utf8::Escape(kind.substr(0, 64)) +
                                           "\", this version has: bert, gpt2, gemma4, llama, t5");
}

}  // namespace vade::tokenizer
