#include "engine/model/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "engine/base/check.h"

namespace vade::model {
namespace {

size_t PagesFor(size_t length) noexcept { return (length + kKvPageTokens - 1) / kKvPageTokens; }

}  // namespace

KvCache::KvCache(KvLayout layout, size_t num_pages, size_t ctx_len)
    : layout_(layout), num_pages_(num_pages), ctx_len_(ctx_len) {}

KvCache::Sequence& KvCache::At(SequenceId id) {
  const auto found = sequences_.find(id);
  VADE_CHECK(found != sequences_.end());
  return found->second;
}

const KvCache::Sequence& KvCache::At(SequenceId id) const {
  const auto found = sequences_.find(id);
  VADE_CHECK(found != sequences_.end());
  return found->second;
}

std::byte* KvCache::Take() {
  std::byte* memory = nullptr;
  if (!free_.empty()) {
    memory = free_.back();
    free_.pop_back();
  } else {
    VADE_CHECK(pages_.size() < num_pages_);
    AlignedBuffer<std::byte> buffer(layout_.page_bytes());
    memory = buffer.data();
    pages_[memory].memory = std::move(buffer);
  }
  pages_[memory].owners = 1;
  return memory;
}

void KvCache::Drop(std::byte* page) {
  if (--pages_[page].owners == 0) free_.push_back(page);
}

size_t KvCache::OwnersOf(const std::byte* page) const { return pages_.at(page).owners; }

// The next token goes into a page that others hold, too.
bool KvCache::MustCopyLast(const Sequence& sequence) const {
  return sequence.length % kKvPageTokens != 0 && OwnersOf(sequence.pages.back()) > 1;
}

SequenceId KvCache::Add() {
  sequences_.emplace(next_id_, Sequence{});
  return next_id_++;
}

SequenceId KvCache::Fork(SequenceId id, size_t length) {
  const Sequence& from = At(id);
  VADE_CHECK(length <= from.length);
  Sequence copy;
  copy.length = length;
  copy.pages.assign(from.pages.begin(),
                    from.pages.begin() + static_cast<ptrdiff_t>(PagesFor(length)));
  for (const std::byte* page : copy.pages) ++pages_[page].owners;
  sequences_.emplace(next_id_, std::move(copy));
  return next_id_++;
}

void KvCache::Truncate(SequenceId id, size_t length) {
  Sequence& sequence = At(id);
  VADE_CHECK(length <= sequence.length);
  while (sequence.pages.size() > PagesFor(length)) {
    Drop(sequence.pages.back());
    sequence.pages.pop_back();
  }
  sequence.length = length;
}

void KvCache::Remove(SequenceId id) {
  Truncate(id, 0);
  sequences_.erase(id);
}

size_t KvCache::Length(SequenceId id) const { return At(id).length; }

size_t KvCache::Room(SequenceId id) const {
  const Sequence& sequence = At(id);
  size_t pages_left = num_pages_ - used_pages();
  size_t in_last = sequence.pages.size() * kKvPageTokens - sequence.length;
  if (MustCopyLast(sequence)) {
    if (pages_left == 0) return 0;
    --pages_left;
  }
  return std::min(ctx_len_ - sequence.length, in_last + pages_left * kKvPageTokens);
}

Result<void> KvCache::Extend(SequenceId id, size_t num_tokens) {
  Sequence& sequence = At(id);
  if (num_tokens == 0) return {};
  if (num_tokens > ctx_len_ - sequence.length) {
    return Fail(ErrorCode::kInvalidArgument,
                "context overflow: " + std::to_string(sequence.length) + " tokens and " +
                    std::to_string(num_tokens) + " more, the context holds " +
                    std::to_string(ctx_len_));
  }
  if (num_tokens > Room(id)) {
    return Fail(ErrorCode::kResource, "cache full: " + std::to_string(num_tokens) +
                                          " tokens more, room for " + std::to_string(Room(id)));
  }
  if (MustCopyLast(sequence)) {
    std::byte* copy = Take();
    std::memcpy(copy, sequence.pages.back(), layout_.page_bytes());
    Drop(sequence.pages.back());
    sequence.pages.back() = copy;
  }
  sequence.length += num_tokens;
  while (sequence.pages.size() < PagesFor(sequence.length)) sequence.pages.push_back(Take());
  return {};
}

const std::vector<std::byte*>& KvCache::Pages(SequenceId id) const { return At(id).pages; }

}  // namespace vade::model
