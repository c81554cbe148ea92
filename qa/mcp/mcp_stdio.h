// The Model Context Protocol over two file descriptors: one JSON message a line.
#pragma once

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "qa/mcp/mcp_tools.h"

namespace vade::qa {

/// Serves one client until its end of the input, then lets running requests finish. Tools run on
/// a few threads beside the reader, so that a cancellation is heard. Nothing but protocol messages
/// is written to `output`. A line that is too long is skipped and answered with an error.
/// Errors: kCancelled once `stop` is set (running requests are cancelled); kIo when `input` cannot
/// be read or the client has closed `output`.
[[nodiscard]] Result<void> ServeMcpStdio(const McpTools& tools, int input, int output,
                                         const CancelToken& stop);

}  // namespace vade::qa
