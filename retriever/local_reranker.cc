#include "retriever/local_reranker.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::retriever {

struct LocalReranker::Part {
  size_t passage_idx = 0;
  std::vector<engine::TokenId> ids;
};

Result<std::unique_ptr<LocalReranker>> LocalReranker::Make(
    std::unique_ptr<engine::EncoderEngine> engine) {
  if (engine->pooling() != "rank") {
    return Fail(ErrorCode::kInvalidArgument, std::string(engine->name()) +
                                                 ": is no reranker: its pooling is " +
                                                 std::string(engine->pooling()) + ", want rank");
  }
  return std::unique_ptr<LocalReranker>(new LocalReranker(std::move(engine)));
}

Result<std::unique_ptr<LocalReranker>> LocalReranker::Load(const std::filesystem::path& gguf,
                                                           size_t num_threads) {
  VADE_TRY(auto engine, engine::EncoderEngine::Load(gguf, {.num_threads = num_threads}));
  return Make(std::move(engine));
}

Result<void> LocalReranker::AddParts(std::string_view question, std::string_view passage,
                                     size_t passage_idx, std::vector<Part>& parts) const {
  std::vector<engine::TokenId> ids = engine_->TokenizePair(question, passage);
  if (ids.size() <= engine_->max_text_tokens()) {
    parts.push_back({passage_idx, std::move(ids)});
    return {};
  }
  size_t middle = passage.rfind(' ', passage.size() / 2);
  if (middle == std::string_view::npos || middle < passage.size() / 4) {
    middle = utf8::FloorBoundary(passage, passage.size() / 2);
  }
  if (middle == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "the question is too long for the reranker " + std::string(engine_->name()) +
                    ", which reads " + std::to_string(engine_->max_text_tokens()) + " tokens");
  }
  VADE_CHECK_OK(AddParts(question, passage.substr(0, middle), passage_idx, parts));
  return AddParts(question, passage.substr(middle), passage_idx, parts);
}

Result<std::vector<float>> LocalReranker::Score(std::string_view question,
                                                std::span<const std::string_view> passages,
                                                const CancelToken* cancel) {
  std::vector<Part> parts;
  for (size_t i = 0; i < passages.size(); ++i) {
    VADE_CHECK_OK(AddParts(question, passages[i], i, parts));
  }
  std::vector<std::vector<engine::TokenId>> sequences;
  for (Part& part : parts) sequences.push_back(std::move(part.ids));
  const size_t width = engine_->dimension();  // scores per pair; the first says how well it fits
  std::vector<float> values(parts.size() * width);
  VADE_CHECK_OK(engine_->Embed(sequences, values, cancel));
  std::vector<float> scores(passages.size(), -std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < parts.size(); ++i) {
    float& score = scores[parts[i].passage_idx];
    score = std::max(score, values[i * width]);
  }
  return scores;
}

}  // namespace vade::retriever
