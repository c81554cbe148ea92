// libFuzzer target: any text through each kind of tokenizer and back. The first byte chooses the
// vocabulary: byte-level BPE by each rule for pieces, SentencePiece, unigram.
//   tokenizer_fuzz CORPUS -max_len=4096 -timeout=5 -rss_limit_mb=512
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "engine/base/utf8.h"
#include "engine/gguf/file.h"
#include "engine/tokenizer/stream_decoder.h"
#include "tests/engine/tokenizer/tiny_vocabulary.h"

namespace {

using vade::tokenizer::StreamDecoder;
using vade::tokenizer::TinyVocabulary;
using vade::tokenizer::TokenId;
using vade::tokenizer::Tokenizer;

std::unique_ptr<Tokenizer> Load(TinyVocabulary vocabulary) {
  const std::string bytes = vocabulary.ToBytes();
  auto file = vade::gguf::File::Parse(std::as_bytes(std::span(bytes)), "fuzz");
  auto tokenizer = Tokenizer::Load(*file);
  if (!tokenizer) std::abort();
  return std::move(*tokenizer);
}

std::unique_ptr<Tokenizer> LoadBpe(std::string_view pre) {
  TinyVocabulary vocabulary = TinyVocabulary::OfBytes(pre);
  vocabulary.AddMerge("a", "a");
  vocabulary.AddMerge("aa", "aa");
  vocabulary.AddMerge("a", "b");
  vocabulary.Add("<|im_end|>", vade::gguf::TokenType::kControl);
  vocabulary.Add("<u>", vade::gguf::TokenType::kUserDefined);
  return Load(std::move(vocabulary));
}

std::unique_ptr<Tokenizer> LoadPieces(const char* kind) {
  TinyVocabulary vocabulary = TinyVocabulary::OfSentencePiece();
  vocabulary.writer = {};
  vocabulary.writer.Add("tokenizer.ggml.model", kind);
  const std::string space(vade::gguf::kWordStart);
  float score = 0;
  for (const std::string& text : {space, std::string("a"), space + "a", std::string("aa"),
                                  std::string("ab"), space + space}) {
    vocabulary.Add(text, vade::gguf::TokenType::kNormal, score -= 1);
  }
  return Load(std::move(vocabulary));
}

const auto& Tokenizers() {
  static const auto kAll = [] {
    std::array<std::unique_ptr<Tokenizer>, 15> all;
    size_t i = 0;
    for (const char* pre :
         {"default", "gpt-2", "llama-bpe", "qwen2", "qwen35", "deepseek-llm", "deepseek-coder",
          "deepseek-v3", "falcon", "starcoder", "tekken", "gpt-4o", "viking"}) {
      all[i++] = LoadBpe(pre);
    }
    all[i++] = LoadPieces("llama");
    all[i++] = LoadPieces("t5");
    return all;
  }();
  return kAll;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t kind = data[0] % Tokenizers().size();
  const Tokenizer& tokenizer = *Tokenizers()[kind];
  const std::string text(data + 1, data + size);
  const auto ids = tokenizer.Encode(text, false, false);
  if (ids.size() != tokenizer.Count(text)) std::abort();
  static_cast<void>(tokenizer.Decode(tokenizer.Encode(text, true, true), {}));
  StreamDecoder decoder(tokenizer);
  std::string streamed;
  for (const TokenId id : ids) {
    if (tokenizer.IsControl(id) && kind < 13) std::abort();  // faults.md 20
    streamed += decoder.Push(id);
    if (!vade::utf8::IsValid(streamed)) std::abort();
  }
  streamed += decoder.Finish();
  if (kind < 13 && streamed != vade::utf8::Repair(text)) std::abort();  // nothing is lost
  return 0;
}
