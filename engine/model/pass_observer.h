// PassObserver: someone who watches a forward pass. Nobody does in normal runs.
#pragma once

#include <cstddef>

namespace vade::model {

struct PassContext;

/// Called between the steps of a pass, from its calling thread; may run its own work on the pass's
/// team. Must not change what it sees.
class PassObserver {
 public:
  virtual ~PassObserver() = default;

  /// scratch.hidden holds the input of the first layer, a row per row of the pass.
  virtual void AfterEmbedding(const PassContext& pass) = 0;
  /// scratch.qkv holds the layer's queries and keys as attention compares them (normalised,
  /// rotated, not yet scaled), and its values.
  virtual void AfterKeys(const PassContext& pass, size_t layer_idx) = 0;
};

}  // namespace vade::model
