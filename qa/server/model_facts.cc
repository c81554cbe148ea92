#include "qa/server/model_facts.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "engine/base/utf8.h"
#include "engine/gguf/file.h"

namespace vade::qa::server {
namespace {

constexpr uint32_t kPoolingRank = 4;

/// The names of llama.cpp's file types, by number; empty: none.
std::string FileTypeName(uint32_t type) {
  constexpr std::array<const char*, 39> kNames = {
      "F32",    "F16",    "Q4_0",  "Q4_1",    "",       "",       "",       "Q8_0",
      "Q5_0",   "Q5_1",   "Q2_K",  "Q3_K_S",  "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M",
      "Q5_K_S", "Q5_K_M", "Q6_K",  "IQ2_XXS", "IQ2_XS", "Q2_K_S", "IQ3_XS", "IQ3_XXS",
      "IQ1_S",  "IQ4_NL", "IQ3_S", "IQ3_M",   "IQ2_S",  "IQ2_M",  "IQ4_XS", "IQ1_M",
      "BF16",   "",       "",      "",        "TQ1_0",  "TQ2_0",  "MXFP4"};
  return type < kNames.size() ? kNames[type] : "";
}

std::string Text(const gguf::File& file, std::string_view key) {
  const auto value = file.Find<std::string_view>(key);
  return value && *value ? utf8::Repair(**value) : "";
}

uint64_t Number(const gguf::File& file, const std::string& key) {
  const auto value = file.Find<uint32_t>(key);
  return value && *value ? **value : 0;
}

/// The metadata and tensor table of the first part.
std::string DigestOf(const gguf::File& file) {
  const std::span<const std::byte> bytes = file.parts().front();
  const std::byte* weights = bytes.data() + bytes.size();
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    const bool inside = tensor.data.data() >= bytes.data() && tensor.data.data() < weights;
    if (inside) weights = tensor.data.data();
  }
  Sha256 hash;
  hash.Add(bytes.first(static_cast<size_t>(weights - bytes.data())));
  return hash.Finish();
}

ModelFacts FactsOf(const gguf::File& file) {
  ModelFacts facts;
  facts.architecture = Text(file, "general.architecture");
  facts.quantization = FileTypeName(static_cast<uint32_t>(Number(file, "general.file_type")));
  facts.chat_template = Text(file, "tokenizer.chat_template");
  facts.context_length = Number(file, facts.architecture + ".context_length");
  facts.embedding_length = Number(file, facts.architecture + ".embedding_length");
  const uint64_t pooling = Number(file, facts.architecture + ".pooling_type");
  const bool encodes = facts.architecture.find("bert") != std::string::npos || pooling != 0;
  facts.kind = pooling == kPoolingRank ? ModelKind::kRerank
               : encodes               ? ModelKind::kEmbed
                                       : ModelKind::kGenerate;
  for (const gguf::TensorInfo& tensor : file.tensors()) {
    facts.num_values += tensor.num_values;
  }
  for (const auto& part : file.parts()) facts.size_bytes += part.size();
  facts.digest = DigestOf(file);
  return facts;
}

}  // namespace

std::string ModelFacts::ParameterSize() const {
  std::array<char, 32> text{};
  if (num_values >= 1'000'000'000) {
    std::snprintf(text.data(), text.size(), "%.1fB", static_cast<double>(num_values) / 1e9);
  } else {
    std::snprintf(text.data(), text.size(), "%.0fM", static_cast<double>(num_values) / 1e6);
  }
  return text.data();
}

Result<ModelFacts> ModelFactsCache::Get(const std::filesystem::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return tl::unexpected(ErrnoError(utf8::Escape(path.filename().native()), errno));
  }
  const int64_t modified = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  const auto size = static_cast<uint64_t>(info.st_size);
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(path);
  if (at != entries_.end() && at->second.modified_ns == modified && at->second.size == size) {
    return at->second.facts;
  }
  VADE_TRY(const gguf::File file, gguf::File::Open(path));
  ModelFacts facts = FactsOf(file);
  facts.modified_at = info.st_mtim.tv_sec;
  entries_[path] = {facts, modified, size};
  return facts;
}

}  // namespace vade::qa::server
