// JSON of search results and answers: what --json prints and the server sends.
#pragma once

#include <nlohmann/json.hpp>

#include "qa/answer/answerer.h"
#include "qa/answer/model_answerer.h"
#include "retriever/retriever.h"

namespace vade::qa {

/// Paths are escaped (utf8::Escape), so that every result is valid JSON text.
[[nodiscard]] nlohmann::json ToJson(const retriever::SearchResult& result);

/// Score and features.
[[nodiscard]] nlohmann::json ToJson(const Evidence& evidence);

/// Everything: answer, pieces, citations with offsets, evidence, timings, nearest passages.
[[nodiscard]] nlohmann::json ToJson(const Answer& answer);

/// The same for a language model's answer, with the token ledger and the model's own words.
[[nodiscard]] nlohmann::json ToJson(const ModelAnswer& answer);

}  // namespace vade::qa
