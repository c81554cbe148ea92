// TREC text formats: qrels ("qid iter docno rel") and runs ("qid Q0 docno rank score tag").
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "qa/eval/relevance.h"

namespace vade::qa::eval {

/// Fields are separated by any white space; empty lines, lines that start with '#' and a
/// byte-order mark are skipped; the iter, Q0 and rank columns are ignored, and so is what follows
/// the tag. `name` stands in messages. Errors: kCorruptData with the line number for a missing
/// field, a bad number, or a document given twice for a question; also when nothing was read.
[[nodiscard]] Result<Qrels> ParseTrecQrels(std::string_view text, std::string_view name);
[[nodiscard]] Result<Run> ParseTrecRun(std::string_view text, std::string_view name);

/// The same from a BEIR table: "query-id<TAB>corpus-id<TAB>score" with its header line.
[[nodiscard]] Result<Qrels> ParseBeirQrels(std::string_view text, std::string_view name);

/// Six columns; ranks from 1 in trec_eval's order (score, then document id, both descending);
/// scores with all their digits. White space in an id would split it: kInvalidArgument.
[[nodiscard]] Result<std::string> FormatTrecRun(const Run& run);

/// A file in whichever of the forms it is: TREC, BEIR table (qrels) or a JSON object of objects.
/// "-" reads standard input.
[[nodiscard]] Result<Qrels> LoadQrels(const std::filesystem::path& path);
[[nodiscard]] Result<Run> LoadRun(const std::filesystem::path& path);

}  // namespace vade::qa::eval
