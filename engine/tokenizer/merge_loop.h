// The loop that BPE and SentencePiece share: of all neighbouring pieces that can be joined, join
// the best pair, the leftmost of equals, until none can be.
//
// A word of a few pieces is scanned for its best pair again and again, which is quickest. A long
// one (a megabyte of one letter is one word) goes through a heap and a linked list: O(n log n).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/tokenizer/tokenizer.h"

namespace vade::tokenizer {

/// A stretch of the text and the token that it is, or kNone where it is none.
struct Piece {
  static constexpr TokenId kNone = -1;
  uint32_t begin = 0;
  uint32_t length = 0;
  TokenId id = kNone;
};

/// What two neighbours become. Lower ranks first.
struct Merge {
  static constexpr uint32_t kNever = UINT32_MAX;
  uint32_t rank = kNever;
  TokenId id = Piece::kNone;
};

/// Joins `pieces` in place. find(const Piece&, const Piece&) -> Merge. Reusable, single-thread.
class MergeLoop {
 public:
  template <typename Find>
  void Run(std::vector<Piece>& pieces, const Find& find) {
    if (pieces.size() <= kShort) {
      RunShort(pieces, find);
    } else {
      RunLong(pieces, find);
    }
  }

 private:
  static constexpr size_t kShort = 24;  // measured: the heap wins from about here

  struct Candidate {
    uint32_t rank;
    uint32_t left;    // index of the left piece
    uint32_t length;  // of both, to tell whether either has changed since
    TokenId id;
    // Order of a max-heap whose top is the lowest rank, leftmost.
    bool operator<(const Candidate& other) const noexcept {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };

  template <typename Find>
  void RunShort(std::vector<Piece>& pieces, const Find& find) {
    if (pieces.size() < 2) return;
    merges_.resize(pieces.size() - 1);  // [i]: of pieces i and i + 1
    for (size_t i = 0; i + 1 < pieces.size(); ++i) merges_[i] = find(pieces[i], pieces[i + 1]);
    while (!merges_.empty()) {
      const auto best =
          std::min_element(merges_.begin(), merges_.end(),
                           [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
      if (best->rank == Merge::kNever) return;
      const auto i = static_cast<size_t>(best - merges_.begin());
      pieces[i].length += pieces[i + 1].length;
      pieces[i].id = best->id;
      pieces.erase(pieces.begin() + static_cast<ptrdiff_t>(i) + 1);
      merges_.erase(best);
      if (i < merges_.size()) merges_[i] = find(pieces[i], pieces[i + 1]);
      if (i > 0) merges_[i - 1] = find(pieces[i - 1], pieces[i]);
    }
  }

  template <typename Find>
  void RunLong(std::vector<Piece>& pieces, const Find& find) {
    constexpr uint32_t kEnd = UINT32_MAX;
    const auto count = static_cast<uint32_t>(pieces.size());
    previous_.resize(count);
    next_.resize(count);
    heap_.clear();
    const auto consider = [&](uint32_t left, uint32_t right) {
      if (left == kEnd || right == kEnd) return;
      const Merge merge = find(pieces[left], pieces[right]);
      if (merge.rank == Merge::kNever) return;
      heap_.push_back({merge.rank, left, pieces[left].length + pieces[right].length, merge.id});
    };
    for (uint32_t i = 0; i < count; ++i) {
      previous_[i] = i == 0 ? kEnd : i - 1;
      next_[i] = i + 1 == count ? kEnd : i + 1;
      consider(i, next_[i]);
    }
    std::make_heap(heap_.begin(), heap_.end());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end());
      const Candidate best = heap_.back();
      heap_.pop_back();
      Piece& left = pieces[best.left];
      const uint32_t right = next_[best.left];
      if (left.length == 0 || right == kEnd || left.length + pieces[right].length != best.length) {
        continue;  // one of the two has been joined to something else
      }
      left.length = best.length;
      left.id = best.id;
      pieces[right].length = 0;
      next_[best.left] = next_[right];
      if (next_[right] != kEnd) previous_[next_[right]] = best.left;
      for (const auto& [a, b] :
           {std::pair{previous_[best.left], best.left}, std::pair{best.left, next_[best.left]}}) {
        const size_t before = heap_.size();
        consider(a, b);
        if (heap_.size() > before) std::push_heap(heap_.begin(), heap_.end());
      }
    }
    std::erase_if(pieces, [](const Piece& piece) { return piece.length == 0; });
  }

  std::vector<Merge> merges_;
  std::vector<Candidate> heap_;
  std::vector<uint32_t> previous_;
  std::vector<uint32_t> next_;
};

}  // namespace vade::tokenizer
