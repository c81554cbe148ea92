// A language model that is a rule: the next letter depends on the last two tokens. Text runs into
// loops soon, as a quoted context does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/decoder_engine.h"

namespace vade::testing {

using tokenizer::TokenId;

/// Tokens 0 ... 255 are bytes; then the control tokens.
class ByteTokenizer : public tokenizer::Tokenizer {
 public:
  static constexpr TokenId kEnd = 256;    // "<|im_end|>"
  static constexpr TokenId kStart = 257;  // "<|im_start|>"
  static constexpr size_t kVocab = 258;

  std::vector<TokenId> Encode(std::string_view text, bool, bool parse_special) const override {
    std::vector<TokenId> ids;
    for (size_t at = 0; at < text.size();) {
      const TokenId special = parse_special ? SpecialAt(text.substr(at)) : -1;
      ids.push_back(special >= 0 ? special : static_cast<unsigned char>(text[at]));
      at += special >= 0 ? TokenText(special).size() : 1;
    }
    return ids;
  }
  size_t Count(std::string_view text) const override { return text.size(); }
  std::string Decode(std::span<const TokenId> ids, const tokenizer::DecodeOptions&) const override {
    std::string text;
    for (const TokenId id : ids) text += TokenText(id);
    return text;
  }
  std::string TokenText(TokenId id) const override {
    if (id == kEnd) return "<|im_end|>";
    if (id == kStart) return "<|im_start|>";
    return id >= 0 && id < 256 ? std::string(1, static_cast<char>(id)) : "";
  }
  bool IsControl(TokenId id) const noexcept override { return id >= 256; }
  bool IsEndOfGeneration(TokenId id) const noexcept override { return id == kEnd; }
  size_t vocab_size() const noexcept override { return kVocab; }
  const tokenizer::SpecialIds& special_ids() const noexcept override { return special_; }
  size_t num_added() const noexcept override { return 0; }

 private:
  TokenId SpecialAt(std::string_view text) const {
    for (const TokenId id : {kEnd, kStart}) {
      if (text.starts_with(TokenText(id))) return id;
    }
    return -1;
  }
  tokenizer::SpecialIds special_;
};

class FakeDecoder : public engine::DecoderEngine {
 public:
  explicit FakeDecoder(size_t context_length = 256) : context_(context_length) {}

  const tokenizer::Tokenizer& tokenizer() const override { return tokenizer_; }
  size_t vocab_size() const override { return ByteTokenizer::kVocab; }
  size_t context_length() const override { return context_; }
  size_t trained_context_length() const override { return context_; }
  std::string_view name() const override { return "fake"; }
  std::string_view architecture() const override { return "fake"; }
  std::string_view chat_template() const override { return ""; }
  const engine::DecoderMemory& memory() const override { return memory_; }
  size_t num_threads() const override { return 1; }

  engine::SequenceId NewSequence() override {
    sequences_[next_];
    return next_++;
  }
  engine::SequenceId Fork(engine::SequenceId id, size_t length) override {
    auto tokens = sequences_.at(id);
    tokens.resize(length);
    sequences_[next_] = std::move(tokens);
    return next_++;
  }
  void Truncate(engine::SequenceId id, size_t length) override { sequences_.at(id).resize(length); }
  void Remove(engine::SequenceId id) override { sequences_.erase(id); }
  size_t Length(engine::SequenceId id) const override { return sequences_.at(id).size(); }
  size_t Room(engine::SequenceId id) const override { return context_ - Length(id); }
  engine::CachePages cache_pages() const override {
    engine::CachePages pages{1, cache_tokens, 0};
    for (const auto& [id, tokens] : sequences_) pages.used += tokens.size();
    return pages;
  }

  Result<std::span<const float>> Forward(std::span<const engine::BatchToken> batch,
                                         const CancelToken* cancel) override {
    ++num_passes;
    num_rows += batch.size();
    most_rows = std::max(most_rows, batch.size());
    for (const auto& row : batch) {
      if (row.token == poison) return Fail(ErrorCode::kInternal, "non-finite logits");
    }
    if (cancel != nullptr && cancel->cancelled()) return Fail(ErrorCode::kCancelled, "stop");
    logits_.clear();
    for (const auto& row : batch) {
      auto& tokens = sequences_.at(row.sequence);
      if (tokens.size() == context_) return Fail(ErrorCode::kInvalidArgument, "context overrun");
      tokens.push_back(row.token);
      if (row.wants_logits) AddLogits(tokens);
    }
    return std::span<const float>(logits_);
  }

  size_t num_passes = 0;
  size_t num_rows = 0;
  size_t most_rows = 0;  // of a pass
  size_t cache_tokens = size_t{1} << 20;
  std::optional<TokenId> poison;      // a pass with this token fails
  std::optional<std::string> script;  // written after the prompt's last newline, then the end

 private:
  void AddLogits(const std::vector<TokenId>& tokens) {
    std::vector<float> row(vocab_size(), -20);
    if (script) {
      size_t written = 0;
      while (written < tokens.size() && tokens[tokens.size() - 1 - written] != '\n') ++written;
      const bool more = written < script->size();
      row[more ? static_cast<unsigned char>((*script)[written]) : ByteTokenizer::kEnd] = 20;
    } else {
      const size_t n = tokens.size();
      const uint64_t last = static_cast<uint64_t>(tokens[n - 1]);
      const uint64_t before = n > 1 ? static_cast<uint64_t>(tokens[n - 2]) : 0;
      uint64_t state = last * 0x9E3779B97F4A7C15u + before * 0xC2B2AE3D27D4EB4Fu + 1;
      for (size_t letter = 'a'; letter <= 'z'; ++letter) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        row[letter] = static_cast<float>(state >> 40) / static_cast<float>(1 << 22);
      }
    }
    logits_.insert(logits_.end(), row.begin(), row.end());
  }

  ByteTokenizer tokenizer_;
  engine::DecoderMemory memory_;
  size_t context_;
  engine::SequenceId next_ = 0;
  std::map<engine::SequenceId, std::vector<TokenId>> sequences_;
  std::vector<float> logits_;
};

}  // namespace vade::testing
