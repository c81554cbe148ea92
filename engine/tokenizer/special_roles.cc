// Ids by key, then by name: files carry names that every program knows and types that are wrong.
#include "engine/tokenizer/special_roles.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace vade::tokenizer {
namespace {

constexpr std::string_view kPrefix = "tokenizer.ggml.";

// A model has finished when it writes one of these.
constexpr std::string_view kEndNames[] = {
    "<|eot_id|>",
    "<|eom_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|calls|>",
    "<|flush|>",
    "<end_of_turn>",
    "<turn|>",
    "<|tool_response>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "</s>",
    "<eos>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "[e~[",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
};

// Of these the first that a vocabulary has is the end of a turn.
constexpr std::string_view kTurnEndNames[] = {
    "<|eot_id|>",         "<|im_end|>", "<|end|>", "<end_of_turn>", "<turn|>",
    "<end_of_utterance>", "<EOT>",      "_<EOT>",  "[EOT]",
};

// Tokens for filling in the middle of a text, by the keys that name them.
struct FillRole {
  std::array<std::string_view, 2> keys;
  bool ends;
  std::array<std::string_view, 8> names;
};
constexpr FillRole kFillRoles[] = {
    {{"fim_pre_token_id", "prefix_token_id"},
     false,
     {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<PRE>", "\xE2\x96\x81<PRE>",
      "<|code_prefix|>", "<|prefix|>",
      "<\xEF\xBD\x9C"
      "fim\xE2\x96\x81"
      "begin\xEF\xBD\x9C>"}},
    {{"fim_suf_token_id", "suffix_token_id"},
     false,
     {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<SUF>", "\xE2\x96\x81<SUF>",
      "<|code_suffix|>", "<|suffix|>",
      "<\xEF\xBD\x9C"
      "fim\xE2\x96\x81hole\xEF\xBD\x9C>"}},
    {{"fim_mid_token_id", "middle_token_id"},
     false,
     {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<MID>", "\xE2\x96\x81<MID>",
      "<|code_middle|>", "<|middle|>",
      "<\xEF\xBD\x9C"
      "fim\xE2\x96\x81"
      "end\xEF\xBD\x9C>"}},
    {{"fim_pad_token_id", {}}, true, {"<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"}},
    {{"fim_rep_token_id", {}},
     true,
     {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
    {{"fim_sep_token_id", {}}, true, {"<|file_sep|>"}},
};

template <typename Names>
bool IsOneOf(std::string_view text, const Names& names) {
  return !text.empty() && std::find(std::begin(names), std::end(names), text) != std::end(names);
}

bool MayBeName(std::string_view text) {
  return text.size() > 2 && (text.back() == '>' || text.back() == ']' || text.back() == '[');
}

// Tokens that look like the name of a role.
class Names {
 public:
  explicit Names(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
    for (size_t i = 0; i < vocabulary.size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      if (MayBeName(vocabulary.text(id))) ids_.push_back(id);
    }
  }
  [[nodiscard]] std::optional<TokenId> Find(std::string_view name) const {
    for (const TokenId id : ids_) {
      if (vocabulary_.text(id) == name) return id;
    }
    return std::nullopt;
  }
  template <typename List>
  [[nodiscard]] std::vector<TokenId> FindAll(const List& names) const {
    std::vector<TokenId> out;
    for (const TokenId id : ids_) {
      if (IsOneOf(vocabulary_.text(id), names)) out.push_back(id);
    }
    return out;
  }

 private:
  const Vocabulary& vocabulary_;
  std::vector<TokenId> ids_;
};

Result<std::optional<TokenId>> IdOf(const gguf::File& file, std::string_view key, size_t size,
                                    std::optional<TokenId> fallback = std::nullopt) {
  return SpecialId(file, std::string(kPrefix) + std::string(key), size, fallback);
}

Result<SpecialIds> LoadIds(const gguf::File& file, const SpecialIds& defaults, size_t size) {
  SpecialIds ids;
  VADE_TRY(ids.bos, IdOf(file, "bos_token_id", size, defaults.bos));
  VADE_TRY(ids.eos, IdOf(file, "eos_token_id", size, defaults.eos));
  VADE_TRY(ids.unk, IdOf(file, "unknown_token_id", size, defaults.unk));
  VADE_TRY(ids.pad, IdOf(file, "padding_token_id", size, defaults.pad));
  VADE_TRY(ids.sep, IdOf(file, "seperator_token_id", size));  // the key is misspelt by its format
  VADE_TRY(ids.cls, IdOf(file, "cls_token_id", size));
  VADE_TRY(ids.mask, IdOf(file, "mask_token_id", size));
  VADE_TRY(ids.eot, IdOf(file, "eot_token_id", size));
  return ids;
}

// Tokens for filling in: those that a key names count as they are, the others by name.
Result<void> AddFillRoles(const gguf::File& file, const Names& names, Vocabulary& vocabulary,
                          std::vector<TokenId>& ends) {
  for (const FillRole& role : kFillRoles) {
    std::optional<TokenId> given;
    for (const std::string_view key : role.keys) {
      if (key.empty()) continue;
      VADE_TRY(const auto id, IdOf(file, key, vocabulary.size()));
      if (id) given = id;
    }
    std::vector<TokenId> ids;
    if (given) {
      ids.push_back(*given);
    } else {
      ids = names.FindAll(role.names);
      for (const TokenId id : ids) vocabulary.MarkAsControl(id);
    }
    if (role.ends) ends.insert(ends.end(), ids.begin(), ids.end());
  }
  return {};
}

// In two formats a token of a familiar name means something else.
bool IsEndElsewhere(std::string_view name, const Names& names) {
  const bool calls = names.Find("<|call|>") || names.Find("<|calls|>");
  const bool inner_end = calls && (names.Find("<|return|>") || names.Find("<|flush|>"));
  if (name == "<|end|>") return inner_end;  // the end of one of several messages
  return name == "</s>" && names.Find("<|tool_response>").has_value();  // strikes out text
}

void AddStripping(const gguf::File& file, const Vocabulary& vocabulary, const Names& names,
                  SpecialRoles& roles) {
  const auto text_of = [&](std::string_view key) {
    const auto found = file.Find<std::string_view>(key);
    std::string text(found && *found ? **found : std::string_view());
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  const std::string pre = text_of("tokenizer.ggml.pre");
  const std::string architecture = text_of("general.architecture");
  const std::string name = text_of("general.name");
  std::optional<TokenId> left;
  if (has(pre, "jina-v2-de") || has(pre, "jina-v2-es") || has(pre, "jina-v2-code") ||
      has(architecture, "nomic-bert-moe") || has(architecture, "jina-bert-v3")) {
    left = names.Find("<mask>");
  } else if (has(name, "phi-3") || has(name, "phi3")) {
    for (size_t i = 0; i < vocabulary.size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      const TokenType type = vocabulary.type(id);
      const bool special = type == TokenType::kControl || type == TokenType::kUnknown ||
                           type == TokenType::kUserDefined;
      const std::string_view text = vocabulary.text(id);
      if (special && text != "<unk>" && text != "<s>" && text != "<|endoftext|>") {
        roles.strips_right.push_back(id);
      }
    }
  } else if (has(name, "modern-bert")) {
    left = names.Find("[MASK]");
  }
  if (left) roles.strips_left.push_back(*left);
}

}  // namespace

Result<SpecialRoles> LoadSpecialRoles(const gguf::File& file, const SpecialIds& defaults,
                                      Vocabulary& vocabulary) {
  SpecialRoles roles;
  VADE_TRY(roles.ids, LoadIds(file, defaults, vocabulary.size()));
  VADE_TRY(const auto eom, IdOf(file, "eom_token_id", vocabulary.size()));
  const Names names(vocabulary);
  VADE_CHECK_OK(AddFillRoles(file, names, vocabulary, roles.ends));
  for (const TokenId id : names.FindAll(kEndNames)) {
    if (IsEndElsewhere(vocabulary.text(id), names)) continue;
    vocabulary.MarkAsControl(id);
    roles.ends.push_back(id);
  }
  for (size_t i = 0; !roles.ids.eot && i < std::size(kTurnEndNames); ++i) {
    if (!IsEndElsewhere(kTurnEndNames[i], names)) roles.ids.eot = names.Find(kTurnEndNames[i]);
  }
  for (const auto& id : {roles.ids.eos, roles.ids.eot, eom}) {
    if (id) roles.ends.push_back(*id);
  }
  std::sort(roles.ends.begin(), roles.ends.end());
  roles.ends.erase(std::unique(roles.ends.begin(), roles.ends.end()), roles.ends.end());
  AddStripping(file, vocabulary, names, roles);
  return roles;
}

}  // namespace vade::tokenizer
