// Loading: every line is looked up once, so that merging compares ids and never text.
#include "engine/tokenizer/merge_table.h"

#include <bit>
#include <string>
#include <string_view>

#include "engine/base/utf8.h"

namespace vade::tokenizer {
namespace {

constexpr std::string_view kKey = "tokenizer.ggml.merges";

}  // namespace

MergeTable::MergeTable(size_t num_merges)
    : slots_(std::bit_ceil(num_merges + num_merges / 2 + 1), Slot{kEmpty, {}}),
      mask_(slots_.size() - 1) {}

void MergeTable::Insert(TokenId left, TokenId right, Merge merge) noexcept {
  const uint64_t key = Key(left, right);
  size_t slot = Hash(key) & mask_;
  while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask_;
  if (slots_[slot].key == kEmpty) slots_[slot] = {key, merge};
}

Result<MergeTable> MergeTable::Load(const gguf::File& file, const Vocabulary& vocabulary,
                                    const TokenIndex& index) {
  VADE_TRY(const auto lines, file.RequireArray<std::string_view>(kKey));
  MergeTable out(lines.size());
  std::string whole;
  for (size_t rank = 0; rank < lines.size(); ++rank) {
    const std::string_view line = lines[rank];
    const size_t space = line.find(' ', 1);  // a token may begin with one
    const auto bad = [&](const char* reason) {
      return file.KeyError(kKey, "merge " + std::to_string(rank) + " \"" +
                                     utf8::Escape(line.substr(0, 64)) + "\": " + reason);
    };
    if (space == std::string_view::npos) return bad("want two tokens with a space between them");
    if (line.size() > 2 * gguf::kMaxTokenBytes + 1) return bad("longer than two tokens can be");
    const TokenId left = index.Find(vocabulary, line.substr(0, space));
    const TokenId right = index.Find(vocabulary, line.substr(space + 1));
    whole.assign(line.substr(0, space)).append(line.substr(space + 1));
    const TokenId id = index.Find(vocabulary, whole);
    if (left == TokenIndex::kNone || right == TokenIndex::kNone) {
      return bad("a half is not in the vocabulary");
    }
    if (id == TokenIndex::kNone) return bad("the joined token is not in the vocabulary");
    out.Insert(left, right, {static_cast<uint32_t>(rank), id});
  }
  return out;
}

}  // namespace vade::tokenizer
