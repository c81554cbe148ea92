#include "engine/name_guard.h"

#include <algorithm>
#include <utility>

namespace vade::engine {
namespace {

using tokenizer::TokenId;
using tokenizer::Tokenizer;

// U+FDD0 never stands in text: it is a noncharacter. "U+FDD0 <index> U+FDD0" takes the place of a
// control token's name while the template runs.
constexpr std::string_view kMark = "\xEF\xB7\x90";

std::vector<std::string> ControlNames(const Tokenizer& tokenizer) {
  std::vector<std::string> names;
  for (size_t i = 0; i < tokenizer.vocab_size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!tokenizer.IsControl(id)) continue;
    std::string name = tokenizer.TokenText(id);
    if (!name.empty()) names.push_back(std::move(name));
  }
  // Longest first, so that the whole name is taken where one begins another.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  return names;
}

}  // namespace

NameGuard::NameGuard(const Tokenizer& tokenizer)
    : tokenizer_(&tokenizer), names_(ControlNames(tokenizer)) {
  for (const std::string& name : names_) starts_[static_cast<unsigned char>(name[0])] = true;
}

std::string NameGuard::Hide(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(kMark)) {
      out += "\xEF\xBF\xBD";  // U+FFFD
      at += kMark.size();
    } else if (const std::string* name = NameAt(text.substr(at))) {
      out.append(kMark).append(std::to_string(hidden_.size())).append(kMark);
      hidden_.push_back(*name);
      at += name->size();
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

std::vector<TokenId> NameGuard::Encode(std::string_view rendered, std::string& text) const {
  std::vector<TokenId> ids;
  const auto append = [&](std::string_view piece, bool parse_special) {
    text += piece;
    const auto more = tokenizer_->Encode(piece, false, parse_special);
    ids.insert(ids.end(), more.begin(), more.end());
  };
  while (true) {
    const size_t mark = rendered.find(kMark);
    if (mark > 0) append(rendered.substr(0, mark), true);
    if (mark == std::string_view::npos) return ids;
    rendered.remove_prefix(mark + kMark.size());
    size_t index = 0;
    while (!rendered.empty() && rendered[0] >= '0' && rendered[0] <= '9' &&
           index < hidden_.size()) {
      index = index * 10 + static_cast<size_t>(rendered[0] - '0');
      rendered.remove_prefix(1);
    }
    if (rendered.starts_with(kMark)) rendered.remove_prefix(kMark.size());
    if (index < hidden_.size()) append(hidden_[index], false);
  }
}

const std::string* NameGuard::NameAt(std::string_view text) const {
  if (!starts_[static_cast<unsigned char>(text[0])]) return nullptr;
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [&](const std::string& name) { return text.starts_with(name); });
  return found == names_.end() ? nullptr : &*found;
}

}  // namespace vade::engine
