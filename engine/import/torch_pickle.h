// The pickle in a torch file, read without running anything. A pickle is a program that may call
// whatever it names; this reader knows three names, all of which only describe data, and refuses
// every other by name. Values live in one list and refer to each other by index, so neither
// nesting nor cycles nor shared parts cost more than the pickle's length.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace vade::import {

/// A tensor as the pickle describes it. Nothing about it is checked against the storage yet.
struct PickledTensor {
  std::string name;
  std::string dtype;    // "F32" ... as in safetensors
  std::string storage;  // entry of the container that has the values
  uint64_t storage_values = 0;
  uint64_t offset = 0;  // in values
  std::vector<uint64_t> shape;
  std::vector<uint64_t> strides;  // in values
};

/// The tensors of a state dictionary: a dictionary of tensors by name, alone or under
/// "state_dict". Entries that are no tensors are left out.
/// Errors: kUnsupported "refuses code" for a name or an operation that torch does not write into
/// such files; kCorruptData for a pickle that ends early, grows too large or is no dictionary.
[[nodiscard]] Result<std::vector<PickledTensor>> ReadTorchPickle(std::span<const std::byte> bytes,
                                                                 const std::string& name);

}  // namespace vade::import
