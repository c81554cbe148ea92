// The steps written as one line, and that line looked up. The expressions are quoted from the
// published tokenizer.json files of the models that the names come from.
#include "engine/import/pre_tokenizer_name.h"

#include <array>

#include "engine/base/utf8.h"

namespace vade::import {
namespace {

using nlohmann::json;

struct Known {
  std::string_view steps;
  std::string_view name;
  bool is_beginning = false;  // of a longer line
};

#define VADE_CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define VADE_SPACES R"(|\s*[\r\n]+|\s+(?!\S)|\s+)"
#define VADE_UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define VADE_LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
constexpr std::array kKnown = {
    Known{"ByteLevel", "gpt-2"},
    Known{"Digits(1)|ByteLevel", "starcoder"},
    Known{"Split(" VADE_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+)"
          R"([\r\n]*)" VADE_SPACES ",Isolated)",
          "llama-bpe"},
    Known{"Split(" VADE_CONTRACTIONS R"(|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+)"
          R"([\r\n]*)" VADE_SPACES ",Isolated)",
          "qwen2"},
    Known{"Split(" VADE_CONTRACTIONS
          R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" VADE_SPACES
          ",Isolated)",
          "qwen35"},
    Known{R"(Split([^\r\n\p{L}\p{N}]?)" VADE_UPPER "*" VADE_LOWER
          R"(+|[^\r\n\p{L}\p{N}]?)" VADE_UPPER "+" VADE_LOWER
          R"(*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*)" VADE_SPACES ",Isolated)",
          "tekken"},
    Known{R"(Split([^\r\n\p{L}\p{N}]?)" VADE_UPPER "*" VADE_LOWER "+" VADE_CONTRACTIONS
          R"(?|[^\r\n\p{L}\p{N}]?)" VADE_UPPER "+" VADE_LOWER "*" VADE_CONTRACTIONS
          R"(?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*)" VADE_SPACES ",Isolated)",
          "gpt-4o"},
    Known{"Punctuation(Contiguous)|ByteLevel|Digits(*)|Split([0-9][0-9][0-9],Isolated)", "falcon"},
    Known{R"(Split([\r\n],Isolated)|Split(\s?[A-Za-z)", "deepseek-llm", true},
    Known{R"(Split([\r\n],Isolated)|Split(\s?\p{L}+,Isolated)|Split(\s?\p{P}+,Isolated))",
          "deepseek-coder", true},
    Known{R"(Split(\p{N}{1,3},Isolated)|Split([)"
          "\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F\xE3\x82\xA0-\xE3\x83\xBF]+,Isolated)",
          "deepseek-v3", true},
    Known{R"(Split( ?[^(\s|[.,!?)"
          "\xE2\x80\xA6\xE3\x80\x82\xEF\xBC\x8C\xE3\x80\x81\xE0\xA5\xA4\xDB\x94\xD8\x8C])]+,"
          "Isolated)",
          "bloom"},
};
#undef VADE_CONTRACTIONS
#undef VADE_SPACES
#undef VADE_UPPER
#undef VADE_LOWER

std::string TextOf(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool FlagOf(const json& object, const char* key, bool fallback) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() ? it->get<bool>() : fallback;
}

// "Split(\p{N},Isolated)|ByteLevel". A ByteLevel that splits nothing is left out.
void Describe(const json& step, std::string& out) {
  if (!step.is_object()) return;
  const std::string type = TextOf(step, "type");
  const auto list = step.find("pretokenizers");
  if (list != step.end() && list->is_array()) {
    for (const json& inner : *list) Describe(inner, out);
    return;
  }
  std::string text = type;
  if (type == "ByteLevel") {
    if (!FlagOf(step, "use_regex", true)) return;
    if (FlagOf(step, "add_prefix_space", false)) text += "(space)";
  } else if (type == "Digits") {
    text += FlagOf(step, "individual_digits", false) ? "(1)" : "(*)";
  } else if (type == "Punctuation") {
    text += "(" + TextOf(step, "behavior") + ")";
  } else if (type == "Split") {
    const auto pattern = step.find("pattern");
    const bool is_object = pattern != step.end() && pattern->is_object();
    text += "(" + (is_object ? TextOf(*pattern, "Regex") + TextOf(*pattern, "String") : "?") + "," +
            TextOf(step, "behavior") + (FlagOf(step, "invert", false) ? ",inverted)" : ")");
  }
  if (!out.empty()) out += '|';
  for (const char c : text) {  // some files have the characters where others have the escapes
    out += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
  }
}

// The same expressions under names that differ in what else they stand for.
std::string Variant(std::string_view name, const JsonObject& root, std::string_view architecture) {
  if (name == "starcoder" && architecture == "command-r") return "command-r";
  if (name == "qwen2" && architecture == "stablelm") return "stablelm2";
  const json* model = root.Find("model");
  const bool whole_words = model != nullptr && FlagOf(*model, "ignore_merges", false);
  if (name == "llama-bpe" && !whole_words) return "dbrx";
  return std::string(name);
}

}  // namespace

bool HasStep(const json& step, std::string_view type) {
  if (!step.is_object()) return false;
  if (TextOf(step, "type") == type) return true;
  for (const char* key : {"pretokenizers", "decoders", "normalizers", "processors"}) {
    const auto list = step.find(key);
    if (list == step.end() || !list->is_array()) continue;
    for (const json& inner : *list) {
      if (HasStep(inner, type)) return true;
    }
  }
  return false;
}

Result<std::string> PreTokenizerName(const JsonObject& root, std::string_view architecture) {
  std::string steps;
  if (const json* found = root.Find("pre_tokenizer")) Describe(*found, steps);
  for (const Known& known : kKnown) {
    const bool matches = known.is_beginning ? steps.starts_with(known.steps) : steps == known.steps;
    if (matches) return Variant(known.name, root, architecture);
  }
  return Fail(ErrorCode::kUnsupported,
              root.name() + ": pre_tokenizer: no known name splits text by \"" +
                  utf8::Escape(steps.substr(0, 400)) + "\" (--pre gives one)");
}

}  // namespace vade::import
