#include "engine/pair_format.h"

#include <algorithm>
#include <array>

namespace vade::engine {
namespace {

using tokenizer::SpecialIds;
using tokenizer::TokenId;
using tokenizer::Tokenizer;

constexpr std::string_view kQuery = "{query}";
constexpr std::string_view kDocument = "{document}";

// Pre-tokenizers of models that separate texts by one more token unless the file denies it.
constexpr std::array<std::string_view, 3> kSeparating = {"jina-v1-en", "jina-v2-code",
                                                         "roberta-bpe"};

Result<bool> AddsSeparator(const gguf::File& file) {
  VADE_TRY(const auto given, file.Find<bool>("tokenizer.ggml.add_sep_token"));
  VADE_TRY(const auto pre, file.Find<std::string_view>("tokenizer.ggml.pre"));
  return given.value_or(std::ranges::find(kSeparating, pre.value_or("")) != kSeparating.end());
}

}  // namespace

Result<PairFormat> PairFormat::Read(const gguf::File& file, const Tokenizer& tokenizer) {
  PairFormat format(tokenizer);
  VADE_TRY(const auto prompt, file.Find<std::string_view>("tokenizer.chat_template.rerank"));
  if (prompt && !prompt->empty()) {
    format.prompt_ = *prompt;
    format.guard_.emplace(tokenizer);
    return format;
  }
  const SpecialIds& ids = tokenizer.special_ids();
  const std::vector<TokenId> frame = tokenizer.Encode("", true, false);
  if (!frame.empty() && (frame.front() == ids.bos || frame.front() == ids.cls)) {
    format.start_ = {frame.front()};
  }
  if (frame.size() > format.start_.size() && (frame.back() == ids.eos || frame.back() == ids.sep)) {
    format.between_ = format.end_ = {frame.back()};
  }
  VADE_TRY(const auto model, file.Find<std::string_view>("tokenizer.ggml.model"));
  VADE_TRY(const bool separator, AddsSeparator(file));
  // WordPiece ends its texts with the separator itself.
  if (separator && model.value_or("") != "bert" && ids.sep) format.between_.push_back(*ids.sep);
  return format;
}

std::vector<TokenId> PairFormat::Encode(std::string_view query, std::string_view document) const {
  if (guard_) {
    NameGuard guard = *guard_;
    std::string rendered;
    for (std::string_view rest = prompt_; !rest.empty();) {
      if (rest.starts_with(kQuery)) {
        rendered += guard.Hide(query);
        rest.remove_prefix(kQuery.size());
      } else if (rest.starts_with(kDocument)) {
        rendered += guard.Hide(document);
        rest.remove_prefix(kDocument.size());
      } else {
        rendered += rest.front();
        rest.remove_prefix(1);
      }
    }
    std::string text;
    return guard.Encode(rendered, text);
  }
  std::vector<TokenId> out;
  const auto append = [&](const std::vector<TokenId>& ids) {
    out.insert(out.end(), ids.begin(), ids.end());
  };
  append(start_);
  append(tokenizer_->Encode(query, false, false));
  append(between_);
  append(tokenizer_->Encode(document, false, false));
  append(end_);
  return out;
}

}  // namespace vade::engine
