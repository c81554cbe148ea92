// libFuzzer target: any bytes as a grammar and as a JSON schema; what is accepted is then followed.
//   grammar_fuzz CORPUS -max_len=4096 -timeout=10 -rss_limit_mb=1024
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/grammar.h"
#include "engine/runtime/grammar_matcher.h"
#include "engine/runtime/json_schema.h"

namespace {

using namespace vade::runtime;

const TokenTrie& Trie() {
  static const TokenTrie trie([] {
    std::vector<std::string> texts{"", "{\"", "\":", "null", "ab", "\xED\x95", "\x9C"};
    for (int byte = 0; byte < 256; ++byte) texts.push_back(std::string(1, static_cast<char>(byte)));
    return texts;
  }());
  return trie;
}

// Picks the allowed token the data asks for; the mask must be believed by Accept.
void Follow(std::string_view gbnf, std::string_view choices) {
  GrammarLimits limits;
  limits.max_nodes = 20'000;
  auto grammar = Grammar::Parse(gbnf, limits);
  if (!grammar) return;
  MatcherLimits budget;
  budget.max_steps = 200'000;
  const TokenId end_id = 0;
  auto matcher = GrammarMatcher::Create(std::move(*grammar), Trie(), {&end_id, 1}, budget);
  if (!matcher) return;
  for (size_t i = 0; i < choices.size() && i < 32; ++i) {
    const auto allowed = matcher->AllowedTokens();
    if (!allowed || (*allowed)->Count() == 0) return;
    auto id = static_cast<TokenId>(static_cast<unsigned char>(choices[i]));
    while (!(*allowed)->Test(id)) id = (id + 1) % static_cast<TokenId>(Trie().vocab_size());
    const auto accepted = matcher->Accept(id);
    if (!accepted && accepted.error().code == vade::ErrorCode::kInvalidArgument) std::abort();
    if (!accepted) return;
    if (matcher->must_end()) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Follow(text, text);
  if (const auto gbnf = JsonSchemaGbnf(text)) Follow(*gbnf, text);
  return 0;
}
