// Walks the ranking once: each chunk starts a passage, joins one, or is named as a duplicate.
#include "retriever/passages.h"

#include <algorithm>
#include <utility>

#include "retriever/near_duplicates.h"

namespace vade::retriever {
namespace {

// A section of more chunks than this is better read at its place than as one passage.
constexpr size_t kMaxMergedChunks = 3;
// How far below the k-th passage a neighbour or a duplicate of a shown passage is still looked for.
constexpr size_t kLookahead = 2;

struct Draft {
  Passage passage;
  TextPrint print;
  uint32_t first_ordinal = 0;
  uint32_t last_ordinal = 0;
};

class Builder {
 public:
  Builder(const vectorstore::Store& store, const SearchOptions& options, DocumentCache& documents)
      : store_(store), options_(options), documents_(documents) {}

  Result<void> Add(const Candidate& candidate, size_t rank) {
    VADE_TRY(const vectorstore::ChunkRecord chunk, store_.GetChunk(candidate.chunk));
    VADE_TRY(const DocumentView* view, documents_.Get(chunk.document));
    if (chunk.begin > chunk.end || chunk.end > view->text.size()) {
      return Fail(ErrorCode::kCorruptData, "store: chunk " + std::to_string(chunk.id) +
                                               ": offsets outside the text of document " +
                                               std::to_string(chunk.document));
    }
    if (options_.merge_neighbours && MergeIntoNeighbour(chunk, *view)) return {};
    Draft draft = NewDraft(candidate, rank, chunk, *view);
    if (options_.collapse_duplicates && NoteDuplicate(draft)) return {};
    if (drafts_.size() >= options_.k || AtDocumentCap(chunk.document)) return {};
    drafts_.push_back(std::move(draft));
    return {};
  }

  std::vector<Passage> Take() {
    std::vector<Passage> passages;
    for (Draft& draft : drafts_) passages.push_back(std::move(draft.passage));
    return passages;
  }

 private:
  Draft NewDraft(const Candidate& candidate, size_t rank, const vectorstore::ChunkRecord& chunk,
                 const DocumentView& view) const {
    Draft draft;
    draft.first_ordinal = draft.last_ordinal = chunk.ordinal;
    Passage& passage = draft.passage;
    passage.document = chunk.document;
    passage.chunks = {chunk.id};
    passage.best_chunk = chunk.id;
    passage.path = view.record.path;
    passage.title = view.record.title;
    passage.heading_path = chunk.heading_path;
    passage.context = chunk.context;
    passage.begin = chunk.begin;
    passage.end = chunk.end;
    passage.score = candidate.score;
    passage.lexical = candidate.lexical;
    passage.dense = candidate.dense;
    passage.identifier_bonus = candidate.identifier_bonus;
    passage.name_credit = candidate.name_credit;
    passage.reranked = candidate.reranked;
    if (options_.mode == Mode::kHybrid) {
      passage.fused = candidate.fused.value_or(StageScore{rank, candidate.score});
    }
    SetPages(passage, chunk, view);
    SetText(draft, view);
    return draft;
  }

  static void SetPages(Passage& passage, const vectorstore::ChunkRecord& chunk,
                       const DocumentView& view) {
    if (chunk.first_page >= view.pages.size() || chunk.last_page >= view.pages.size()) return;
    const vectorstore::PageRecord& first = view.pages[chunk.first_page];
    const vectorstore::PageRecord& last = view.pages[chunk.last_page];
    if (passage.first_page_number == 0 || first.number < passage.first_page_number) {
      passage.first_page = first.label;
      passage.first_page_number = first.number;
    }
    if (last.number > passage.last_page_number) {
      passage.last_page = last.label;
      passage.last_page_number = last.number;
    }
  }

  static void SetText(Draft& draft, const DocumentView& view) {
    Passage& passage = draft.passage;
    passage.text = view.text.substr(passage.begin, passage.end - passage.begin);
    draft.print = PrintOf(passage.text);
  }

  bool MergeIntoNeighbour(const vectorstore::ChunkRecord& chunk, const DocumentView& view) {
    for (Draft& draft : drafts_) {
      Passage& passage = draft.passage;
      if (passage.document != chunk.document || passage.heading_path != chunk.heading_path ||
          passage.chunks.size() >= kMaxMergedChunks) {
        continue;
      }
      if (chunk.ordinal + 1 == draft.first_ordinal) {
        passage.chunks.insert(passage.chunks.begin(), chunk.id);
        passage.context = chunk.context;
        draft.first_ordinal = chunk.ordinal;
      } else if (chunk.ordinal == draft.last_ordinal + 1) {
        passage.chunks.push_back(chunk.id);
        draft.last_ordinal = chunk.ordinal;
      } else {
        continue;
      }
      passage.begin = std::min(passage.begin, chunk.begin);
      passage.end = std::max(passage.end, chunk.end);
      SetPages(passage, chunk, view);
      SetText(draft, view);
      return true;
    }
    return false;
  }

  bool NoteDuplicate(const Draft& draft) {
    for (Draft& kept : drafts_) {
      if (!NearDuplicate(kept.print, draft.print)) continue;
      const Passage& other = draft.passage;
      kept.passage.duplicates.push_back(
          other.heading_path.empty() ? other.path : other.path + "#" + other.heading_path);
      return true;
    }
    return false;
  }

  bool AtDocumentCap(vectorstore::DocumentId document) const {
    if (options_.max_per_document == 0) return false;
    const auto same = [&](const Draft& draft) { return draft.passage.document == document; };
    return static_cast<size_t>(std::count_if(drafts_.begin(), drafts_.end(), same)) >=
           options_.max_per_document;
  }

  const vectorstore::Store& store_;
  const SearchOptions& options_;
  DocumentCache& documents_;
  std::vector<Draft> drafts_;
};

}  // namespace

Result<const DocumentView*> DocumentCache::Get(vectorstore::DocumentId id) {
  const auto known = documents_.find(id);
  if (known != documents_.end()) return known->second.get();
  VADE_TRY(auto view, shared_ == nullptr ? Read(id) : Share(id));
  return (documents_[id] = std::move(view)).get();
}

Result<std::shared_ptr<const DocumentView>> DocumentCache::Read(vectorstore::DocumentId id) const {
  auto view = std::make_shared<DocumentView>();
  VADE_TRY(view->record, store_->GetDocument(id));
  VADE_TRY(view->pages, store_->GetPages(id));
  VADE_TRY(view->text, store_->GetText(id));
  return view;
}

// Under the generation that was there before it was read: what is newer is never taken for older.
Result<std::shared_ptr<const DocumentView>> DocumentCache::Share(vectorstore::DocumentId id) {
  if (!generation_) {
    VADE_TRY(generation_, store_->GetGeneration());
  }
  std::string key = std::to_string(*generation_) + ":" + std::to_string(id);
  if (auto known = shared_->Find(key)) return *std::move(known);
  VADE_TRY(std::shared_ptr<const DocumentView> view, Read(id));
  const size_t size = sizeof(DocumentView) + view->text.size() +
                      view->pages.size() * sizeof(vectorstore::PageRecord);
  shared_->Put(std::move(key), view, size);
  return view;
}

Result<std::vector<Passage>> BuildPassages(const vectorstore::Store& store,
                                           const std::vector<Candidate>& ranked,
                                           const SearchOptions& options, DocumentCache& documents) {
  Builder builder(store, options, documents);
  // With a cap, or with many duplicates, filling k places may need the whole ranking.
  const size_t look_at = options.max_per_document > 0 ? ranked.size() : kLookahead * options.k;
  for (size_t i = 0; i < ranked.size() && i < look_at; ++i) {
    VADE_CHECK_OK(builder.Add(ranked[i], i + 1));
  }
  return builder.Take();
}

}  // namespace vade::retriever
