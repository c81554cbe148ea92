#include "engine/model/pooling.h"

#include <algorithm>
#include <array>
#include <string>

#include "engine/base/check.h"

namespace vade::model {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "mean", "cls", "last", "rank"};

}  // namespace

std::string_view PoolingName(Pooling pooling) noexcept {
  return kNames[static_cast<size_t>(pooling)];
}

std::optional<Pooling> FindPooling(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Pooling>(found - kNames.begin());
}

Result<std::optional<Pooling>> ReadPooling(const gguf::File& file, std::string_view architecture) {
  const std::string key = std::string(architecture) + ".pooling_type";
  VADE_TRY(const auto value, file.Find<uint32_t>(key));
  if (!value) return std::optional<Pooling>();
  if (*value >= kNames.size()) {
    return file.KeyError(key, "got " + std::to_string(*value) +
                                  ", expected 0 none, 1 mean, 2 cls, 3 last or 4 rank");
  }
  return static_cast<Pooling>(*value);
}

void PoolTokens(const kernels::KernelTable& kernels, Pooling pooling, std::span<const float> hidden,
                std::span<float> out) noexcept {
  const size_t d = out.size();
  if (pooling == Pooling::kCls) {
    std::ranges::copy(hidden.first(d), out.begin());
  } else if (pooling == Pooling::kLast) {
    std::ranges::copy(hidden.last(d), out.begin());
  } else {
    VADE_CHECK(pooling == Pooling::kMean);
    std::ranges::fill(out, 0.0f);
    for (size_t at = 0; at < hidden.size(); at += d) {
      kernels.add(hidden.data() + at, d, out.data());
    }
    for (float& value : out) value /= static_cast<float>(hidden.size() / d);
  }
}

}  // namespace vade::model
