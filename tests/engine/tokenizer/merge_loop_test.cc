// Both ways of the loop against the plainest one.
#include "engine/tokenizer/merge_loop.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace vade::tokenizer {
namespace {

using Ranks = std::map<std::pair<TokenId, TokenId>, Merge>;

std::vector<Piece> Letters(const std::string& text) {
  std::vector<Piece> out;
  for (size_t i = 0; i < text.size(); ++i) {
    out.push_back({static_cast<uint32_t>(i), 1, static_cast<TokenId>(text[i] - 'a')});
  }
  return out;
}

std::vector<TokenId> Ids(const std::vector<Piece>& pieces) {
  std::vector<TokenId> out;
  for (const Piece& piece : pieces) out.push_back(piece.id);
  return out;
}

Merge Find(const Ranks& ranks, TokenId left, TokenId right) {
  const auto found = ranks.find({left, right});
  return found == ranks.end() ? Merge{} : found->second;
}

// The definition: the lowest rank, leftmost, until none is left.
std::vector<TokenId> Reference(const Ranks& ranks, std::vector<TokenId> ids) {
  for (;;) {
    Merge best;
    size_t at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const Merge merge = Find(ranks, ids[i], ids[i + 1]);
      if (merge.rank < best.rank) {
        best = merge;
        at = i;
      }
    }
    if (best.rank == Merge::kNever) return ids;
    ids[at] = best.id;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
}

TEST(MergeLoop, AgreesWithTheDefinitionAtEveryLength) {
  std::mt19937 random(7);
  MergeLoop loop;
  for (int round = 0; round < 400; ++round) {
    Ranks ranks;  // of 3 letters and 40 joined tokens; some ranks are equal
    for (TokenId id = 3; id < 43; ++id) {
      const auto pick = [&] { return static_cast<TokenId>(random() % static_cast<uint32_t>(id)); };
      ranks.emplace(std::pair{pick(), pick()}, Merge{static_cast<uint32_t>(random() % 30), id});
    }
    std::string text(random() % 120, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    std::vector<Piece> pieces = Letters(text);
    const std::vector<TokenId> want = Reference(ranks, Ids(pieces));
    loop.Run(pieces, [&](const Piece& l, const Piece& r) { return Find(ranks, l.id, r.id); });
    EXPECT_EQ(Ids(pieces), want) << text;
    size_t end = 0;
    for (const Piece& piece : pieces) {
      EXPECT_EQ(piece.begin, end);
      end += piece.length;
    }
    EXPECT_EQ(end, text.size());
  }
}

TEST(MergeLoop, NothingAndOne) {
  MergeLoop loop;
  std::vector<Piece> pieces;
  const auto never = [](const Piece&, const Piece&) { return Merge{}; };
  loop.Run(pieces, never);
  EXPECT_TRUE(pieces.empty());
  pieces = Letters("a");
  loop.Run(pieces, never);
  EXPECT_EQ(Ids(pieces), std::vector<TokenId>{0});
}

}  // namespace
}  // namespace vade::tokenizer
