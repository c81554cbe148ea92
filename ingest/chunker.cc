// The chunker: choose boundaries between pieces so that the sum of all prices is least.
//
// Problem: chunks should be near the target size, begin and end where the author paused, keep
// tables and step lists whole, and never cross a section unless the sections are tiny. Greedy
// packing leaves fragments at section ends and cuts lists that would have fitted one chunk later.
//
// Idea: a chunk's price is the squared distance of its size from the target plus the price of the
// boundary at its end (chunk_pieces.cc). The cheapest segmentation is a shortest path over the
// pieces: best[j] = min over i of best[i] + price(i, j). A chunk holds at most max_tokens pieces,
// so the work is linear in the text. Pieces are settled in windows of a few thousand, the last two
// chunks of a window staying open, so that memory stays flat for any input.
//
// Token counts of pieces are added up; a vocabulary where that is not exact (byte-pair merges over
// a boundary) is caught by counting each finished chunk once and halving those that are too long.
#include "ingest/chunker.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/utf8.h"
#include "ingest/chunk_pieces.h"

namespace vade::ingest {
namespace {

// Part of the fingerprint: raise it whenever the same document could be cut differently.
constexpr int kChunkerVersion = 1;
constexpr float kPerChunk = 0.02f;  // of two equally good cuts the one with fewer chunks
// Joining tiny siblings costs this per joint: a section alone is the clearer passage.
constexpr float kPerJoint = 0.15f;

class Chunker {
 public:
  Chunker(const Document& document, const ChunkOptions& options, const TokenCounter& count_tokens)
      : document_(document),
        budget_(options),
        special_tokens_(options.special_tokens),
        tiny_tokens_(budget_.target_tokens / 3),
        window_pieces_(std::max<size_t>(4096, 4 * budget_.max_tokens)),
        count_tokens_(count_tokens),
        cutter_(document, budget_, count_tokens, sink_) {}

  std::vector<Chunk> Run() {
    cutter_.Run();
    Settle(true);
    return std::move(chunks_);
  }

 private:
  struct Step {
    float cost = std::numeric_limits<float>::infinity();
    uint32_t from = 0;
  };

  void Add(const Piece& piece) {
    pieces_.push_back(piece);
    if (pieces_.size() >= window_pieces_) Settle(false);
  }

  void Settle(bool all);
  void ExtendFrom(size_t first, std::vector<Step>& steps) const;
  [[nodiscard]] float SizeCost(size_t tokens) const;
  [[nodiscard]] uint32_t CommonSection(size_t first, size_t last) const;
  void AddChunk(size_t first, size_t end);
  bool TryAddChunk(Chunk chunk);
  void AddHalves(Chunk chunk);
  void SetPages(Chunk& chunk);

  const Document& document_;
  const ChunkBudget budget_;
  const size_t special_tokens_;
  const size_t tiny_tokens_;
  const size_t window_pieces_;
  const TokenCounter& count_tokens_;
  const PieceCutter::Sink sink_ = [this](const Piece& piece) { Add(piece); };
  PieceCutter cutter_;
  std::vector<Piece> pieces_;
  std::vector<Chunk> chunks_;
  size_t page_ = 0;
};

// Finds the cheapest cut of pieces_ and makes chunks of it; unless `all`, the last two stay open.
void Chunker::Settle(bool all) {
  if (pieces_.empty()) return;
  std::vector<Step> steps(pieces_.size() + 1);
  steps[0].cost = 0;
  for (size_t i = 0; i < pieces_.size(); ++i) ExtendFrom(i, steps);
  std::vector<size_t> bounds = {pieces_.size()};
  while (bounds.back() > 0) bounds.push_back(steps[bounds.back()].from);
  std::reverse(bounds.begin(), bounds.end());
  size_t num_chunks = bounds.size() - 1;
  if (!all) num_chunks -= std::min<size_t>(2, num_chunks);
  for (size_t i = 0; i < num_chunks; ++i) AddChunk(bounds[i], bounds[i + 1]);
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(bounds[num_chunks]));
}

// Relaxes every chunk that begins with piece `first`. The single-piece chunk is always possible, so
// every position is reached.
void Chunker::ExtendFrom(size_t first, std::vector<Step>& steps) const {
  const std::vector<Section>& sections = cutter_.sections();
  const Piece& start = pieces_[first];
  const uint32_t top_level = sections[start.section].level;
  size_t overhead = sections[start.section].path_tokens + start.context;
  size_t body = 0;
  bool only_headings = true;  // so far; they deepen the path instead of filling the body
  bool must_be_tiny = false;  // the section being read, because the one before it was not
  size_t section_tokens = 0;  // of the section being read
  float joints = 0;
  for (size_t i = first; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    if (piece.starts_section && i > first) {
      if (only_headings && sections[piece.section].level > sections[pieces_[i - 1].section].level) {
        overhead = sections[piece.section].path_tokens;
      } else {
        const bool whole_sections =
            start.starts_section && sections[piece.section].level >= top_level;
        const bool tiny = section_tokens < tiny_tokens_;
        if (!whole_sections || (must_be_tiny && !tiny)) return;
        must_be_tiny = !tiny;
        section_tokens = 0;
        joints += kPerJoint;
        only_headings = false;
      }
    }
    only_headings &= piece.heading;
    const size_t tokens = only_headings && sections[piece.section].in_path ? 0 : piece.tokens;
    body += tokens;
    section_tokens += tokens;
    const size_t total = overhead + body;
    const bool too_long = total > (joints > 0 ? budget_.target_tokens : budget_.max_tokens) ||
                          piece.end - start.begin > budget_.max_bytes;
    if (too_long && i > first) return;
    const bool at_section_end = i + 1 == pieces_.size() || pieces_[i + 1].starts_section;
    if (joints > 0 && (!at_section_end || (must_be_tiny && section_tokens >= tiny_tokens_)))
      continue;
    const float boundary = i + 1 < pieces_.size() ? pieces_[i + 1].break_cost : 0;
    const float cost = steps[first].cost + SizeCost(total) + boundary + joints + kPerChunk;
    if (cost < steps[i + 1].cost) steps[i + 1] = {cost, static_cast<uint32_t>(first)};
  }
}

float Chunker::SizeCost(size_t tokens) const {
  const auto size = static_cast<float>(tokens);
  const auto target = static_cast<float>(budget_.target_tokens);
  if (tokens <= budget_.target_tokens) {
    const float missing = (target - size) / target;
    return missing * missing;
  }
  const float room = std::max(1.0f, static_cast<float>(budget_.max_tokens) - target);
  const float excess = (size - target) / room;
  return 0.25f * excess * excess;
}

// The section all of pieces [first, end) belong to, after leading headings have deepened it.
uint32_t Chunker::CommonSection(size_t first, size_t end) const {
  const std::vector<Section>& sections = cutter_.sections();
  uint32_t common = pieces_[first].section;
  for (size_t i = first + 1; i < end; ++i) {
    if (!pieces_[i].starts_section) continue;
    const uint32_t next = pieces_[i].section;
    const bool deepens = pieces_[i - 1].heading && sections[next].parent == common;
    if (deepens && common == pieces_[i - 1].section) {
      common = next;
      continue;
    }
    while (common != 0 && sections[common].level >= sections[next].level) {
      common = sections[common].parent;
    }
  }
  return common;
}

void Chunker::AddChunk(size_t first, size_t end) {
  Chunk chunk;
  chunk.begin = pieces_[first].begin;
  chunk.end = pieces_[end - 1].end;
  chunk.heading_path = cutter_.HeadingPath(CommonSection(first, end));
  if (pieces_[first].context > 0) {
    chunk.context = std::string(cutter_.TableHeader(pieces_[first].block));
  }
  AddHalves(std::move(chunk));
}

// Adds the chunk, or its halves when the whole was counted too long.
void Chunker::AddHalves(Chunk chunk) {
  std::vector<Chunk> open = {std::move(chunk)};
  while (!open.empty()) {
    Chunk next = std::move(open.back());
    open.pop_back();
    if (TryAddChunk(next)) continue;
    const std::string_view text =
        std::string_view(document_.text).substr(next.begin, next.end - next.begin);
    const size_t middle = utf8::FloorBoundary(text, text.size() / 2);
    const size_t space = text.find_last_of(" \n", middle);
    size_t cut = space != std::string_view::npos && space > text.size() / 4 ? space : middle;
    if (cut == 0) cut = utf8::Decode(text, 0).length;
    const size_t right_begin = text.find_first_not_of(" \n\t", cut);
    const size_t left_end = text.find_last_not_of(" \n\t", cut - 1);
    if (cut >= text.size() || right_begin == std::string_view::npos ||
        left_end == std::string_view::npos) {
      // One code point with its path: only the path and context can give way.
      next.heading_path.clear();
      next.context.clear();
      next.token_count = static_cast<uint32_t>(count_tokens_(EmbeddingText(next, document_.text)) +
                                               special_tokens_);
      SetPages(next);
      chunks_.push_back(std::move(next));
      continue;
    }
    Chunk right = next;
    right.begin = next.begin + right_begin;
    Chunk left = std::move(next);
    left.end = left.begin + left_end + 1;
    open.push_back(std::move(right));
    open.push_back(std::move(left));
  }
}

bool Chunker::TryAddChunk(Chunk chunk) {
  const size_t tokens = count_tokens_(EmbeddingText(chunk, document_.text));
  if (tokens > budget_.max_tokens) return false;
  chunk.token_count = static_cast<uint32_t>(tokens + special_tokens_);
  SetPages(chunk);
  chunks_.push_back(std::move(chunk));
  return true;
}

void Chunker::SetPages(Chunk& chunk) {
  chunk.ordinal = static_cast<uint32_t>(chunks_.size());
  const std::vector<Page>& pages = document_.pages;
  if (pages.empty()) return;
  // Chunks come in order: the page pointer only moves forward.
  while (page_ + 1 < pages.size() && pages[page_].end <= chunk.begin) ++page_;
  size_t last = page_;
  while (last + 1 < pages.size() && pages[last].end < chunk.end) ++last;
  chunk.first_page = static_cast<uint32_t>(page_);
  chunk.last_page = static_cast<uint32_t>(last);
}

// The headings a body begins with, when they are the end of the path anyway: "A\n\nB\n\n" after
// "… > A > B". Returns their size in bytes.
size_t RepeatedHeadings(std::string_view path, std::string_view body) {
  constexpr std::string_view kSeparator = " > ";
  for (size_t at = 0; at < path.size();) {
    const std::string_view tail = path.substr(at);
    size_t matched = 0;
    bool same = true;
    for (size_t i = 0; i < tail.size() && same; ++matched) {
      if (tail.substr(i, kSeparator.size()) == kSeparator && body.substr(matched, 2) == "\n\n") {
        i += kSeparator.size();
        ++matched;
      } else {
        same = matched < body.size() && tail[i] == body[matched];
        ++i;
      }
    }
    if (same && matched == body.size()) return matched;
    if (same && body.substr(matched, 2) == "\n\n") return matched + 2;
    const size_t next = path.find(kSeparator, at);
    if (next == std::string_view::npos) break;
    at = next + kSeparator.size();
  }
  return 0;
}

}  // namespace

std::string EmbeddingText(const Chunk& chunk, std::string_view document_text) {
  std::string_view body = document_text.substr(chunk.begin, chunk.end - chunk.begin);
  std::string out = chunk.heading_path;
  if (!out.empty()) body.remove_prefix(RepeatedHeadings(out, body));
  for (const std::string_view part : {std::string_view(chunk.context), body}) {
    if (part.empty()) continue;
    if (!out.empty()) out += '\n';
    out += part;
  }
  return out;
}

std::vector<Chunk> ChunkDocument(const Document& document, const ChunkOptions& options,
                                 const TokenCounter& count_tokens) {
  return Chunker(document, options, count_tokens).Run();
}

std::string ChunkerFingerprint(const ChunkOptions& options) {
  return "chunker-" + std::to_string(kChunkerVersion) +
         ";max=" + std::to_string(options.max_tokens) +
         ";special=" + std::to_string(options.special_tokens) +
         ";target=" + std::to_string(options.target_tokens);
}

}  // namespace vade::ingest
