// What a model file adds up to.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "engine/gguf/file.h"

namespace vade::qa {

struct Totals {
  uint64_t file_bytes = 0;
  uint64_t tensor_bytes = 0;
  uint64_t num_values = 0;
  std::map<std::string, uint64_t> bytes_by_type;
};

[[nodiscard]] Totals SumUp(const gguf::File& file);

}  // namespace vade::qa
