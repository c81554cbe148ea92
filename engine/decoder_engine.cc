#include "engine/decoder_engine.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/thread_pool.h"
#include "engine/gguf/file.h"
#include "engine/kernels/kernels.h"
#include "engine/model/decoder.h"

namespace vade::engine {
namespace {

std::string TextOr(const gguf::File& file, std::string_view key, std::string fallback) {
  const auto text = file.Find<std::string_view>(key);
  if (text && *text && !(*text)->empty()) return std::string(**text);
  return fallback;
}

class LocalDecoder final : public DecoderEngine {
 public:
  LocalDecoder(std::string name, std::unique_ptr<ThreadPool> pool, model::Decoder decoder,
               std::unique_ptr<tokenizer::Tokenizer> tokenizer)
      : name_(std::move(name)),
        pool_(std::move(pool)),
        decoder_(std::move(decoder)),
        tokenizer_(std::move(tokenizer)),
        chat_template_(TextOr(decoder_.file(), "tokenizer.chat_template", "")),
        cache_(decoder_.MakeCache()),
        scratch_(decoder_.MakeScratch(pool_->num_threads())) {}

  [[nodiscard]] const tokenizer::Tokenizer& tokenizer() const override { return *tokenizer_; }
  [[nodiscard]] size_t vocab_size() const override { return decoder_.vocab_size(); }
  [[nodiscard]] size_t context_length() const override { return decoder_.limits().ctx_len; }
  [[nodiscard]] size_t trained_context_length() const override {
    return decoder_.config().trained_ctx_len;
  }
  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::string_view architecture() const override {
    return decoder_.config().facts->name;
  }
  [[nodiscard]] std::string_view chat_template() const override { return chat_template_; }
  [[nodiscard]] const DecoderMemory& memory() const override { return decoder_.memory(); }
  [[nodiscard]] size_t num_threads() const override { return pool_->num_threads(); }

  [[nodiscard]] SequenceId NewSequence() override { return cache_.Add(); }
  [[nodiscard]] SequenceId Fork(SequenceId id, size_t length) override {
    return cache_.Fork(id, length);
  }
  void Truncate(SequenceId id, size_t length) override { cache_.Truncate(id, length); }
  void Remove(SequenceId id) override { cache_.Remove(id); }
  [[nodiscard]] size_t Length(SequenceId id) const override { return cache_.Length(id); }
  [[nodiscard]] size_t Room(SequenceId id) const override { return cache_.Room(id); }

  [[nodiscard]] CachePages cache_pages() const override {
    return {model::kKvPageTokens, cache_.num_pages(), cache_.used_pages()};
  }
  void ForEach(size_t count, const std::function<void(size_t)>& body) override {
    MakeTeam().For(count, [&](size_t i, size_t) { body(i); });
  }

  [[nodiscard]] Result<std::span<const float>> Forward(std::span<const BatchToken> batch,
                                                       const CancelToken* cancel) override {
    const auto num_wanted = static_cast<size_t>(
        std::ranges::count_if(batch, [](const BatchToken& row) { return row.wants_logits; }));
    const size_t size = num_wanted * vocab_size();
    if (logits_.size() < size) logits_.resize(size);
    const std::span<float> logits = std::span(logits_).first(size);
    VADE_CHECK_OK(decoder_.Forward(batch, cache_, MakeTeam(), scratch_, logits, cancel));
    return logits;
  }

  [[nodiscard]] Result<DecoderTrace> Trace(std::span<const TokenId> tokens,
                                           const CancelToken* cancel) override {
    VADE_TRY(auto recorder, model::TraceRecorder::Create(decoder_.config(), tokens.size(),
                                                         decoder_.limits().batch_tokens));
    const SequenceId sequence = cache_.Add();
    std::vector<BatchToken> batch;
    for (const TokenId id : tokens) batch.push_back({sequence, id, false});
    batch.back().wants_logits = true;
    std::vector<float> logits(vocab_size());
    const auto done =
        decoder_.Forward(batch, cache_, MakeTeam(), scratch_, logits, cancel, &recorder);
    cache_.Remove(sequence);
    VADE_CHECK_OK(done);
    DecoderTrace trace = std::move(recorder).Take();
    trace.logits = std::move(logits);
    return trace;
  }

 private:
  [[nodiscard]] model::Team MakeTeam() const {
    return pool_->num_threads() == 1 ? model::Team() : model::Team(*pool_);
  }

  const std::string name_;
  const std::unique_ptr<ThreadPool> pool_;
  const model::Decoder decoder_;
  const std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
  const std::string chat_template_;
  model::KvCache cache_;
  model::DecoderScratch scratch_;
  std::vector<float> logits_;  // of the last batch
};

model::DecoderLimits LimitsOf(const DecoderOptions& options) {
  return {.ctx_len = options.context_length,
          .cache_tokens = options.cache_tokens,
          .num_sequences = options.num_sequences,
          .spare_tokens = options.spare_tokens,
          .batch_tokens = options.batch_tokens,
          .kv_type = options.kv_type};
}

// REQUIRES a model whose tensors have been bound.
Result<void> CheckVocabulary(const gguf::File& file, const tokenizer::Tokenizer& tokenizer) {
  constexpr std::string_view kTokens = "token_embd.weight";
  const uint64_t rows = file.FindTensor(kTokens)->dims[1];
  if (rows == tokenizer.vocab_size()) return {};
  return file.TensorError(kTokens, "got " + std::to_string(rows) + " rows, want " +
                                       std::to_string(tokenizer.vocab_size()) +
                                       ", the size of the vocabulary");
}

}  // namespace

Result<DecoderNeed> DecoderEngine::Measure(const std::filesystem::path& gguf,
                                           const DecoderOptions& options) {
  VADE_TRY(gguf::File file, gguf::File::Open(gguf));
  VADE_TRY(const gguf::File again, gguf::File::Open(gguf));  // the plan keeps the other
  VADE_TRY(const auto tokenizer, tokenizer::Tokenizer::Load(again));
  const ThreadPool pool(options.num_threads);
  VADE_TRY(const DecoderNeed need,
           model::Decoder::Measure(std::move(file), LimitsOf(options), pool.num_threads()));
  VADE_CHECK_OK(CheckVocabulary(again, *tokenizer));
  return need;
}

Result<DecoderTrace> DecoderEngine::Trace(std::span<const TokenId> /*tokens*/,
                                          const CancelToken* /*cancel*/) {
  return Fail(ErrorCode::kUnsupported, std::string(name()) + ": this engine shows no inside");
}

Result<std::unique_ptr<DecoderEngine>> DecoderEngine::Load(const std::filesystem::path& gguf,
                                                           const DecoderOptions& options) {
  VADE_TRY(const kernels::Isa isa, kernels::SelectIsa());
  VADE_TRY(gguf::File file, gguf::File::Open(gguf));
  VADE_TRY(auto tokenizer, tokenizer::Tokenizer::Load(file));
  auto pool = std::make_unique<ThreadPool>(options.num_threads);
  std::string name = TextOr(file, "general.name", gguf.stem().string());
  VADE_TRY(auto decoder, model::Decoder::Load(std::move(file), LimitsOf(options),
                                              kernels::KernelsFor(isa), model::Team(*pool)));
  VADE_CHECK_OK(CheckVocabulary(decoder.file(), *tokenizer));
  return std::make_unique<LocalDecoder>(std::move(name), std::move(pool), std::move(decoder),
                                        std::move(tokenizer));
}

}  // namespace vade::engine
