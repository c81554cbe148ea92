// The published expressions, by the names that model files use. Each rule quotes its expression.
// Where llama.cpp reads one differently, its reading counts, since files are made for it: letters
// of tekken and gpt-4o are split by ASCII case only, and marks are no letters there.
#include <algorithm>
#include <initializer_list>

#include "engine/tokenizer/pre_tokenizer.h"

namespace vade::tokenizer {
namespace {

constexpr uint32_t kMany = UINT32_MAX;

// The vocabulary of the expressions.
constexpr CharSet kLetters = {kLetter};
constexpr CharSet kNumbers = {kNumber};
constexpr CharSet kSpaces = {kWhiteSpace};
constexpr CharSet kBreaks = {kLineBreak};
constexpr CharSet kBreaksOrSlash = {kLineBreak | kSlash};
constexpr CharSet kBlanks = {kBlank};
constexpr CharSet kOthers = {kAnyChar, kWhiteSpace | kLetter | kNumber};     // [^\s\p{L}\p{N}]
constexpr CharSet kBeforeWord = {kAnyChar, kLineBreak | kLetter | kNumber};  // [^\r\n\p{L}\p{N}]
constexpr CharSet kLettersAndMarks = {kLetter | kMark};
constexpr CharSet kNotLower = {kLetter, kAsciiLower};
constexpr CharSet kNotUpper = {kLetter, kAsciiUpper};

constexpr Repeat Maybe(CharSet set) { return {set, 0, 1}; }
constexpr Repeat Any(CharSet set) { return {set, 0, kMany}; }
constexpr Repeat Some(CharSet set) { return {set, 1, kMany}; }
constexpr Repeat UpTo(uint32_t max, CharSet set) { return {set, 1, max}; }
constexpr Repeat Exactly(uint32_t count, CharSet set) { return {set, count, count}; }

constexpr Branch Parts(std::initializer_list<Repeat> parts,
                       Branch::Tail tail = Branch::Tail::kNone) {
  Branch branch;
  branch.tail = tail;
  for (const Repeat& part : parts) branch.parts[branch.num_parts++] = part;
  return branch;
}
constexpr Branch kContraction = {Branch::Kind::kContraction};
constexpr Branch kAnyCaseContraction = {Branch::Kind::kAnyCaseContraction};
constexpr Branch kSpacesNotBeforeText = Parts({Some(kSpaces)}, Branch::Tail::kNotBeforeText);
constexpr Branch kSpacesToLineBreak = Parts({Any(kSpaces), Some(kBreaks)});
constexpr Branch kAnySpaces = Parts({Some(kSpaces)});
constexpr Branch kWord = Parts({Maybe(kBeforeWord), Some(kLetters)});
constexpr Branch kOthersAndLineBreaks = Parts({Maybe(kBlanks), Some(kOthers), Any(kBreaks)});

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
constexpr Branch kGpt2Branches[] = {kContraction,
                                    Parts({Maybe(kBlanks), Some(kLetters)}),
                                    Parts({Maybe(kBlanks), Some(kNumbers)}),
                                    Parts({Maybe(kBlanks), Some(kOthers)}),
                                    kSpacesNotBeforeText,
                                    kAnySpaces};

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+
// |\s+(?!\S)|\s+ with DIGITS \p{N}{1,3}, \p{N} or \p{N}+
template <uint32_t kMaxDigits>
constexpr Branch kLlama3Branches[] = {kAnyCaseContraction,
                                      kWord,
                                      Parts({UpTo(kMaxDigits, kNumbers)}),
                                      kOthersAndLineBreaks,
                                      kSpacesToLineBreak,
                                      kSpacesNotBeforeText,
                                      kAnySpaces};

// The same without contractions.
constexpr Branch kUfakzekaBranches[] = {kWord,
                                        Parts({Exactly(1, kNumbers)}),
                                        kOthersAndLineBreaks,
                                        kSpacesToLineBreak,
                                        kSpacesNotBeforeText,
                                        kAnySpaces};

// ... | ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+
constexpr Branch kSeedCoderBranches[] = {kAnyCaseContraction,
                                         kWord,
                                         Parts({Exactly(1, kNumbers)}),
                                         Parts({Maybe(kBlanks), Some(kOthers)}),
                                         kSpacesToLineBreak,
                                         kSpacesNotBeforeText,
                                         kAnySpaces};

// ... |\s*[\r\n]|\s+(?!\S)|\s+
constexpr Branch kBailingBranches[] = {kAnyCaseContraction,
                                       kWord,
                                       Parts({Exactly(1, kNumbers)}),
                                       kOthersAndLineBreaks,
                                       Parts({Any(kSpaces), Exactly(1, kBreaks)}),
                                       kSpacesNotBeforeText,
                                       kAnySpaces};

// ... |[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*| ...
constexpr CharSet kOthersButMarks = {kAnyChar, kWhiteSpace | kLetter | kMark | kNumber};
constexpr Branch kQwen35Branches[] = {kAnyCaseContraction,
                                      Parts({Maybe(kBeforeWord), Some(kLettersAndMarks)}),
                                      Parts({Exactly(1, kNumbers)}),
                                      Parts({Maybe(kBlanks), Some(kOthersButMarks), Any(kBreaks)}),
                                      kSpacesToLineBreak,
                                      kSpacesNotBeforeText,
                                      kAnySpaces};

// [^\r\n\p{L}\p{N}]?UPPER*LOWER+|[^\r\n\p{L}\p{N}]?UPPER+LOWER*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*
// |\s*[\r\n]+|\s+(?!\S)|\s+
constexpr Branch kTekkenBranches[] = {Parts({Maybe(kBeforeWord), Any(kNotLower), Some(kNotUpper)}),
                                      Parts({Maybe(kBeforeWord), Some(kNotLower), Any(kNotUpper)}),
                                      Parts({Exactly(1, kNumbers)}),
                                      Parts({Maybe(kBlanks), Some(kOthers), Any(kBreaksOrSlash)}),
                                      kSpacesToLineBreak,
                                      kSpacesNotBeforeText,
                                      kAnySpaces};

// The same with (?i:'s|'t|'re|'ve|'m|'ll|'d)? after a word and \p{N}{1,3}.
template <uint32_t kExtraLetters>
constexpr Branch kGpt4oBranches[] = {
    Parts({Maybe(kBeforeWord), Any({kLetter | kExtraLetters, kAsciiLower}),
           Some({kLetter | kExtraLetters, kAsciiUpper})},
          Branch::Tail::kMaybeContraction),
    Parts({Maybe(kBeforeWord), Some({kLetter | kExtraLetters, kAsciiLower}),
           Any({kLetter | kExtraLetters, kAsciiUpper})},
          Branch::Tail::kMaybeContraction),
    Parts({UpTo(3, kNumbers)}),
    Parts({Maybe(kBlanks), Some(kOthers), Any(kBreaksOrSlash)}),
    kSpacesToLineBreak,
    kSpacesNotBeforeText,
    kAnySpaces};

// [ASCII punctuation][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
// ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+
// |\s+(?!\S)|\s+
constexpr CharSet kAsciiPunctuations = {kAsciiPunctuation};
constexpr CharSet kAsciiLetters = {kAsciiLower | kAsciiUpper};
constexpr CharSet kBeforeDeepSeekWord = {kAnyChar, kLineBreak | kLetter | kPunctuation | kSymbol};
constexpr CharSet kPunctuationOrSymbols = {kPunctuation | kSymbol};
constexpr Branch kDeepSeek3Branches[] = {
    Parts({Exactly(1, kAsciiPunctuations), Some(kAsciiLetters)}),
    Parts({Maybe(kBeforeDeepSeekWord), Some(kLettersAndMarks)}),
    Parts({Maybe(kBlanks), Some(kPunctuationOrSymbols), Any(kBreaks)}),
    kSpacesToLineBreak,
    kSpacesNotBeforeText,
    kAnySpaces};

// Expressions of one branch.
template <uint32_t kFeatures>
constexpr Branch kOneOf[] = {Parts({Exactly(1, {kFeatures})})};
template <uint32_t kFeatures>
constexpr Branch kSomeOf[] = {Parts({Some({kFeatures})})};
template <uint32_t kFeatures>
constexpr Branch kMaybeSpaceSomeOf[] = {Parts({Maybe(kSpaces), Some({kFeatures})})};
constexpr Branch kUpTo3Numbers[] = {Parts({UpTo(3, kNumbers)})};
constexpr Branch kThreeDigits[] = {Parts({Exactly(3, {kAsciiDigit})})};
// ` ?[^(\s|.,!?...)]+`: what looks like a group is a character class.
constexpr Branch kBloomBranches[] = {
    Parts({Maybe(kBlanks), Some({kAnyChar, kSentenceEnd | kWhiteSpace})})};
// [^\n]+|[\n]+
constexpr Branch kLineBranches[] = {Parts({Some({kAnyChar, kNewline})}), Parts({Some({kNewline})})};

constexpr SplitRule Rule(std::span<const Branch> branches) {
  return {SplitRule::Kind::kSearch, branches};
}
constexpr SplitRule kTrailingSpaceRule = {SplitRule::Kind::kTrailingSpace, {}};

constexpr SplitRule kGpt2[] = {Rule(kGpt2Branches)};
constexpr SplitRule kSingleDigits[] = {Rule(kOneOf<kNumber>), Rule(kGpt2Branches)};
constexpr SplitRule kFalcon[] = {Rule(kSomeOf<kPunctuation | kOperator | kBacktick>),
                                 Rule(kGpt2Branches), Rule(kThreeDigits)};
constexpr SplitRule kDefault[] = {Rule(kSomeOf<kPunctuation | kOperator>), Rule(kGpt2Branches),
                                  Rule(kSomeOf<kNumber>), Rule(kThreeDigits)};
constexpr SplitRule kLlama3[] = {Rule(kLlama3Branches<3>)};
constexpr SplitRule kQwen2[] = {Rule(kLlama3Branches<1>)};
constexpr SplitRule kQwen35[] = {Rule(kQwen35Branches)};
constexpr SplitRule kMiniCpm5[] = {Rule(kUpTo3Numbers), Rule(kLlama3Branches<kMany>)};
constexpr SplitRule kLaguna[] = {Rule(kLineBranches), Rule(kLlama3Branches<1>)};
constexpr SplitRule kUfakzeka[] = {Rule(kUfakzekaBranches)};
constexpr SplitRule kSeedCoder[] = {Rule(kSeedCoderBranches)};
constexpr SplitRule kBailing[] = {Rule(kBailingBranches)};
constexpr SplitRule kTekken[] = {Rule(kTekkenBranches)};
constexpr SplitRule kGpt4o[] = {Rule(kGpt4oBranches<0>)};
constexpr SplitRule kGraniteMulti[] = {Rule(kGpt4oBranches<kMark>)};
constexpr SplitRule kDeepSeekLlm[] = {Rule(kOneOf<kLineBreak>),
                                      Rule(kMaybeSpaceSomeOf<kDeepSeekLetter>),
                                      Rule(kMaybeSpaceSomeOf<kDeepSeekPrintable>),
                                      kTrailingSpaceRule,
                                      Rule(kSomeOf<kDeepSeekCjk>),
                                      Rule(kSomeOf<kNumber>)};
constexpr SplitRule kDeepSeekCoder[] = {Rule(kOneOf<kLineBreak>), Rule(kMaybeSpaceSomeOf<kLetter>),
                                        Rule(kMaybeSpaceSomeOf<kPunctuation>),
                                        Rule(kSomeOf<kDeepSeekCjk>), Rule(kOneOf<kNumber>)};
constexpr SplitRule kDeepSeek3[] = {Rule(kUpTo3Numbers), Rule(kSomeOf<kHanOrKana>),
                                    Rule(kDeepSeek3Branches)};
constexpr SplitRule kBloom[] = {Rule(kBloomBranches)};
constexpr SplitRule kViking[] = {Rule(kBloomBranches), Rule(kOneOf<kNumber>)};
constexpr SplitRule kLines[] = {Rule(kLineBranches)};

struct Named {
  std::string_view name;
  PreTokenizer value;
};

constexpr PreTokenizer kLlama3Kind = {kLlama3, true, true, true};
constexpr PreTokenizer kGpt2Kind = {kGpt2};
constexpr PreTokenizer kSingleDigitsKind = {kSingleDigits};
constexpr PreTokenizer kQwen2Kind = {kQwen2, false, false, false};
constexpr PreTokenizer kDeepSeek3Kind = {kDeepSeek3, false, false, false};
constexpr PreTokenizer kGpt4oKind = {kGpt4o, false, false, false};
constexpr PreTokenizer kBailingKind = {kBailing, false, false, false};

constexpr Named kByName[] = {
    {"default", {kDefault}},
    {"llama3", kLlama3Kind},
    {"llama-v3", kLlama3Kind},
    {"llama-bpe", kLlama3Kind},
    {"falcon3", kLlama3Kind},
    {"falcon-h1", kLlama3Kind},
    {"pixtral", kLlama3Kind},
    {"midm-2.0", kLlama3Kind},
    {"lfm2", kLlama3Kind},
    {"jina-v5-nano", kLlama3Kind},
    {"dbrx", {kLlama3}},
    {"smaug-bpe", {kLlama3}},
    {"glm4", {kLlama3}},
    {"chatglm-bpe", {kLlama3}},
    {"deepseek-llm", {kDeepSeekLlm, false, false, false}},
    {"deepseek-coder", {kDeepSeekCoder, false, false, false}},
    {"deepseek-v3", kDeepSeek3Kind},
    {"hunyuan-dense", kDeepSeek3Kind},
    {"hy_v4", kDeepSeek3Kind},
    {"joyai-llm", kDeepSeek3Kind},
    {"falcon", {kFalcon}},
    {"starcoder", kSingleDigitsKind},
    {"refact", kSingleDigitsKind},
    {"command-r", {kSingleDigits, false, false, false}},
    {"smollm", {kSingleDigits, false, false, false}},
    {"codeshell", kSingleDigitsKind},
    {"exaone", kSingleDigitsKind},
    {"minerva-7b", kSingleDigitsKind},
    {"mellum2", kSingleDigitsKind},
    {"gpt-2", kGpt2Kind},
    {"phi-2", kGpt2Kind},
    {"mpt", kGpt2Kind},
    {"olmo", kGpt2Kind},
    {"jais", kGpt2Kind},
    {"exaone4", kGpt2Kind},
    {"gigachat", kGpt2Kind},
    {"a.x-4.0", kGpt2Kind},
    {"mellum", kGpt2Kind},
    {"modern-bert", kGpt2Kind},
    {"roberta-bpe", kGpt2Kind},
    {"jina-es", kGpt2Kind},
    {"jina-de", kGpt2Kind},
    {"jina-v1-en", kGpt2Kind},
    {"jina-v2-es", kGpt2Kind},
    {"jina-v2-de", kGpt2Kind},
    {"jina-v2-code", kGpt2Kind},
    {"trillion", {kGpt2, false, false, false}},
    {"granite-docling", {kGpt2, false, false, false}},
    {"qwen2", kQwen2Kind},
    {"deepseek-r1-qwen", kQwen2Kind},
    {"kormo", kQwen2Kind},
    {"f2llmv2", kQwen2Kind},
    {"hunyuan", kQwen2Kind},
    {"grok-2", kQwen2Kind},
    {"solar-open", kQwen2Kind},
    {"stablelm2", {kQwen2}},
    {"megrez", {kQwen2}},
    {"qwen35", {kQwen35, false, false, false}},
    {"minicpm5", {kMiniCpm5, true}},
    {"laguna", {kLaguna, false, false, false}},
    {"ufakzeka", {kUfakzeka, false, false, false}},
    {"seed-coder", {kSeedCoder, false, false, false}},
    {"bailingmoe", kBailingKind},
    {"bailingmoe2", kBailingKind},
    {"llada-moe", kBailingKind},
    {"tekken", {kTekken, true, true, false}},
    {"gpt-4o", kGpt4oKind},
    {"llama4", kGpt4oKind},
    {"kanana2", kGpt4oKind},
    {"talkie", kGpt4oKind},
    {"minimax-m2", kGpt4oKind},
    {"granite-embed-multi-97m", {kGraniteMulti, true, false, false}},
    {"poro-chat", {kBloom, false, false, false}},
    {"bloom", {kBloom}},
    {"gpt3-finnish", {kBloom}},
    {"viking", {kViking, false, false, false}},
    {"gemma4", {kLines, false, true, true, false}},
    {"granite-embed-multi-311m", {kLines, false, true, true, false}},
    {"sarvam-moe", {kLines, false, false, false, false}},
};

}  // namespace

const PreTokenizer* PreTokenizer::Find(std::string_view name) noexcept {
  const auto* found = std::find_if(std::begin(kByName), std::end(kByName),
                                   [&](const Named& named) { return named.name == name; });
  return found == std::end(kByName) ? nullptr : &found->value;
}

}  // namespace vade::tokenizer
