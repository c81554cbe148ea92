// ToolLoop: a model asks for tools, gets what they give, and goes on until it answers.
//
// What stands between the model and a tool, in this order: the tool exists; its arguments fit the
// schema; it stays on this machine or the user permits the call; its output is cleaned, cut and
// marked as data. Text from documents and from the net cannot be told from instructions by a model:
// the permission is what keeps a call that it was talked into from leaving the machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/cancel.h"
#include "engine/base/result.h"
#include "engine/language_model.h"
#include "qa/tools/tool.h"

namespace vade::qa {

/// Asks the user whether this one call may leave the machine. The arguments are shown whole.
using ConfirmCall = std::function<bool(const Tool& tool, const std::string& arguments)>;

struct ToolLoopOptions {
  size_t max_steps = 6;      // replies with calls; then an answer is asked for without tools
  size_t max_malformed = 2;  // unknown tools and wrong arguments that are told to the model
  size_t max_calls_a_step = 8;
  std::chrono::milliseconds time_limit{300'000};  // of all of it; a local model on a CPU is slow
  size_t max_output_bytes = 12'000;               // of one call, about 3,000 tokens
  std::set<std::string> allowed;  // tools that may leave the machine without being asked about
  ConfirmCall confirm;            // null: nobody to ask, so the answer is no
};

enum class CallOutcome : uint8_t { kDone, kFailed, kDenied, kMalformed, kRepeated };

[[nodiscard]] std::string_view OutcomeName(CallOutcome outcome);  // "done", "failed", ...

/// What was called, with what, and what it gave.
struct ToolTrace {
  size_t step = 1;
  std::string name;
  std::string arguments;
  CallOutcome outcome = CallOutcome::kDone;
  std::string result;  // as the model was given it, without the marks
  bool is_cut = false;
  double ms = 0;
};

struct ToolRun {
  engine::ModelReply reply;                   // the last one: the answer
  std::vector<engine::ChatMessage> messages;  // calls and outputs that came before it
  std::vector<ToolTrace> trace;
  std::vector<std::string> warnings;  // a limit that was reached
  size_t prompt_tokens = 0;           // of all replies
  size_t completion_tokens = 0;
};

struct ToolLoopSinks {
  std::function<void(const ToolTrace&)> call;  // after each
  engine::PrefillProgress progress;
};

/// Runs `request` (messages and sampling; its tools are those of the box) to its answer.
/// Errors: those of the model; kCancelled; kResource when the time limit ends it.
[[nodiscard]] Result<ToolRun> RunTools(engine::LanguageModel& model, engine::ModelRequest request,
                                       const ToolBox& box, const ToolLoopOptions& options,
                                       const ToolLoopSinks& sinks, const CancelToken* cancel);

}  // namespace vade::qa
