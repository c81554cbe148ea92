#include "qa/tools/tool_loop.h"

#include <algorithm>
#include <utility>

#include "engine/base/utf8.h"
#include "qa/tools/arguments.h"
#include "qa/tools/deadline.h"
#include "qa/tools/tool_output.h"

namespace vade::qa {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxArgumentBytes = 16'000;

class Loop {
 public:
  Loop(engine::LanguageModel& model, engine::ModelRequest request, const ToolBox& box,
       const ToolLoopOptions& options, const ToolLoopSinks& sinks, const CancelToken* cancel)
      : model_(model),
        request_(std::move(request)),
        box_(box),
        options_(options),
        sinks_(sinks),
        cancel_(cancel),
        deadline_(cancel, options.time_limit) {}

  Result<ToolRun> Run() {
    OfferTools();
    for (size_t step = 1;; ++step) {
      VADE_TRY(engine::ModelReply reply, Reply());
      run_.prompt_tokens += reply.prompt_tokens;
      run_.completion_tokens += reply.completion_tokens;
      const bool last = request_.tool_choice.mode == engine::ToolChoice::Mode::kNone;
      if (reply.tool_calls.empty() || last) {
        run_.reply = std::move(reply);
        run_.reply.tool_calls.clear();
        return std::move(run_);
      }
      VADE_CHECK_OK(TakeCalls(step, std::move(reply)));
      if (step >= options_.max_steps) {
        StopCalling("no more than " + std::to_string(options_.max_steps) + " steps with tools");
      } else if (malformed_ > options_.max_malformed) {
        StopCalling("the model kept calling tools in a wrong way");
      }
    }
  }

 private:
  // A tool that could only be denied is not offered.
  void OfferTools() {
    request_.tools.clear();
    for (const Tool& tool : box_.tools()) {
      const bool possible =
          !tool.leaves_machine || options_.confirm || options_.allowed.contains(tool.spec.name);
      if (possible) request_.tools.push_back(tool.spec);
    }
    request_.tool_choice = {};
  }

  // The tools stay in the prompt, which servers want of a conversation with calls in it.
  void StopCalling(const std::string& why) {
    run_.warnings.push_back(why);
    request_.tool_choice.mode = engine::ToolChoice::Mode::kNone;
  }

  Result<engine::ModelReply> Reply() {
    const auto keep = [](std::string_view) { return true; };
    auto reply = model_.Generate(request_, keep, deadline_.token(), sinks_.progress);
    const bool stopped = reply ? reply->reason == engine::StopReason::kCancelled
                               : reply.error().code == ErrorCode::kCancelled;
    if (stopped || IsOver()) return Stopped();
    return reply;
  }

  // Asked directly, since the token follows a little later.
  [[nodiscard]] bool IsOver() const {
    return deadline_.is_over() || (cancel_ != nullptr && cancel_->cancelled());
  }

  tl::unexpected<Error> Stopped() const {
    if (cancel_ != nullptr && cancel_->cancelled()) {
      return Fail(ErrorCode::kCancelled, "interrupted");
    }
    return Fail(ErrorCode::kResource, "the time limit of " +
                                          std::to_string(options_.time_limit.count() / 1000) +
                                          " s for an answer with tools is over, after " +
                                          std::to_string(run_.trace.size()) + " calls");
  }

  void Add(engine::ChatMessage message) {
    request_.messages.push_back(message);
    run_.messages.push_back(std::move(message));
  }

  Result<void> TakeCalls(size_t step, engine::ModelReply reply) {
    std::vector<engine::ToolCall> calls = std::move(reply.tool_calls);
    const bool too_many = calls.size() > options_.max_calls_a_step;
    if (too_many) {
      calls.resize(options_.max_calls_a_step);
      run_.warnings.push_back("only the first " + std::to_string(options_.max_calls_a_step) +
                              " calls of one step were made");
    }
    for (engine::ToolCall& call : calls) {
      if (call.id.empty()) call.id = "call_" + std::to_string(++named_calls_);
    }
    engine::ChatMessage asked{"assistant", reply.text};
    asked.tool_calls = calls;
    Add(std::move(asked));
    for (const engine::ToolCall& call : calls) {
      const auto start = Clock::now();
      ToolTrace trace = Call(call);
      if (IsOver()) return Stopped();
      trace.step = step;
      trace.ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      engine::ChatMessage answer{"tool", MarkToolOutput(trace.name, trace.result)};
      answer.tool_call_id = call.id;
      answer.tool_name = call.name;
      Add(std::move(answer));
      if (sinks_.call) sinks_.call(trace);
      run_.trace.push_back(std::move(trace));
    }
    return {};
  }

  ToolTrace Call(const engine::ToolCall& call) {
    ToolTrace trace;
    trace.name = utf8::Escape(call.name.substr(0, 64));
    trace.arguments = RemoveUnseen(call.arguments);
    const auto refuse = [&](CallOutcome outcome, const std::string& text) {
      malformed_ += outcome == CallOutcome::kMalformed ? 1 : 0;
      trace.outcome = outcome;
      trace.result = RemoveUnseen(text);
      return std::move(trace);
    };
    const Tool* tool = box_.Find(call.name);
    if (tool == nullptr) {
      return refuse(CallOutcome::kMalformed,
                    "error: there is no tool '" + trace.name + "', there are " + box_.Names());
    }
    if (call.arguments.size() > kMaxArgumentBytes) {
      return refuse(CallOutcome::kMalformed, "error: the arguments are too long");
    }
    const auto arguments = ReadArguments(tool->spec.parameters, call.arguments);
    if (!arguments) {
      return refuse(CallOutcome::kMalformed,
                    "error: " + arguments.error().message + ". Call again with correct arguments.");
    }
    if (!made_.insert(call.name + " " + arguments->dump()).second) {
      return refuse(CallOutcome::kRepeated,
                    "The same call was made before: its output is above. Answer with it.");
    }
    if (!Permits(*tool, arguments->dump())) {
      return refuse(CallOutcome::kDenied,
                    "The user did not permit this call. Do not repeat it; answer without it.");
    }
    const auto output = tool->run(*arguments, deadline_.token());
    if (!output) return refuse(CallOutcome::kFailed, "error: " + output.error().message);
    const std::string clean = RemoveUnseen(*output);
    trace.is_cut = clean.size() > options_.max_output_bytes;
    trace.result = CutText(clean, options_.max_output_bytes);
    return trace;
  }

  [[nodiscard]] bool Permits(const Tool& tool, const std::string& arguments) const {
    if (!tool.leaves_machine || options_.allowed.contains(tool.spec.name)) return true;
    return options_.confirm && options_.confirm(tool, arguments);
  }

  engine::LanguageModel& model_;
  engine::ModelRequest request_;
  const ToolBox& box_;
  const ToolLoopOptions& options_;
  const ToolLoopSinks& sinks_;
  const CancelToken* cancel_;
  Deadline deadline_;
  ToolRun run_;
  std::set<std::string> made_;  // calls by name and arguments
  size_t malformed_ = 0;
  size_t named_calls_ = 0;
};

}  // namespace

std::string_view OutcomeName(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::kDone:
      return "done";
    case CallOutcome::kFailed:
      return "failed";
    case CallOutcome::kDenied:
      return "denied";
    case CallOutcome::kMalformed:
      return "malformed";
    case CallOutcome::kRepeated:
      return "repeated";
  }
  return "failed";
}

Result<ToolRun> RunTools(engine::LanguageModel& model, engine::ModelRequest request,
                         const ToolBox& box, const ToolLoopOptions& options,
                         const ToolLoopSinks& sinks, const CancelToken* cancel) {
  return Loop(model, std::move(request), box, options, sinks, cancel).Run();
}

}  // namespace vade::qa
