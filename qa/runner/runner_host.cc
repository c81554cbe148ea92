#include "qa/runner/runner_host.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using engine::TokenId;
using nlohmann::json;

// Beside its weights, which are repacked, an encoder needs room for a batch of long texts.
constexpr uint64_t kEncoderScratchBytes = uint64_t{64} << 20;

// Full contexts that the cache has room for. Most requests take a part of one; those beyond wait.
constexpr size_t kMostContexts = 4;

engine::LocalModelOptions OptionsOf(const RunnerSetup& setup) {
  engine::LocalModelOptions options;
  options.decoder.num_threads = setup.threads;
  options.decoder.context_length = setup.context_length;
  options.decoder.kv_type = setup.kv == "q8_0"  ? engine::KvType::kQ8_0
                            : setup.kv == "f32" ? engine::KvType::kF32
                                                : engine::KvType::kF16;
  options.decoder.num_sequences = std::clamp<size_t>(setup.max_parallel, 1, kMostContexts);
  options.max_parallel = std::max<size_t>(setup.max_parallel, 1);
  options.max_queue = setup.max_queue;
  return options;
}

// The ids of `text` as `tokenize` gives them, at most `most`.
Result<std::vector<TokenId>> Fit(
    std::string_view text, size_t most, bool truncate,
    const std::function<std::vector<TokenId>(std::string_view)>& tokenize) {
  std::vector<TokenId> ids = tokenize(text);
  if (ids.size() > most && !truncate) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "got " + std::to_string(ids.size()) + " tokens, at most " + std::to_string(most) + " fit");
  }
  while (ids.size() > most && !text.empty()) {
    // Bytes in proportion to tokens, and a little less, so that the second try mostly fits.
    const size_t wanted = text.size() / ids.size() * most - text.size() / (8 * ids.size());
    text = text.substr(0, utf8::FloorBoundary(text, std::min(wanted, text.size() - 1)));
    ids = tokenize(text);
  }
  return ids;
}

size_t CountIds(const std::vector<std::vector<TokenId>>& sequences) {
  size_t count = 0;
  for (const auto& sequence : sequences) count += sequence.size();
  return count;
}

}  // namespace

Result<uint64_t> RunnerHost::Measure(const RunnerSetup& setup) {
  if (setup.kind == ModelKind::kGenerate) {
    VADE_TRY(const engine::DecoderNeed need,
             engine::LocalModel::Measure(setup.model, OptionsOf(setup)));
    return need.memory.total();
  }
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(setup.model, error);
  if (error) return Fail(ErrorCode::kIo, setup.model.string() + ": " + error.message());
  return bytes + kEncoderScratchBytes;
}

Result<RunnerHost> RunnerHost::Load(const RunnerSetup& setup, uint64_t need) {
  RunnerHost host;
  host.kind_ = setup.kind;
  if (setup.kind == ModelKind::kGenerate) {
    VADE_TRY(host.model_, engine::LocalModel::Load(setup.model, OptionsOf(setup)));
    const engine::LocalModel& model = *host.model_;
    host.info_ = {.name = utf8::Repair(model.name()),
                  .architecture = std::string(model.architecture()),
                  .context_length = model.context_length(),
                  .trained_context_length = model.trained_context_length(),
                  .dimension = 0,
                  .memory_bytes = model.memory().total()};
    return host;
  }
  VADE_TRY(host.encoder_, engine::EncoderEngine::Load(setup.model, {.num_threads = setup.threads}));
  const engine::EncoderEngine& encoder = *host.encoder_;
  const bool is_reranker = encoder.pooling() == "rank";
  if (encoder.pooling() == "none" || is_reranker != (setup.kind == ModelKind::kRerank)) {
    return Fail(ErrorCode::kUnsupported, setup.model.filename().string() + ": its pooling is '" +
                                             std::string(encoder.pooling()) + "': no model to " +
                                             std::string(ModelKindName(setup.kind)) + " with");
  }
  host.info_ = {.name = utf8::Repair(encoder.name()),
                .architecture = "",
                .context_length = encoder.max_text_tokens(),
                .trained_context_length = encoder.context_length(),
                .dimension = encoder.dimension(),
                .memory_bytes = need};
  return host;
}

size_t RunnerHost::CountTokens(const std::string& text) const {
  return model_ ? model_->CountTokens(text) : encoder_->CountTokens(text);
}

Result<json> RunnerHost::Embed(const std::vector<std::string>& texts, bool truncate,
                               const CancelToken* cancel) const {
  if (kind_ != ModelKind::kEmbed) {
    return Fail(ErrorCode::kUnsupported, info_.name + ": does not embed");
  }
  std::vector<std::vector<TokenId>> sequences;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto ids = Fit(texts[i], info_.context_length, truncate,
                   [&](std::string_view text) { return encoder_->Tokenize(text, true, false); });
    if (!ids) return Fail("text " + std::to_string(i), std::move(ids).error());
    sequences.push_back(*std::move(ids));
  }
  const size_t dimension = info_.dimension;
  std::vector<float> out(sequences.size() * dimension);
  VADE_CHECK_OK(encoder_->Embed(sequences, out, cancel));
  json vectors = json::array();
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto row = std::span(out).subspan(i * dimension, dimension);
    vectors.push_back(json(std::vector<float>(row.begin(), row.end())));
  }
  return json{{"vectors", std::move(vectors)}, {"tokens", CountIds(sequences)}};
}

Result<json> RunnerHost::Rerank(const std::string& query, const std::vector<std::string>& texts,
                                bool truncate, const CancelToken* cancel) const {
  if (kind_ != ModelKind::kRerank || info_.dimension != 1) {
    return Fail(ErrorCode::kUnsupported, info_.name + ": does not rerank");
  }
  std::vector<std::vector<TokenId>> sequences;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto ids = Fit(texts[i], info_.context_length, truncate,
                   [&](std::string_view text) { return encoder_->TokenizePair(query, text); });
    if (!ids) return Fail("text " + std::to_string(i), std::move(ids).error());
    sequences.push_back(*std::move(ids));
  }
  std::vector<float> scores(sequences.size());
  VADE_CHECK_OK(encoder_->Embed(sequences, scores, cancel));
  return json{{"scores", scores}, {"tokens", CountIds(sequences)}};
}

}  // namespace vade::qa
