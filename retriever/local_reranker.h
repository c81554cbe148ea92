// LocalReranker: a cross-encoder from a GGUF file (pooling rank).
#pragma once

#include <memory>

#include "engine/encoder_engine.h"
#include "retriever/reranker.h"

namespace vade::retriever {

class LocalReranker final : public Reranker {
 public:
  /// Errors: kInvalidArgument for a model that gives vectors, not scores.
  [[nodiscard]] static Result<std::unique_ptr<LocalReranker>> Make(
      std::unique_ptr<engine::EncoderEngine> engine);
  /// Errors: EncoderEngine::Load's, and Make's.
  [[nodiscard]] static Result<std::unique_ptr<LocalReranker>> Load(
      const std::filesystem::path& gguf, size_t num_threads);

  [[nodiscard]] std::string_view name() const override { return engine_->name(); }
  /// A passage too long for the model is read in parts; the best of them counts.
  /// Errors besides the interface's: kInvalidArgument for a question that leaves no room.
  [[nodiscard]] Result<std::vector<float>> Score(std::string_view question,
                                                 std::span<const std::string_view> passages,
                                                 const CancelToken* cancel) override;

 private:
  struct Part;
  explicit LocalReranker(std::unique_ptr<engine::EncoderEngine> engine)
      : engine_(std::move(engine)) {}
  [[nodiscard]] Result<void> AddParts(std::string_view question, std::string_view passage,
                                      size_t passage_idx, std::vector<Part>& parts) const;

  std::unique_ptr<engine::EncoderEngine> engine_;
};

}  // namespace vade::retriever
