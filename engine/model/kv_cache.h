// Keys and values of many sequences, in pages that sequences with the same beginning share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/result.h"
#include "engine/model/kv_page.h"

namespace vade::model {

/// Pages are allocated when first needed and reused afterwards. A page that several sequences hold
/// is copied before one of them writes into it.
/// Single-thread; while a pass runs, its threads may read all pages and store distinct slots.
class KvCache {
 public:
  /// At most num_pages pages, at most ctx_len tokens in a sequence.
  KvCache(KvLayout layout, size_t num_pages, size_t ctx_len);

  [[nodiscard]] const KvLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] size_t ctx_len() const noexcept { return ctx_len_; }
  [[nodiscard]] size_t num_pages() const noexcept { return num_pages_; }
  [[nodiscard]] size_t used_pages() const noexcept { return pages_.size() - free_.size(); }

  [[nodiscard]] SequenceId Add();
  [[nodiscard]] bool Contains(SequenceId id) const { return sequences_.contains(id); }

  /// REQUIRE Contains(id); length <= Length(id).
  [[nodiscard]] SequenceId Fork(SequenceId id, size_t length);
  void Truncate(SequenceId id, size_t length);
  void Remove(SequenceId id);
  [[nodiscard]] size_t Length(SequenceId id) const;
  /// Tokens that Extend would still grant this sequence.
  [[nodiscard]] size_t Room(SequenceId id) const;

  /// Makes room for num_tokens more, whose slots are then to be stored.
  /// Errors: kInvalidArgument beyond ctx_len; kResource when no page is left. Nothing has changed
  /// then, as far as anyone can tell.
  [[nodiscard]] Result<void> Extend(SequenceId id, size_t num_tokens);

  /// The pages of a sequence, in order. Valid until it changes.
  [[nodiscard]] const std::vector<std::byte*>& Pages(SequenceId id) const;

 private:
  struct Sequence {
    size_t length = 0;
    std::vector<std::byte*> pages;  // ceil(length / kKvPageTokens)
  };
  struct Page {
    AlignedBuffer<std::byte> memory;
    size_t owners = 0;
  };

  [[nodiscard]] Sequence& At(SequenceId id);
  [[nodiscard]] const Sequence& At(SequenceId id) const;
  [[nodiscard]] std::byte* Take();  // REQUIRES a page left
  void Drop(std::byte* page);
  [[nodiscard]] size_t OwnersOf(const std::byte* page) const;
  [[nodiscard]] bool MustCopyLast(const Sequence& sequence) const;

  KvLayout layout_;
  size_t num_pages_;
  size_t ctx_len_;
  SequenceId next_id_ = 0;
  std::unordered_map<SequenceId, Sequence> sequences_;
  std::unordered_map<const std::byte*, Page> pages_;  // by the address of their memory
  std::vector<std::byte*> free_;                      // pages without owners
};

}  // namespace vade::model
