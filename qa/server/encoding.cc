#include "qa/server/encoding.h"

#include <cmath>
#include <utility>

namespace vade::qa::server {
namespace {

void Shorten(std::vector<float>& vector, size_t dimensions) {
  vector.resize(dimensions);
  double sum = 0;
  for (const float value : vector) sum += static_cast<double>(value) * static_cast<double>(value);
  if (sum == 0) return;
  const auto scale = static_cast<float>(1 / std::sqrt(sum));
  for (float& value : vector) value *= scale;
}

}  // namespace

Result<EmbeddedTexts> EmbedTexts(Service& service, const std::string& model,
                                 const std::vector<std::string>& texts, size_t dimensions,
                                 bool truncate, std::optional<std::chrono::seconds> keep_alive,
                                 const CancelToken* cancel) {
  const auto started = std::chrono::steady_clock::now();
  VADE_TRY(const auto lease, service.models.Encoder(model, ModelKind::kEmbed, keep_alive, cancel));
  const std::chrono::duration<double, std::milli> load = std::chrono::steady_clock::now() - started;
  const size_t full = lease->info().dimension;
  if (dimensions > full) {
    return Fail(ErrorCode::kInvalidArgument, "dimensions: got " + std::to_string(dimensions) +
                                                 ", the model has " + std::to_string(full));
  }
  VADE_TRY(EmbedReply reply, lease->client().Embed(texts, truncate, cancel));
  if (dimensions != 0 && dimensions != full) {
    for (auto& vector : reply.vectors) Shorten(vector, dimensions);
  }
  return EmbeddedTexts{std::move(reply.vectors), reply.tokens, load.count()};
}

}  // namespace vade::qa::server
