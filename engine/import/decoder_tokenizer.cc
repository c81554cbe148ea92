// Which files there are decides how tokens are read; roles and template come last.
#include "engine/import/decoder_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "engine/import/json_file.h"
#include "engine/import/pre_tokenizer_name.h"
#include "engine/import/sentencepiece_model.h"
#include "engine/import/token_table.h"

namespace vade::import {
namespace {

using gguf::TokenType;
using nlohmann::json;

constexpr uint64_t kMaxTokenizerBytes = uint64_t{64} << 20;
constexpr uint64_t kMaxTemplateBytes = uint64_t{1} << 20;
constexpr std::string_view kPrefix = "tokenizer.ggml.";

class TokenizerFiles {
 public:
  TokenizerFiles(const std::filesystem::path& folder, const TokenizerOptions& options,
                 gguf::Writer& writer)
      : folder_(folder), options_(options), writer_(writer) {}

  Result<void> Add() {
    VADE_TRY(config_, ReadOptional("tokenizer_config.json"));
    VADE_TRY(root_, ReadOptional("tokenizer.json"));
    std::error_code ignored;
    const bool has_model = std::filesystem::exists(folder_ / "tokenizer.model", ignored);
    if (root_ && IsByteLevel()) {
      VADE_CHECK_OK(AddBytePairs());
    } else if (has_model) {
      VADE_CHECK_OK(AddSentencePieces());
    } else if (root_) {
      VADE_CHECK_OK(AddMergesAsScores());
    } else {
      VADE_CHECK_OK(AddVocabAndMerges());
    }
    VADE_CHECK_OK(AddRoles());
    return AddTemplate();
  }

 private:
  Result<std::optional<JsonObject>> ReadOptional(const char* name) const {
    auto object = JsonObject::Read(folder_ / name);
    if (object) return std::optional<JsonObject>(std::move(*object));
    if (object.error().code == ErrorCode::kNotFound) return std::optional<JsonObject>();
    return tl::unexpected(object.error());
  }

  template <typename T>
  void Put(std::string_view key, T value) {
    writer_.Add(std::string(kPrefix) + std::string(key), value);
  }

  [[nodiscard]] const json& Part(const char* key) const {
    static const json kNothing;
    const json* found = root_->Find(key);
    return found != nullptr ? *found : kNothing;
  }

  [[nodiscard]] bool IsByteLevel() const {
    return HasStep(Part("pre_tokenizer"), "ByteLevel") || HasStep(Part("decoder"), "ByteLevel");
  }

  // The model part of tokenizer.json, which must be BPE without decorations.
  Result<JsonObject> BpeModel() const {
    const json& model = Part("model");
    const std::string name = root_->name() + ": model";
    if (!model.is_object()) return Fail(ErrorCode::kCorruptData, name + ": not an object");
    JsonObject object(model, name);
    VADE_TRY(const std::string type, object.GetString("type", "BPE"));
    VADE_TRY(const std::string prefix, object.GetString("continuing_subword_prefix", ""));
    VADE_TRY(const std::string suffix, object.GetString("end_of_word_suffix", ""));
    if (type != "BPE" || !prefix.empty() || !suffix.empty()) {
      return Fail(ErrorCode::kUnsupported,
                  name + ": type \"" + utf8::Escape(type) + "\" or marked pieces, want plain BPE");
    }
    return object;
  }

  Result<void> SetVocab(const json& vocab, const std::string& where) {
    if (!vocab.is_object()) return Fail(ErrorCode::kCorruptData, where + ": vocab is no object");
    for (const auto& [text, id] : vocab.items()) {
      if (!id.is_number_unsigned()) {
        return Fail(ErrorCode::kCorruptData,
                    where + ": id of \"" + utf8::Escape(text) + "\" is not a number");
      }
      VADE_CHECK_OK(tokens_.Set(id.get<uint64_t>(), text, TokenType::kNormal, 0, where));
    }
    return {};
  }

  // "a b" or ["a", "b"].
  static Result<std::vector<std::string>> Merges(const JsonObject& model) {
    std::vector<std::string> out;
    const json* merges = model.Find("merges");
    if (merges == nullptr || !merges->is_array()) {
      return Fail(ErrorCode::kCorruptData, model.name() + ": no list of merges");
    }
    for (const json& merge : *merges) {
      const bool is_pair =
          merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
      if (is_pair) {
        out.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
      } else if (merge.is_string()) {
        out.push_back(merge.get<std::string>());
      } else {
        return Fail(ErrorCode::kCorruptData, model.name() + ": a merge is not two strings");
      }
    }
    return out;
  }

  Result<void> CheckNormalizer() const {
    const json& normalizer = Part("normalizer");
    if (normalizer.is_null()) return {};
    for (const char* type : {"Lowercase", "Replace", "Prepend", "Strip", "StripAccents", "NFD",
                             "NFKD", "NFKC", "Precompiled", "BertNormalizer"}) {
      if (!HasStep(normalizer, type)) continue;
      return Fail(ErrorCode::kUnsupported, root_->name() + ": normalizer " + type +
                                               " before byte-level BPE, want none or NFC");
    }
    return {};
  }

  Result<void> AddBytePairs() {
    VADE_TRY(const JsonObject model, BpeModel());
    VADE_CHECK_OK(CheckNormalizer());
    std::string pre = options_.pre;
    if (pre.empty()) {
      VADE_TRY(pre, PreTokenizerName(*root_, options_.architecture));
    }
    VADE_TRY(const std::vector<std::string> merges, Merges(model));
    VADE_CHECK_OK(SetVocab(model.json().value("vocab", json()), model.name()));
    VADE_CHECK_OK(SetAdded());
    return PutBytePairs(pre, merges);
  }

  Result<void> PutBytePairs(const std::string& pre, const std::vector<std::string>& merges) {
    Put("model", "gpt2");
    Put("pre", pre);
    VADE_CHECK_OK(tokens_.AddTo(writer_, options_.vocab_size, /*with_scores=*/false));
    const std::vector<std::string_view> views(merges.begin(), merges.end());
    writer_.AddArray<std::string_view>(std::string(kPrefix) + "merges", views);
    return {};
  }

  // Folders of 2019 to 2023: the two files of GPT-2.
  Result<void> AddVocabAndMerges() {
    VADE_TRY(const auto vocab, ReadOptional("vocab.json"));
    if (!vocab) {
      return Fail(ErrorCode::kNotFound,
                  utf8::Escape(folder_.native()) +
                      ": no tokenizer.json, tokenizer.model or vocab.json with merges.txt");
    }
    VADE_CHECK_OK(SetVocab(vocab->json(), vocab->name()));
    VADE_TRY(const std::string text, ReadFile(folder_ / "merges.txt", kMaxTokenizerBytes));
    std::vector<std::string> merges;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      std::string_view line = std::string_view(text).substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (!line.empty() && !line.starts_with("#version")) merges.emplace_back(line);
      at = end + 1;
    }
    VADE_CHECK_OK(SetAdded());
    std::string pre = options_.pre;
    if (pre.empty()) {
      const std::string_view a = options_.architecture;
      pre = a == "gpt2" || a == "phi2" ? "gpt-2"
            : a.starts_with("qwen")    ? "qwen2"
            : a == "starcoder2"        ? "starcoder"
                                       : "";
    }
    if (pre.empty()) {
      return Fail(ErrorCode::kUnsupported, utf8::Escape(folder_.native()) +
                                               ": vocab.json does not say how text is split "
                                               "(--pre names it)");
    }
    return PutBytePairs(pre, merges);
  }

  Result<void> SetAdded() {
    if (config_) {
      const json* added = config_->Find("added_tokens_decoder");
      if (added != nullptr) VADE_CHECK_OK(tokens_.SetAdded(*added, config_->name()));
    }
    if (!root_) return {};
    const json* added = root_->Find("added_tokens");
    return added != nullptr ? tokens_.SetAdded(*added, root_->name()) : Result<void>();
  }

  Result<void> AddSentencePieces() {
    const std::string name = utf8::Escape((folder_ / "tokenizer.model").native());
    VADE_TRY(const std::string bytes, ReadFile(folder_ / "tokenizer.model", kMaxTokenizerBytes));
    VADE_TRY(const auto model, SentencePieceModel::Parse(std::as_bytes(std::span(bytes)), name));
    for (size_t id = 0; id < model.pieces.size(); ++id) {
      const auto& piece = model.pieces[id];
      VADE_CHECK_OK(tokens_.Set(id, piece.text, piece.type, piece.score, name));
    }
    VADE_CHECK_OK(SetAdded());
    Put("model", model.unigram ? "t5" : "llama");
    Put("pre", "default");
    VADE_CHECK_OK(tokens_.AddTo(writer_, options_.vocab_size, /*with_scores=*/true));
    if (model.unigram) {
      Put("remove_extra_whitespaces", model.remove_extra_whitespaces);
      const std::vector<uint8_t> map(model.charsmap.begin(), model.charsmap.end());
      if (!map.empty()) {
        writer_.AddArray<uint8_t>(std::string(kPrefix) + "precompiled_charsmap", map);
      }
    }
    VADE_CHECK_OK(AddSpacePrefix(model.add_dummy_prefix));
    fallback_ = {model.bos_id, model.eos_id, model.unk_id, model.pad_id};
    adds_bos_ = true;  // what the libraries do unless told otherwise
    return {};
  }

  // tokenizer.json made from a SentencePiece model: merges in the order of scores.
  Result<void> AddMergesAsScores() {
    VADE_TRY(const JsonObject model, BpeModel());
    VADE_TRY(const std::vector<std::string> merges, Merges(model));
    std::unordered_map<std::string, float> score_of;
    for (size_t i = 0; i < merges.size(); ++i) {
      const size_t space = merges[i].find(' ');
      if (space == std::string::npos) {
        return Fail(ErrorCode::kCorruptData,
                    model.name() + ": merge " + std::to_string(i) + " has no space");
      }
      score_of.try_emplace(merges[i].substr(0, space) + merges[i].substr(space + 1),
                           -static_cast<float>(i));
    }
    const float lowest = -static_cast<float>(merges.size());
    const json vocab = model.json().value("vocab", json());
    VADE_CHECK_OK(SetVocab(vocab, model.name()));
    VADE_TRY(const std::string unknown, model.GetString("unk_token", "<unk>"));
    for (const auto& [text, id] : vocab.items()) {
      const auto score = score_of.find(text);
      const bool is_byte = text.size() == 6 && text.starts_with("<0x") && text.ends_with(">");
      const TokenType type = is_byte           ? TokenType::kByte
                             : text == unknown ? TokenType::kUnknown
                                               : TokenType::kNormal;
      VADE_CHECK_OK(tokens_.Set(id.get<uint64_t>(), text, type,
                                score != score_of.end() ? score->second : lowest, model.name()));
    }
    VADE_CHECK_OK(SetAddedButUnknown(unknown));
    Put("model", "llama");
    Put("pre", "default");
    VADE_CHECK_OK(tokens_.AddTo(writer_, options_.vocab_size, /*with_scores=*/true));
    const bool prefixed = HasStep(Part("normalizer"), "Prepend") || MetaspacePrefix();
    return AddSpacePrefix(prefixed);
  }

  Result<void> SetAddedButUnknown(const std::string& unknown) {
    VADE_CHECK_OK(SetAdded());
    const auto id = tokens_.Find(unknown);
    return id ? tokens_.Set(*id, unknown, TokenType::kUnknown, 0, root_->name()) : Result<void>();
  }

  [[nodiscard]] bool MetaspacePrefix() const {
    const json& step = Part("pre_tokenizer");
    if (!HasStep(step, "Metaspace") || !step.is_object()) return false;
    return step.value("prepend_scheme", json("always")) != "never" &&
           step.value("add_prefix_space", json(true)) != false;
  }

  Result<void> AddSpacePrefix(bool fallback) {
    bool prefix = fallback;
    if (config_) {
      VADE_TRY(prefix, config_->GetBool("add_prefix_space", fallback));
    }
    Put("add_space_prefix", prefix);
    return {};
  }

  // The token that tokenizer_config.json gives a role: a string, or an object with one.
  [[nodiscard]] std::optional<uint32_t> Named(const char* key) const {
    const json* token = config_ ? config_->Find(key) : nullptr;
    if (token == nullptr) return std::nullopt;
    const json& text = token->is_object() ? token->value("content", json()) : *token;
    return text.is_string() ? tokens_.Find(text.get_ref<const std::string&>()) : std::nullopt;
  }

  // The ids a settings file gives, one or a list.
  static std::vector<uint32_t> Ids(const std::optional<JsonObject>& file, const char* key) {
    const json* value = file ? file->Find(key) : nullptr;
    if (value == nullptr) return {};
    std::vector<uint32_t> out;
    for (const json& id : value->is_array() ? *value : json::array({*value})) {
      if (id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX) {
        out.push_back(id.get<uint32_t>());
      }
    }
    return out;
  }

  Result<void> AddRoles() {
    VADE_TRY(const auto generation, ReadOptional("generation_config.json"));
    VADE_TRY(const auto model, ReadOptional("config.json"));
    const auto role = [&](const char* name, int32_t fallback) -> std::optional<uint32_t> {
      const std::string token = std::string(name) + "_token";
      if (const auto id = Named(token.c_str())) return id;
      for (const auto* file : {&generation, &model}) {
        const auto ids = Ids(*file, (token + "_id").c_str());
        if (!ids.empty() && ids.front() < options_.vocab_size) return ids.front();
      }
      if (fallback >= 0 && static_cast<size_t>(fallback) < tokens_.size()) {
        return static_cast<uint32_t>(fallback);
      }
      return std::nullopt;
    };
    const auto bos = role("bos", fallback_[0]);
    const auto eos = role("eos", fallback_[1]);
    const auto unknown = role("unk", fallback_[2]);
    const auto padding = role("pad", fallback_[3]);
    if (bos) Put("bos_token_id", *bos);
    if (eos) Put("eos_token_id", *eos);
    if (unknown) Put("unknown_token_id", *unknown);
    if (padding) Put("padding_token_id", *padding);
    // Further tokens that end an answer: the end of a turn, of a message.
    std::vector<uint32_t> ends = Ids(generation, "eos_token_id");
    std::erase_if(ends, [&](uint32_t id) { return id == eos || id >= options_.vocab_size; });
    constexpr std::array<std::string_view, 2> kFurther = {"eot_token_id", "eom_token_id"};
    for (size_t i = 0; i < std::min(ends.size(), kFurther.size()); ++i) Put(kFurther[i], ends[i]);
    return AddFraming(bos, eos);
  }

  Result<void> AddFraming(std::optional<uint32_t> bos, std::optional<uint32_t> eos) {
    bool adds_bos = adds_bos_;
    bool adds_eos = false;
    if (root_) {
      const json frame = Template(Part("post_processor"));
      adds_bos = IsToken(frame.empty() ? json() : frame.front(), bos);
      adds_eos = IsToken(frame.empty() ? json() : frame.back(), eos);
    }
    if (config_) {
      VADE_TRY(adds_bos, config_->GetBool("add_bos_token", adds_bos));
      VADE_TRY(adds_eos, config_->GetBool("add_eos_token", adds_eos));
    }
    Put("add_bos_token", adds_bos && bos.has_value());
    Put("add_eos_token", adds_eos && eos.has_value());
    return {};
  }

  // What a text is put between: the list "single" of the template among the steps.
  static json Template(const json& step) {
    if (!step.is_object()) return json::array();
    const auto inner = step.find("processors");
    if (inner != step.end() && inner->is_array()) {
      for (const json& each : *inner) {
        if (json found = Template(each); !found.empty()) return found;
      }
    }
    const auto single = step.find("single");
    return single != step.end() && single->is_array() ? *single : json::array();
  }

  [[nodiscard]] bool IsToken(const json& piece, std::optional<uint32_t> id) const {
    const auto special = piece.is_object() ? piece.find("SpecialToken") : piece.end();
    if (!id || special == piece.end() || !special->is_object()) return false;
    const json text = special->value("id", json());
    return text.is_string() && tokens_.Find(text.get_ref<const std::string&>()) == id;
  }

  // A string, or a list of named ones of which "default" counts; else a file of its own.
  Result<void> AddTemplate() {
    const json* found = config_ ? config_->Find("chat_template") : nullptr;
    std::string text;
    if (found != nullptr && found->is_string()) text = found->get<std::string>();
    if (found != nullptr && found->is_array()) {
      for (const json& each : *found) {
        if (each.is_object() && each.value("name", json()) == "default" &&
            each.value("template", json()).is_string()) {
          text = each["template"].get<std::string>();
        }
      }
    }
    if (text.empty()) {
      auto file = ReadFile(folder_ / "chat_template.jinja", kMaxTemplateBytes);
      if (!file && file.error().code != ErrorCode::kNotFound) return tl::unexpected(file.error());
      if (file) text = std::move(*file);
    }
    if (text.empty()) {
      VADE_TRY(const auto json_file, ReadOptional("chat_template.json"));
      if (json_file) {
        VADE_TRY(text, json_file->GetString("chat_template", ""));
      }
    }
    if (!text.empty()) writer_.Add("tokenizer.chat_template", utf8::Repair(text));
    return {};
  }

  const std::filesystem::path& folder_;
  const TokenizerOptions& options_;
  gguf::Writer& writer_;
  std::optional<JsonObject> config_;  // tokenizer_config.json
  std::optional<JsonObject> root_;    // tokenizer.json
  TokenTable tokens_;
  std::array<int32_t, 4> fallback_ = {-1, -1, -1, -1};  // bos, eos, unk, pad
  bool adds_bos_ = false;
};

}  // namespace

Result<void> AddDecoderTokenizer(const std::filesystem::path& folder,
                                 const TokenizerOptions& options, gguf::Writer& writer) {
  return TokenizerFiles(folder, options, writer).Add();
}

}  // namespace vade::import
