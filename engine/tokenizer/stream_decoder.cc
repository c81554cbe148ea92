// Finds where the last character begins and whether it is all there.
#include "engine/tokenizer/stream_decoder.h"

#include <utility>

#include "engine/base/utf8.h"

namespace vade::tokenizer {
namespace {

// Bytes at the end of `text` that may be the start of a character.
size_t IncompleteBytes(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xC0) continue;  // inside a character
    if (byte < 0xC2 || byte > 0xF4) return 0;  // begins no character
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
    if (length <= back) return 0;
    // Not just short but impossible to complete (overlong, surrogate): let it be repaired now.
    const utf8::CodePoint c = utf8::Decode(text, text.size() - back);
    return c.length == back ? back : 0;
  }
  return 0;
}

}  // namespace

std::string StreamDecoder::Push(TokenId id) {
  if (tokenizer_.IsControl(id)) return {};
  held_ += tokenizer_.TokenText(id);
  const size_t ready = held_.size() - IncompleteBytes(held_);
  std::string out = utf8::Repair(std::string_view(held_).substr(0, ready));
  held_.erase(0, ready);
  return out;
}

std::string StreamDecoder::Finish() { return utf8::Repair(std::exchange(held_, {})); }

}  // namespace vade::tokenizer
