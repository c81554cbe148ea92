#include "engine/generation.h"

#include <algorithm>
#include <utility>

namespace vade::engine {
namespace {

using tokenizer::TokenId;

constexpr size_t kFirstDraft = 4;

}  // namespace

std::string_view StopReasonName(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::kEnd:
    case StopReason::kStopString:
      return "stop";
    case StopReason::kMaxTokens:
      return "length";
    case StopReason::kContextFull:
      return "context_full";
    case StopReason::kCaller:
    case StopReason::kCancelled:
      break;
  }
  return "cancelled";
}

Result<void> CheckPromptLength(size_t prompt_tokens, size_t context_length) {
  if (prompt_tokens == 0) return Fail(ErrorCode::kInvalidArgument, "prompt: got no tokens");
  if (prompt_tokens < context_length) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "prompt: got " + std::to_string(prompt_tokens) + " tokens, the context holds " +
                  std::to_string(context_length) + " and one must be free for the answer");
}

GenerationRun::DraftLength::DraftLength(size_t most)
    : most_(most), next_(std::min(most, kFirstDraft)) {}

void GenerationRun::DraftLength::Learn(size_t drafted, size_t accepted) noexcept {
  if (drafted == 0) return;
  next_ = std::min(most_, accepted == drafted ? 2 * next_ : std::max(accepted, size_t{1}) + 1);
}

Result<GenerationRun> GenerationRun::Create(const Parts& parts, const GenerateOptions& options,
                                            std::span<const TokenId> prompt, TextSink sink,
                                            const CancelToken* cancel) {
  VADE_TRY(runtime::Sampler sampler, runtime::Sampler::Create(options.sampling, parts.vocab_size));
  VADE_TRY(runtime::StopStrings stops, runtime::StopStrings::Create(options.stop));
  VADE_TRY(runtime::PromptLookup lookup, runtime::PromptLookup::Create({}));
  GenerationRun run(parts, options, std::move(sink), cancel, std::move(sampler), std::move(stops),
                    std::move(lookup));
  if (options.grammar) {
    VADE_TRY(run.matcher_, runtime::GrammarMatcher::Create(*options.grammar, parts.tries.Text(),
                                                           parts.tries.EndIds()));
  }
  if (options.calls) {
    run.scan_.emplace(options.calls->marks, options.calls->only_at_start);
    run.calls_grammar_ = options.calls->grammar;
    if (options.calls->marks.empty()) VADE_CHECK_OK(run.BeginCalls());
  }
  run.out_.prompt_tokens = prompt.size();
  for (const TokenId id : prompt) run.sampler_.Accept(id);
  if (options.draft_tokens > 0) run.lookup_.Append(prompt);
  return run;
}

GenerationRun::GenerationRun(const Parts& parts, const GenerateOptions& options, TextSink sink,
                             const CancelToken* cancel, runtime::Sampler sampler,
                             runtime::StopStrings stops, runtime::PromptLookup lookup)
    : parts_(parts),
      max_tokens_(options.max_tokens),
      ignore_end_(options.ignore_end),
      sink_(std::move(sink)),
      cancel_(cancel),
      sampler_(std::move(sampler)),
      stops_(std::move(stops)),
      lookup_(std::move(lookup)),
      draft_length_(options.draft_tokens),
      rows_(1) {
  out_.seed = sampler_.seed();
}

std::span<const TokenId> GenerationRun::NextRows(size_t longest_draft) {
  rows_.assign(1, out_.tokens.back().id);
  const size_t longest = std::min(draft_length_.next(), longest_draft);
  if (longest > 0) {
    const auto guess = lookup_.Propose(longest);
    rows_.insert(rows_.end(), guess.begin(), guess.end());
  }
  out_.drafted_tokens += rows_.size() - 1;
  return rows_;
}

Result<size_t> GenerationRun::Take(std::span<const float> logits) {
  const size_t drafted = rows_.size() - 1;
  size_t row = 0;
  while (true) {
    VADE_CHECK_OK(Next(logits.subspan(row * parts_.vocab_size, parts_.vocab_size)));
    if (done_) break;
    const bool guessed = row < drafted && rows_[row + 1] == out_.tokens.back().id;
    if (!guessed) break;
    ++row;  // its logits are there already
    ++out_.accepted_tokens;
  }
  draft_length_.Learn(drafted, row);
  return row + 1;
}

// Samples, accepts and emits one token.
Result<void> GenerationRun::Next(std::span<const float> logits) {
  const runtime::TokenMask* allowed = nullptr;
  if (matcher_) {
    VADE_TRY(allowed, matcher_->AllowedTokens());
  }
  VADE_TRY(runtime::Sampled sampled, sampler_.Sample(logits, allowed));
  const TokenId id = sampled.id;
  if (parts_.tokenizer.IsEndOfGeneration(id) && !ignore_end_) {
    Stop(StopReason::kEnd);
    return {};
  }
  if (matcher_) VADE_CHECK_OK(matcher_->Accept(id));
  sampler_.Accept(id);
  if (draft_length_.next() > 0) lookup_.Append(id);
  out_.tokens.push_back(std::move(sampled));
  VADE_CHECK_OK(Read(id));
  if (done_) return {};
  if (MustEnd()) {
    Stop(StopReason::kEnd);
  } else if (out_.tokens.size() == max_tokens_) {
    Stop(StopReason::kMaxTokens);
  } else if (out_.prompt_tokens + out_.tokens.size() >= parts_.context_length) {
    Stop(StopReason::kContextFull);
  } else if (cancel_ != nullptr && cancel_->cancelled()) {
    Stop(StopReason::kCancelled);
  }
  return {};
}

// The token's text goes to whom it concerns.
Result<void> GenerationRun::Read(TokenId id) {
  std::string piece = parts_.tokenizer.TokenText(id);
  const bool is_mark = (scan_ || in_calls_) && IsCallMark(piece);
  if (parts_.tokenizer.IsControl(id) && !is_mark) piece.clear();
  if (in_calls_) {
    out_.calls += piece;
    return {};
  }
  if (scan_) piece = scan_->Append(piece);
  Show(piece);
  if (done_ || !scan_) return {};
  if (scan_->over()) scan_.reset();
  return scan_ && scan_->found() ? BeginCalls() : Result<void>();
}

void GenerationRun::Show(const std::string& piece) {
  if (!Emit(stops_.Append(piece))) {
    Stop(StopReason::kCaller);
  } else if (stops_.stopped_by()) {
    out_.stop_string = *stops_.stopped_by();
    Stop(StopReason::kStopString);
  }
}

// From here on there are calls only. What a mark begins may still not be one: then it is text.
Result<void> GenerationRun::BeginCalls() {
  const std::string begun = scan_->held();
  if (calls_grammar_) {
    VADE_TRY(auto matcher,
             runtime::GrammarMatcher::Create(*std::move(calls_grammar_), parts_.tries.Calls(),
                                             parts_.tries.EndIds()));
    calls_grammar_.reset();
    if (!begun.empty() && !matcher.AcceptText(begun)) {
      scan_.reset();
      Show(begun);
      return {};
    }
    matcher_ = std::move(matcher);
  }
  in_calls_ = true;
  out_.calls = begun;
  scan_.reset();
  return {};
}

bool GenerationRun::MustEnd() const { return matcher_ && matcher_->must_end(); }

bool GenerationRun::Emit(const std::string& text) {
  out_.text += text;
  return text.empty() || !sink_ || sink_(text);
}

Generation GenerationRun::Finish() {
  if (out_.reason != StopReason::kStopString && out_.reason != StopReason::kCaller) {
    std::string rest = scan_ ? stops_.Append(scan_->held()) : "";
    rest += stops_.Finish();
    static_cast<void>(Emit(rest));
  }
  return std::move(out_);
}

}  // namespace vade::engine
