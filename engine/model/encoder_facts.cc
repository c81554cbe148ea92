#include "engine/model/encoder_facts.h"

#include <array>

namespace vade::model {
namespace {

constexpr std::array kEncoders = {
    EncoderFacts{.name = "bert", .position_embeddings = true},  // and xlm-roberta
    EncoderFacts{.name = "nomic-bert",
                 .rope = true,
                 .gate = FfnGate::kOwn,
                 .activation = Activation::kSilu,
                 .fixed_activation = true},
    EncoderFacts{.name = "jina-bert-v2", .alibi = true, .gate = FfnGate::kAsStored},
    EncoderFacts{.name = "modern-bert",
                 .pre_norm = true,
                 .rope = true,
                 .gate = FfnGate::kFused,
                 .window_pattern = 3,
                 .rank_from_mean = true},
};

}  // namespace

const EncoderFacts* FindEncoder(std::string_view architecture) noexcept {
  for (const EncoderFacts& facts : kEncoders) {
    if (facts.name == architecture) return &facts;
  }
  return nullptr;
}

std::string EncoderNames() {
  std::string names;
  for (const EncoderFacts& facts : kEncoders) {
    if (!names.empty()) names += ", ";
    names += facts.name;
  }
  return names;
}

}  // namespace vade::model
