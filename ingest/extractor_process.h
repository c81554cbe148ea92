// The parent's side of an extractor process: starts it, feeds it, stops it, reads what it says.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "ingest/document.h"
#include "ingest/extract.h"
#include "ingest/sniff.h"

namespace vade::ingest {

/// Runs the extractor for `type` on the bytes behind `input_fd` (a regular or memory file).
/// Errors: those of the extractor; kResource "timed out after N s", "extractor killed: SIGSEGV",
/// "out of memory"; kCancelled; kInternal when the executable is missing.   Threads: safe.
[[nodiscard]] Result<Document> RunExtractor(FileType type, std::string_view file_name, int input_fd,
                                            const ExtractLimits& limits, const CancelToken* cancel);

/// Path of an executable that ships with vade: in $VADE_LIBEXEC if set, else beside the running
/// program, else in ../libexec/vade. kInternal names the places when it is nowhere.
[[nodiscard]] Result<std::string> FindHelper(std::string_view name);

}  // namespace vade::ingest
