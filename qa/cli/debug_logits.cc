#include "qa/cli/debug_logits.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace vade::qa {
namespace {

using engine::BatchToken;
using engine::KvType;
using engine::TokenId;
using import::JsonObject;
using nlohmann::json;

constexpr size_t kDefaultContext = 512;
constexpr size_t kGreedyTokens = 16;

tl::unexpected<Error> Wrong(const JsonObject& line, const char* field, const std::string& why) {
  return Fail(ErrorCode::kCorruptData, line.name() + ": \"" + field + "\": " + why);
}

Result<std::vector<TokenId>> ReadIds(const JsonObject& line) {
  const json* ids = line.Find("ids");
  if (ids == nullptr || !ids->is_array() || ids->empty()) {
    return Wrong(line, "ids", "want an array of token ids");
  }
  std::vector<TokenId> out;
  for (const json& id : *ids) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > INT32_MAX) {
      return Wrong(line, "ids", "got " + id.dump().substr(0, 40) + ", want a token id");
    }
    out.push_back(id.get<TokenId>());
  }
  return out;
}

Result<KvType> ReadKvType(const JsonObject& line) {
  VADE_TRY(const std::string name, line.GetString("kv", "f32"));
  if (name == "f32") return KvType::kF32;
  if (name == "f16") return KvType::kF16;
  if (name == "q8_0") return KvType::kQ8_0;
  return Wrong(line, "kv", "got '" + name + "', want f32, f16 or q8_0");
}

}  // namespace

Result<void> LogitsProbe::Prepare(const JsonObject& line, size_t num_ids) {
  const size_t needed = std::max(kDefaultContext, num_ids + kGreedyTokens);
  engine::DecoderOptions wanted{.num_threads = num_threads_};
  VADE_TRY(wanted.context_length, line.GetUint("context", 0));
  VADE_TRY(wanted.kv_type, ReadKvType(line));
  const bool chosen = wanted.context_length != 0;
  if (!chosen) {
    wanted.context_length =
        engine_ == nullptr ? needed : std::min(needed, engine_->trained_context_length());
  }
  if (engine_ != nullptr && options_.context_length == wanted.context_length &&
      options_.kv_type == wanted.kv_type) {
    return {};
  }
  engine_.reset();  // never two models in memory
  auto engine = engine::DecoderEngine::Load(model_, wanted);
  if (!engine && !chosen && engine.error().code == ErrorCode::kInvalidArgument) {
    wanted.context_length = 0;  // a model of a short context
    engine = engine::DecoderEngine::Load(model_, wanted);
  }
  if (!engine) return tl::unexpected<Error>(std::move(engine).error());
  engine_ = std::move(*engine);
  options_ = wanted;
  options_.context_length = engine_->context_length();
  return {};
}

Result<json> LogitsProbe::operator()(const JsonObject& line) {
  VADE_TRY(const std::vector<TokenId> ids, ReadIds(line));
  VADE_TRY(const size_t split, line.GetUint("split", 0));
  if (split >= ids.size()) {
    return Wrong(
        line, "split",
        "got " + std::to_string(split) + " for " + std::to_string(ids.size()) + " ids, want fewer");
  }
  VADE_CHECK_OK(Prepare(line, ids.size()));
  struct Sequence {  // gone with the line, whatever happens
    engine::DecoderEngine& engine;
    engine::SequenceId id;
    ~Sequence() { engine.Remove(id); }
  };
  const Sequence sequence{*engine_, engine_->NewSequence()};
  const auto feed = [&](std::span<const TokenId> tokens,
                        bool wants_logits) -> Result<std::span<const float>> {
    std::vector<BatchToken> batch;
    for (const TokenId token : tokens) batch.push_back({sequence.id, token, false});
    if (wants_logits) batch.back().wants_logits = true;
    return engine_->Forward(batch, &cancel_);
  };
  VADE_TRY(std::span<const float> logits, feed(std::span(ids).first(split), false));
  VADE_TRY(logits, feed(std::span(ids).subspan(split), true));
  json out{{"logits", std::vector<float>(logits.begin(), logits.end())}};
  std::vector<TokenId> greedy;
  for (;;) {
    greedy.push_back(static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin()));
    if (greedy.size() == kGreedyTokens || engine_->Room(sequence.id) == 0) break;
    VADE_TRY(logits, feed({&greedy.back(), 1}, true));
  }
  out["greedy"] = greedy;
  return out;
}

}  // namespace vade::qa
