// Plain mapping of structs to objects; absent stages are null.
#include "qa/answer/json_format.h"

#include "engine/base/utf8.h"

namespace vade::qa {
namespace {

using nlohmann::json;

json ToJson(const std::optional<retriever::StageScore>& stage) {
  if (!stage) return nullptr;
  json out{{"score", stage->score}};
  out["rank"] = stage->rank > 0 ? json(stage->rank) : json(nullptr);
  return out;
}

json ToJson(const std::vector<retriever::StageTiming>& timings) {
  json out = json::object();
  for (const retriever::StageTiming& timing : timings) out[timing.stage + "_ms"] = timing.ms;
  return out;
}

json ToJson(const retriever::Passage& passage, size_t rank) {
  json out{{"rank", rank},
           {"document", passage.document},
           {"path", utf8::Escape(passage.path)},
           {"title", passage.title},
           {"heading_path", passage.heading_path},
           {"context", passage.context},
           {"begin", passage.begin},
           {"end", passage.end},
           {"text", passage.text},
           {"chunks", passage.chunks},
           {"score", passage.score},
           {"lexical", ToJson(passage.lexical)},
           {"dense", ToJson(passage.dense)},
           {"fused", ToJson(passage.fused)},
           {"reranked", ToJson(passage.reranked)},
           {"identifier_bonus", passage.identifier_bonus},
           {"name_credit", passage.name_credit},
           {"first_page", nullptr},
           {"last_page", nullptr},
           {"duplicates", json::array()}};
  if (passage.first_page_number > 0) {
    out["first_page"] = {{"label", passage.first_page}, {"number", passage.first_page_number}};
    out["last_page"] = {{"label", passage.last_page}, {"number", passage.last_page_number}};
  }
  for (const std::string& name : passage.duplicates) {
    out["duplicates"].push_back(utf8::Escape(name));
  }
  return out;
}

json ToJson(const Citation& citation) {
  json out{{"number", citation.number},
           {"document", citation.document},
           {"path", utf8::Escape(citation.path)},
           {"title", citation.title},
           {"heading_path", citation.heading_path},
           {"page", nullptr},
           {"quote", citation.quote},
           {"begin", citation.begin},
           {"end", citation.end},
           {"match", MatchName(citation.match)}};
  if (citation.page_number > 0) {
    out["page"] = {{"label", citation.page}, {"number", citation.page_number}};
  }
  return out;
}

std::string_view PieceName(PieceKind kind) {
  switch (kind) {
    case PieceKind::kSentence:
      return "sentence";
    case PieceKind::kLeadIn:
      return "lead-in";
    case PieceKind::kStep:
      return "step";
    case PieceKind::kTableRow:
      return "table row";
  }
  return "sentence";
}

}  // namespace

json ToJson(const retriever::SearchResult& result) {
  json passages = json::array();
  for (const retriever::Passage& passage : result.passages) {
    passages.push_back(ToJson(passage, passages.size() + 1));
  }
  return {{"passages", std::move(passages)},
          {"lexical_candidates", result.lexical_candidates},
          {"dense_candidates", result.dense_candidates},
          {"dense_trust", result.dense_trust},
          {"dense_weight", result.dense_weight},
          {"warnings", result.warnings},
          {"timings", ToJson(result.timings)}};
}

json ToJson(const Evidence& evidence) {
  const EvidenceFeatures& f = evidence.features;
  return {{"score", evidence.score},
          {"features",
           {{"best_cosine", f.best_cosine},
            {"answer_cosine", f.answer_cosine},
            {"passage_coverage", f.passage_coverage},
            {"answer_coverage", f.answer_coverage},
            {"unknown_share", f.unknown_share},
            {"identifier_share", f.identifier_share},
            {"name_share", f.name_share},
            {"dense_trust", f.dense_trust},
            {"value_missing", f.value_missing}}}};
}

json ToJson(const Answer& answer) {
  json pieces = json::array();
  for (const AnswerPiece& piece : answer.pieces) {
    pieces.push_back({{"kind", PieceName(piece.kind)},
                      {"text", piece.text},
                      {"citation", piece.citation},
                      {"score", piece.score}});
  }
  json citations = json::array();
  for (const Citation& citation : answer.citations) citations.push_back(ToJson(citation));
  const json search = ToJson(answer.search);
  return {{"refused", answer.refused},
          {"answer", answer.Text()},
          {"question_kind", KindName(answer.kind)},
          {"language", answer.language == Language::kKorean ? "ko" : "en"},
          {"sentences", std::move(pieces)},
          {"citations", std::move(citations)},
          {"evidence", ToJson(answer.evidence)},
          {"passages", search["passages"]},
          {"warnings", answer.search.warnings},
          {"timings", ToJson(answer.timings)}};
}

json ToJson(const ModelAnswer& answer) {
  json sentences = json::array();
  for (const GroundedSentence& sentence : answer.sentences) {
    sentences.push_back({{"text", sentence.text},
                         {"support", SupportName(sentence.support)},
                         {"citations", sentence.citations},
                         {"citation_corrected", sentence.moved}});
  }
  json citations = json::array();
  for (const Citation& citation : answer.citations) citations.push_back(ToJson(citation));
  json ledger = json::array();
  for (const LedgerEntry& entry : answer.ledger) {
    ledger.push_back(
        {{"what", entry.what}, {"tokens", entry.tokens}, {"included", entry.included}});
    if (!entry.included) ledger.back()["reason"] = entry.reason;
  }
  const engine::ModelReply& generation = answer.generation;
  const json search = ToJson(answer.search);
  return {{"refused", answer.refused},
          {"answer", answer.Text()},
          {"sentences", std::move(sentences)},
          {"citations", std::move(citations)},
          {"ledger", {{"budget_tokens", answer.budget_tokens}, {"parts", std::move(ledger)}}},
          {"generation",
           {{"text", generation.text},
            {"stop_reason", engine::StopReasonName(generation.reason)},
            {"seed", generation.seed},
            {"prompt_tokens", generation.prompt_tokens},
            {"reused_tokens", generation.reused_tokens},
            {"completion_tokens", generation.completion_tokens},
            {"drafted_tokens", generation.drafted_tokens},
            {"accepted_tokens", generation.accepted_tokens},
            {"prefill_ms", generation.prefill_ms},
            {"decode_ms", generation.decode_ms}}},
          {"passages", search["passages"]},
          {"warnings", answer.warnings},
          {"timings", ToJson(answer.timings)}};
}

}  // namespace vade::qa
