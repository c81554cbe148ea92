// The generation loop: draft, compute, sample, emit.
#include "engine/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/runtime/grammar_matcher.h"
#include "engine/runtime/prompt_lookup.h"
#include "engine/runtime/stop_strings.h"

namespace vade::engine {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<TokenId> EndIds(const tokenizer::Tokenizer& tokenizer) {
  std::vector<TokenId> ids;
  for (size_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.IsEndOfGeneration(static_cast<TokenId>(id))) {
      ids.push_back(static_cast<TokenId>(id));
    }
  }
  return ids;
}

// How much to guess: twice as much after a guess that held, little after one that did not, since
// each wrong row costs time once more rows than a few are computed.
class DraftLength {
 public:
  explicit DraftLength(size_t most) : most_(most), next_(std::min<size_t>(most, kFirst)) {}
  [[nodiscard]] size_t next() const noexcept { return next_; }
  void Learn(size_t drafted, size_t accepted) noexcept {
    if (drafted == 0) return;
    next_ = std::min(most_, accepted == drafted ? 2 * next_ : std::max(accepted, size_t{1}) + 1);
  }

 private:
  static constexpr size_t kFirst = 4;
  size_t most_;
  size_t next_;
};

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

/// One call of Generate.
class GenerationLoop {
 public:
  GenerationLoop(Session& session, const GenerateOptions& options, const TextSink& sink,
                 const CancelToken* cancel, runtime::Sampler sampler, runtime::StopStrings stops,
                 runtime::PromptLookup lookup)
      : session_(session),
        engine_(session.engine_),
        options_(options),
        sink_(sink),
        cancel_(cancel),
        sampler_(std::move(sampler)),
        stops_(std::move(stops)),
        lookup_(std::move(lookup)),
        draft_length_(options.draft_tokens) {
    out_.seed = sampler_.seed();
  }

  Result<Generation> Run(std::span<const TokenId> prompt, const PrefillProgress& progress) {
    if (options_.grammar) {
      VADE_TRY(matcher_, runtime::GrammarMatcher::Create(*options_.grammar, session_.Trie(),
                                                         EndIds(engine_.tokenizer())));
    }
    out_.prompt_tokens = prompt.size();
    const auto started = Clock::now();
    const auto logits = session_.Prefill(prompt, cancel_, progress);
    out_.prefill_ms = MillisecondsSince(started);
    out_.reused_tokens = session_.reused_;
    if (!logits) return EndOnError(logits.error());
    for (const TokenId id : prompt) sampler_.Accept(id);
    lookup_.Append(prompt);
    const auto decoding = Clock::now();
    auto generation = Decode(*logits);
    if (generation) generation->decode_ms = MillisecondsSince(decoding);
    return generation;
  }

 private:
  Result<Generation> Decode(std::span<const float> logits) {
    const size_t vocab = engine_.vocab_size();
    std::vector<TokenId> draft;  // rows computed beyond the sampled token
    size_t row = 0;              // of logits: what is sampled from next
    while (true) {
      VADE_TRY(const bool more, Next(logits.subspan(row * vocab, vocab)));
      if (!more) break;
      if (row < draft.size() && draft[row] == out_.tokens.back().id) {
        ++row;  // guessed: its logits are there already
        ++out_.accepted_tokens;
        continue;
      }
      draft_length_.Learn(draft.size(), row);
      session_.tokens_.resize(session_.tokens_.size() - (draft.size() - row));
      engine_.Truncate(session_.sequence_, session_.tokens_.size());
      const auto computed = Compute(draft);
      if (!computed) return EndOnError(computed.error());
      logits = *computed;
      row = 0;
    }
    engine_.Truncate(session_.sequence_,
                     session_.tokens_.size() - (draft.size() - std::min(row, draft.size())));
    session_.tokens_.resize(engine_.Length(session_.sequence_));
    return Finished();
  }

  /// Samples, accepts and emits one token; false when it was the last.
  Result<bool> Next(std::span<const float> logits) {
    scratch_.assign(logits.begin(), logits.end());
    const runtime::TokenMask* allowed = nullptr;
    if (matcher_) {
      VADE_TRY(allowed, matcher_->AllowedTokens());
    }
    VADE_TRY(runtime::Sampled sampled, sampler_.Sample(scratch_, allowed));
    const TokenId id = sampled.id;
    const auto& tokenizer = engine_.tokenizer();
    if (tokenizer.IsEndOfGeneration(id) && !options_.ignore_end) return Stop(StopReason::kEnd);
    if (matcher_) VADE_CHECK_OK(matcher_->Accept(id));
    sampler_.Accept(id);
    lookup_.Append(id);
    out_.tokens.push_back(std::move(sampled));
    if (!Emit(stops_.Append(tokenizer.IsControl(id) ? "" : tokenizer.TokenText(id)))) {
      return Stop(StopReason::kCaller);
    }
    if (stops_.stopped_by()) {
      out_.stop_string = *stops_.stopped_by();
      return Stop(StopReason::kStopString);
    }
    if (matcher_ && matcher_->must_end()) return Stop(StopReason::kEnd);
    if (out_.tokens.size() == options_.max_tokens) return Stop(StopReason::kMaxTokens);
    if (out_.prompt_tokens + out_.tokens.size() >= engine_.context_length()) {
      return Stop(StopReason::kContextFull);
    }
    if (cancel_ != nullptr && cancel_->cancelled()) return Stop(StopReason::kCancelled);
    return true;
  }

  /// The last token and a guess of what follows it; gives a row of logits for each.
  Result<std::span<const float>> Compute(std::vector<TokenId>& draft) {
    const TokenId last = out_.tokens.back().id;
    const size_t room = engine_.Room(session_.sequence_);
    const size_t longest = std::min(draft_length_.next(), room > 0 ? room - 1 : 0);
    const auto guess = lookup_.Propose(longest);
    draft.assign(guess.begin(), guess.end());
    std::vector<BatchToken> batch = {{session_.sequence_, last, true}};
    for (const TokenId id : draft) batch.push_back({session_.sequence_, id, true});
    const auto logits = engine_.Forward(batch, cancel_);
    if (!logits) {
      draft.clear();
      return tl::unexpected(logits.error());
    }
    for (const BatchToken& token : batch) session_.tokens_.push_back(token.token);
    out_.drafted_tokens += draft.size();
    return *logits;
  }

  bool Emit(const std::string& text) {
    out_.text += text;
    return text.empty() || !sink_ || sink_(text);
  }

  bool Stop(StopReason reason) {
    out_.reason = reason;
    return false;
  }

  Result<Generation> EndOnError(const Error& error) {
    if (error.code != ErrorCode::kCancelled) return tl::unexpected(error);
    out_.reason = StopReason::kCancelled;
    return Finished();
  }

  Result<Generation> Finished() {
    if (out_.reason != StopReason::kStopString && out_.reason != StopReason::kCaller) {
      Emit(stops_.Finish());
    }
    return std::move(out_);
  }

  Session& session_;
  DecoderEngine& engine_;
  const GenerateOptions& options_;
  const TextSink& sink_;
  const CancelToken* cancel_;
  runtime::Sampler sampler_;
  runtime::StopStrings stops_;
  runtime::PromptLookup lookup_;
  std::optional<runtime::GrammarMatcher> matcher_;
  DraftLength draft_length_;
  std::vector<float> scratch_;
  Generation out_;
};

Session::Session(DecoderEngine& engine) : engine_(engine), sequence_(engine.NewSequence()) {}

Session::~Session() { engine_.Remove(sequence_); }

const runtime::TokenTrie& Session::Trie() {
  if (!trie_) {
    const tokenizer::Tokenizer& tokenizer = engine_.tokenizer();
    std::vector<std::string> texts(engine_.vocab_size());
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      const bool is_text = !tokenizer.IsControl(id) && !tokenizer.IsEndOfGeneration(id);
      if (is_text) texts[i] = tokenizer.TokenText(id);
    }
    trie_ = std::make_unique<const runtime::TokenTrie>(texts);
  }
  return *trie_;
}

Result<std::span<const float>> Session::Prefill(std::span<const TokenId> prompt,
                                                const CancelToken* cancel,
                                                const PrefillProgress& progress) {
  constexpr size_t kStep = 512;  // tokens between two reports
  if (prompt.empty()) return Fail(ErrorCode::kInvalidArgument, "prompt: got no tokens");
  if (prompt.size() >= engine_.context_length()) {
    return Fail(ErrorCode::kInvalidArgument, "prompt: got " + std::to_string(prompt.size()) +
                                                 " tokens, the context holds " +
                                                 std::to_string(engine_.context_length()) +
                                                 " and one must be free for the answer");
  }
  const auto differ = std::mismatch(tokens_.begin(), tokens_.end(), prompt.begin(), prompt.end());
  // The last token is always computed: its logits are wanted.
  reused_ = std::min(static_cast<size_t>(differ.first - tokens_.begin()), prompt.size() - 1);
  tokens_.resize(reused_);
  engine_.Truncate(sequence_, reused_);
  std::span<const float> logits;
  while (tokens_.size() < prompt.size()) {
    const size_t count = std::min(kStep, prompt.size() - tokens_.size());
    std::vector<BatchToken> batch;
    for (const TokenId id : prompt.subspan(tokens_.size(), count)) {
      batch.push_back({sequence_, id, false});
    }
    batch.back().wants_logits = tokens_.size() + count == prompt.size();
    VADE_TRY(logits, engine_.Forward(batch, cancel));
    for (const BatchToken& token : batch) tokens_.push_back(token.token);
    if (progress) progress(tokens_.size(), prompt.size());
  }
  return logits;
}

Result<Generation> Session::Generate(std::span<const TokenId> prompt,
                                     const GenerateOptions& options, const TextSink& sink,
                                     const CancelToken* cancel, const PrefillProgress& progress) {
  VADE_TRY(runtime::Sampler sampler,
           runtime::Sampler::Create(options.sampling, engine_.vocab_size()));
  VADE_TRY(runtime::StopStrings stops, runtime::StopStrings::Create(options.stop));
  VADE_TRY(runtime::PromptLookup lookup, runtime::PromptLookup::Create({}));
  GenerationLoop loop(*this, options, sink, cancel, std::move(sampler), std::move(stops),
                      std::move(lookup));
  return loop.Run(prompt, progress);
}

}  // namespace vade::engine
