// Each kind of scaling as the engine wants it told.
#include "engine/import/rope_settings.h"

#include <cmath>
#include <numbers>
#include <optional>

#include "engine/base/utf8.h"

namespace vade::import {
namespace {

using nlohmann::json;

constexpr double kDefaultBase = 10000;

// One object of settings whatever the folder's style: those named apart are put in.
Result<JsonObject> Parameters(const JsonObject& config, const char* layers) {
  const std::string name = config.name() + ": rope_parameters";
  json out = json::object();
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* found = config.Find(key);
    if (found == nullptr) continue;
    if (!found->is_object()) return Fail(ErrorCode::kCorruptData, name + ": not an object");
    out = *found;
  }
  const auto inner = out.find(layers);  // one set for each kind of layer
  if (inner != out.end()) {
    if (!inner->is_object()) return Fail(ErrorCode::kCorruptData, name + ": not an object");
    json only = *inner;
    out = std::move(only);
  }
  for (const char* key :
       {"rope_theta", "partial_rotary_factor", "original_max_position_embeddings"}) {
    const json* value = config.Find(key);
    if (value != nullptr && !out.contains(key)) out[key] = *value;
  }
  return JsonObject(std::move(out), name);
}

Result<std::vector<float>> Factors(const JsonObject& rope, const char* key, size_t count) {
  const json* list = rope.Find(key);
  if (list == nullptr || !list->is_array() || list->size() != count) {
    return Fail(ErrorCode::kCorruptData, rope.name() + ": \"" + key + "\": want a list of " +
                                             std::to_string(count) + " numbers");
  }
  std::vector<float> out;
  for (const json& factor : *list) {
    if (!factor.is_number() || !(factor.get<double>() > 0)) {
      return Fail(ErrorCode::kCorruptData, rope.name() + ": \"" + key + "\": want numbers above 0");
    }
    out.push_back(factor.get<float>());
  }
  return out;
}

class RopeWriter {
 public:
  RopeWriter(const JsonObject& rope, std::string_view architecture, uint32_t context_length,
             uint32_t dims, DecoderSettings& settings, gguf::Writer& writer)
      : rope_(rope),
        prefix_(std::string(architecture) + ".rope."),
        context_length_(context_length),
        dims_(dims),
        settings_(settings),
        writer_(writer) {}

  Result<void> Add(double base) {
    base_ = base;
    writer_.Add(prefix_ + "freq_base", static_cast<float>(base));
    writer_.Add(prefix_ + "dimension_count", dims_);
    VADE_TRY(std::string kind, rope_.GetString("rope_type", ""));
    if (kind.empty()) {
      VADE_TRY(kind, rope_.GetString("type", "default"));
    }
    // "dynamic" changes nothing within the context it was trained for, and that is what the file
    // says its context is.
    if (kind == "default" || kind == "dynamic") return {};
    if (kind == "linear") return Linear();
    if (kind == "llama3") return Llama3();
    if (kind == "yarn") return Yarn();
    if (kind == "longrope" || kind == "su") return LongRope();
    return Fail(ErrorCode::kUnsupported,
                rope_.name() + ": rope_type \"" + utf8::Escape(kind) +
                    "\", want default, dynamic, linear, llama3, yarn or longrope");
  }

 private:
  Result<double> Positive(const char* key, std::optional<double> fallback) const {
    VADE_TRY(const double value, rope_.GetNumber(key, fallback));
    if (value > 0) return value;
    return Fail(ErrorCode::kCorruptData, rope_.name() + ": \"" + key + "\": got " +
                                             std::to_string(value) + ", want above 0");
  }

  void Scaling(const char* type, double factor) {
    writer_.Add(prefix_ + "scaling.type", type);
    writer_.Add(prefix_ + "scaling.factor", static_cast<float>(factor));
  }

  Result<void> Linear() {
    VADE_TRY(const double factor, Positive("factor", std::nullopt));
    Scaling("linear", factor);
    return {};
  }

  // Slow dimensions are divided by the factor, fast ones are not, those between partly.
  Result<void> Llama3() {
    VADE_TRY(const double factor, Positive("factor", 8));
    VADE_TRY(const double low, Positive("low_freq_factor", 1));
    VADE_TRY(const double high, Positive("high_freq_factor", 4));
    VADE_TRY(const double original, Positive("original_max_position_embeddings", 8192));
    if (!(low < high)) {
      return Fail(ErrorCode::kCorruptData,
                  rope_.name() + ": low_freq_factor is not below high_freq_factor");
    }
    std::vector<float> factors;
    for (uint32_t i = 0; i < dims_ / 2; ++i) {
      const double frequency = std::pow(base_, -2.0 * i / dims_);
      const double turns = original * frequency / (2 * std::numbers::pi);  // within the context
      const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
      factors.push_back(static_cast<float>(1 / (kept + (1 - kept) / factor)));
    }
    settings_.rope_factors.emplace_back("rope_freqs.weight", std::move(factors));
    return {};
  }

  Result<void> Yarn() {
    VADE_TRY(const uint32_t original,
             rope_.GetUint("original_max_position_embeddings", context_length_));
    const double ratio = original > 0 ? static_cast<double>(context_length_) / original : 1;
    VADE_TRY(const double factor, Positive("factor", ratio));
    VADE_TRY(const bool truncate, rope_.GetBool("truncate", true));
    if (!truncate) {
      return Fail(ErrorCode::kUnsupported, rope_.name() + ": yarn without truncation");
    }
    Scaling("yarn", factor);
    writer_.Add(prefix_ + "scaling.original_context_length", original);
    for (const char* key : {"beta_fast", "beta_slow"}) {
      if (rope_.Find(key) == nullptr) continue;
      VADE_TRY(const double beta, Positive(key, std::nullopt));
      writer_.Add(prefix_ + "scaling.yarn_" + key, static_cast<float>(beta));
    }
    // The engine multiplies by 1 + 0.1 ln(factor), the usual value, itself.
    const auto usual = [&](double scale) {
      return factor > 1 ? 0.1 * scale * std::log(factor) + 1 : 1.0;
    };
    double wanted = usual(1);
    VADE_TRY(const double mscale, rope_.GetNumber("mscale", 0));
    VADE_TRY(const double mscale_all, rope_.GetNumber("mscale_all_dim", 0));
    if (mscale != 0 && mscale_all != 0) wanted = usual(mscale) / usual(mscale_all);
    VADE_TRY(wanted, rope_.GetNumber("attention_factor", wanted));
    if (wanted != usual(1)) {
      writer_.Add(prefix_ + "scaling.attn_factor", static_cast<float>(wanted / usual(1)));
    }
    return {};
  }

  Result<void> LongRope() {
    VADE_TRY(const uint32_t original,
             rope_.GetUint("original_max_position_embeddings", context_length_));
    VADE_TRY(auto longer, Factors(rope_, "long_factor", dims_ / 2));
    VADE_TRY(auto shorter, Factors(rope_, "short_factor", dims_ / 2));
    settings_.rope_factors.emplace_back("rope_factors_long.weight", std::move(longer));
    settings_.rope_factors.emplace_back("rope_factors_short.weight", std::move(shorter));
    // Abdin et al. 2024, Phi-3: cosines and sines grow with the context.
    const double scale = static_cast<double>(context_length_) / std::max(original, 2u);
    const double usual =
        scale > 1 ? std::sqrt(1 + std::log(scale) / std::log(static_cast<double>(original))) : 1;
    VADE_TRY(const double wanted, rope_.GetNumber("attention_factor", usual));
    writer_.Add(prefix_ + "scaling.type", "longrope");
    writer_.Add(prefix_ + "scaling.original_context_length", original);
    writer_.Add(prefix_ + "scaling.attn_factor", static_cast<float>(wanted));
    return {};
  }

  const JsonObject& rope_;
  std::string prefix_;
  uint32_t context_length_;
  uint32_t dims_;
  DecoderSettings& settings_;
  gguf::Writer& writer_;
  double base_ = kDefaultBase;
};

Result<double> BaseOf(const JsonObject& rope) {
  VADE_TRY(const double base, rope.GetNumber("rope_theta", kDefaultBase));
  if (base > 0) return base;
  return Fail(ErrorCode::kCorruptData, rope.name() + ": rope_theta is not above 0");
}

}  // namespace

Result<void> AddRopeSettings(const JsonObject& config, const DecoderSource& source,
                             uint32_t context_length, DecoderSettings& settings,
                             gguf::Writer& writer) {
  VADE_TRY(const JsonObject rope, Parameters(config, "full_attention"));
  VADE_TRY(const double base, BaseOf(rope));
  VADE_TRY(const double part, rope.GetNumber("partial_rotary_factor", source.partial_rotary));
  const double dims = part * settings.head_dim;
  if (!(dims >= 2 && dims <= settings.head_dim)) {
    return Fail(ErrorCode::kCorruptData, rope.name() + ": partial_rotary_factor " +
                                             std::to_string(part) + " of heads of " +
                                             std::to_string(settings.head_dim));
  }
  RopeWriter keys(rope, source.architecture, context_length, static_cast<uint32_t>(dims), settings,
                  writer);
  VADE_CHECK_OK(keys.Add(base));
  // Layers with a window may have a base of their own.
  VADE_TRY(const JsonObject local, Parameters(config, "sliding_attention"));
  const nlohmann::json* flat = config.Find("rope_local_base_freq");
  if (flat == nullptr && local.json() == rope.json()) return {};
  VADE_TRY(double local_base, BaseOf(local));
  VADE_TRY(local_base, config.GetNumber("rope_local_base_freq", local_base));
  writer.Add(std::string(source.architecture) + ".rope.freq_base_swa",
             static_cast<float>(local_base));
  return {};
}

}  // namespace vade::import
