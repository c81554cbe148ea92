// The header against the file's size, the tokenizer beside it, then one GGUF tensor per layer.
#include "engine/import/llama2c.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/checked.h"
#include "engine/base/mapped_file.h"
#include "engine/base/thread_pool.h"
#include "engine/base/utf8.h"
#include "engine/gguf/cursor.h"
#include "engine/gguf/names.h"
#include "engine/import/row_writer.h"

namespace vade::import {
namespace {

using gguf::TokenType;

constexpr uint32_t kMagic = 0x616b3432;  // of versions 1 and 2; version 0 begins with d_model
constexpr size_t kHeader0Bytes = 7 * sizeof(int32_t);
constexpr size_t kHeader1Bytes = 256;  // padded
constexpr int32_t kMaxSize = 1 << 24;
constexpr int32_t kMaxLayers = 1024;
constexpr float kNormEpsilon = 1e-5f;    // fixed in llama2.c's code
constexpr uint32_t kFirstByteToken = 3;  // of the SentencePiece vocabularies it trains
constexpr uint32_t kNumByteTokens = 256;

struct Header {
  uint64_t d_model = 0;
  uint64_t d_ff = 0;
  uint64_t num_layers = 0;
  uint64_t num_heads = 0;
  uint64_t num_kv_heads = 0;
  uint64_t vocab_size = 0;
  uint64_t ctx_len = 0;
  bool tied = true;  // the token embedding is the output matrix too
  uint32_t version = 0;
  uint64_t header_bytes = kHeader0Bytes;

  [[nodiscard]] uint64_t head_dim() const { return d_model / num_heads; }
  [[nodiscard]] uint64_t kv_dim() const { return head_dim() * num_kv_heads; }
};

tl::unexpected<Error> Bad(const std::string& name, const std::string& reason) {
  return Fail(ErrorCode::kCorruptData, name + ": " + reason);
}

Result<void> CheckSizes(const std::string& name, const std::array<int32_t, 7>& n) {
  constexpr std::array<const char*, 7> kNames = {"dim",        "hidden_dim", "n_layers", "n_heads",
                                                 "n_kv_heads", "vocab_size", "seq_len"};
  for (size_t i = 0; i < n.size(); ++i) {
    const int32_t highest = i == 2 ? kMaxLayers : kMaxSize;
    const bool negative_allowed = i == 5;  // version 0: the output matrix is one of its own
    const int64_t size = negative_allowed && n[i] < 0 ? -int64_t{n[i]} : n[i];
    if (size >= 1 && size <= highest) continue;
    return Bad(name, std::string(kNames[i]) + " " + std::to_string(n[i]) + ", expected 1 to " +
                         std::to_string(highest) + " (not a llama2.c checkpoint?)");
  }
  if (n[0] % n[3] != 0 || n[3] % n[4] != 0) {
    return Bad(name, std::to_string(n[0]) + " values, " + std::to_string(n[3]) + " heads and " +
                         std::to_string(n[4]) + " key heads do not divide each other");
  }
  if (n[0] / n[3] % 2 != 0) return Bad(name, "an odd head size cannot be rotated");
  return {};
}

Result<Header> ReadHeader(std::span<const std::byte> bytes, const std::string& name) {
  gguf::Cursor in(bytes, name);
  Header header;
  std::array<int32_t, 7> n{};
  VADE_TRY(const uint32_t first, in.Read<uint32_t>("dim"));
  n[0] = static_cast<int32_t>(first);
  if (first == kMagic) {
    VADE_TRY(header.version, in.Read<uint32_t>("version"));
    if (header.version != 1) {
      return Fail(ErrorCode::kUnsupported, name + ": llama2.c checkpoint of version " +
                                               std::to_string(header.version) +
                                               ", expected 0 or 1 (float weights)");
    }
    header.header_bytes = kHeader1Bytes;
    VADE_TRY(n[0], in.Read<int32_t>("dim"));
  }
  for (size_t i = 1; i < n.size(); ++i) {
    VADE_TRY(n[i], in.Read<int32_t>("header"));
  }
  if (header.version == 1) {
    VADE_TRY(const uint8_t shared, in.Read<uint8_t>("shared_classifier"));
    header.tied = shared != 0;
    if (n[5] < 0) return Bad(name, "vocab_size " + std::to_string(n[5]));
  } else {
    header.tied = n[5] > 0;
  }
  VADE_CHECK_OK(CheckSizes(name, n));
  const auto size = [](int32_t value) { return static_cast<uint64_t>(std::abs(value)); };
  header.d_model = size(n[0]);
  header.d_ff = size(n[1]);
  header.num_layers = size(n[2]);
  header.num_heads = size(n[3]);
  header.num_kv_heads = size(n[4]);
  header.vocab_size = size(n[5]);
  header.ctx_len = size(n[6]);
  return header;
}

// A kind of tensor: one matrix per layer, or one for the model.
struct Kind {
  const char* name;  // after "blk.N." if it is per layer
  bool per_layer;
  uint64_t row_values;
  uint64_t num_rows;
  bool skipped = false;  // old files hold tables of the rotation, which are computed today

  [[nodiscard]] bool is_vector() const { return num_rows == 1; }
};

// In the order of the file.
std::vector<Kind> KindsOf(const Header& h) {
  const Kind tokens = {"token_embd.weight", false, h.d_model, h.vocab_size};
  const Kind attention_norm = {"attn_norm.weight", true, h.d_model, 1};
  const Kind ffn_norm = {"ffn_norm.weight", true, h.d_model, 1};
  const Kind output_norm = {"output_norm.weight", false, h.d_model, 1};
  const std::array<Kind, 4> attention = {{{"attn_q.weight", true, h.d_model, h.d_model},
                                          {"attn_k.weight", true, h.d_model, h.kv_dim()},
                                          {"attn_v.weight", true, h.d_model, h.kv_dim()},
                                          {"attn_output.weight", true, h.d_model, h.d_model}}};
  const std::array<Kind, 3> ffn = {{{"ffn_gate.weight", true, h.d_model, h.d_ff},
                                    {"ffn_down.weight", true, h.d_ff, h.d_model},
                                    {"ffn_up.weight", true, h.d_model, h.d_ff}}};
  std::vector<Kind> kinds;
  if (h.version == 0) {
    kinds = {tokens, attention_norm};
    kinds.insert(kinds.end(), attention.begin(), attention.end());
    kinds.push_back(ffn_norm);
    kinds.insert(kinds.end(), ffn.begin(), ffn.end());
    kinds.push_back(output_norm);
    kinds.push_back({"rotation", false, h.ctx_len, h.head_dim(), true});
  } else {
    kinds = {attention_norm, ffn_norm, output_norm, tokens};
    kinds.insert(kinds.end(), attention.begin(), attention.end());
    kinds.insert(kinds.end(), ffn.begin(), ffn.end());
  }
  if (!h.tied) kinds.push_back({"output.weight", false, h.d_model, h.vocab_size});
  return kinds;
}

// Values of one kind over all layers; nothing when the number does not fit.
std::optional<uint64_t> NumValues(const Kind& kind, const Header& header) {
  const auto matrix = CheckedMul(kind.row_values, kind.num_rows);
  return matrix ? CheckedMul(*matrix, kind.per_layer ? header.num_layers : 1) : std::nullopt;
}

Result<void> CheckFileSize(const std::string& name, const Header& header, uint64_t file_bytes) {
  std::optional<uint64_t> values = 0;
  for (const Kind& kind : KindsOf(header)) {
    const auto more = NumValues(kind, header);
    values = values && more ? CheckedAdd(*values, *more) : std::nullopt;
  }
  const auto bytes = values ? CheckedMul(*values, uint64_t{sizeof(float)}) : std::nullopt;
  if (!bytes) return Bad(name, "the header asks for more than 2^64 bytes");
  if (header.header_bytes + *bytes == file_bytes) return {};
  return Bad(name, "got " + std::to_string(file_bytes) + " bytes, want " +
                       std::to_string(header.header_bytes + *bytes) +
                       " for the sizes in its header (truncated, or not a llama2.c checkpoint)");
}

struct Tokens {
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<int32_t> types;

  void Add(std::string text, float score, TokenType type) {
    texts.push_back(std::move(text));
    scores.push_back(score);
    types.push_back(static_cast<int32_t>(type));
  }
};

// The three first tokens and the byte tokens have fixed ids.
TokenType TypeOf(uint64_t id, bool has_bytes) {
  if (id == 0) return TokenType::kUnknown;
  if (id < kFirstByteToken) return TokenType::kControl;
  const bool is_byte = has_bytes && id < kFirstByteToken + kNumByteTokens;
  return is_byte ? TokenType::kByte : TokenType::kNormal;
}

std::string ByteToken(uint64_t byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
}

constexpr std::array<const char*, kFirstByteToken> kFirstTokens = {"<unk>", "<s>", "</s>"};

Tokens WithoutTexts(uint64_t vocab_size) {
  const bool has_bytes = vocab_size >= kFirstByteToken + kNumByteTokens;
  Tokens out;
  for (uint64_t id = 0; id < vocab_size; ++id) {
    TokenType type = TypeOf(id, has_bytes);
    if (type == TokenType::kNormal) type = TokenType::kUnused;
    out.Add(id < kFirstByteToken       ? kFirstTokens[id]
            : type == TokenType::kByte ? ByteToken(id - kFirstByteToken)
                                       : "[" + std::to_string(id) + "]",
            0, type);
  }
  return out;
}

// Texts have spaces where a vocabulary has U+2581.
std::string ToVocabularyText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += gguf::kWordStart;
    } else {
      out += c;
    }
  }
  return out;
}

Result<Tokens> ReadTokens(const std::filesystem::path& path, uint64_t vocab_size) {
  const std::string name = utf8::Escape(path.filename().native());
  VADE_TRY(const MappedFile file, MappedFile::Open(path));
  gguf::Cursor in(file.bytes(), name);
  VADE_TRY(const uint32_t longest, in.Read<uint32_t>("longest token"));
  if (longest > gguf::kMaxTokenBytes) {
    return Bad(name, "longest token of " + std::to_string(longest) + " bytes, limit " +
                         std::to_string(gguf::kMaxTokenBytes));
  }
  Tokens out;
  for (uint64_t id = 0; id < vocab_size; ++id) {
    VADE_TRY(const float score, in.Read<float>("score"));
    VADE_TRY(const uint32_t length, in.Read<uint32_t>("token length"));
    if (length > gguf::kMaxTokenBytes) {
      return Bad(name, "token " + std::to_string(id) + " of " + std::to_string(length) + " bytes");
    }
    VADE_TRY(const auto bytes, in.ReadBytes(length, "token"));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const bool has_bytes = id >= kFirstByteToken && id < kFirstByteToken + kNumByteTokens &&
                           text == ByteToken(id - kFirstByteToken);
    out.Add(id < kFirstByteToken ? kFirstTokens[id] : ToVocabularyText(text), score,
            TypeOf(id, has_bytes));
  }
  if (in.remaining() == 0) return out;
  return Bad(name, "has more than the checkpoint's " + std::to_string(vocab_size) + " tokens");
}

Result<Tokens> FindTokens(const std::filesystem::path& checkpoint, uint64_t vocab_size,
                          const std::filesystem::path& given) {
  if (!given.empty()) return ReadTokens(given, vocab_size);
  const auto folder = checkpoint.parent_path();
  for (const std::string& name :
       {"tok" + std::to_string(vocab_size) + ".bin", std::string("tokenizer.bin")}) {
    std::error_code ignored;
    if (std::filesystem::exists(folder / name, ignored)) {
      return ReadTokens(folder / name, vocab_size);
    }
  }
  return WithoutTexts(vocab_size);
}

void AddMetadata(const Header& h, const Tokens& tokens, gguf::Writer& writer) {
  const auto count = [&](const char* key, uint64_t value) {
    writer.Add(std::string("llama.") + key, static_cast<uint32_t>(value));
  };
  count("context_length", h.ctx_len);
  count("embedding_length", h.d_model);
  count("feed_forward_length", h.d_ff);
  count("block_count", h.num_layers);
  count("vocab_size", h.vocab_size);
  count("attention.head_count", h.num_heads);
  count("attention.head_count_kv", h.num_kv_heads);
  count("rope.dimension_count", h.head_dim());
  writer.Add("llama.attention.layer_norm_rms_epsilon", kNormEpsilon);
  const std::vector<std::string_view> texts(tokens.texts.begin(), tokens.texts.end());
  writer.Add("tokenizer.ggml.model", "llama");
  writer.AddArray<std::string_view>("tokenizer.ggml.tokens", texts);
  writer.AddArray<float>("tokenizer.ggml.scores", tokens.scores);
  writer.AddArray<int32_t>("tokenizer.ggml.token_type", tokens.types);
  writer.Add("tokenizer.ggml.unknown_token_id", uint32_t{0});
  writer.Add("tokenizer.ggml.bos_token_id", uint32_t{1});
  writer.Add("tokenizer.ggml.eos_token_id", uint32_t{2});
  writer.Add("tokenizer.ggml.add_bos_token", true);
}

void AddTensors(const Header& header, std::span<const std::byte> data, const RowWriter& writer) {
  for (const Kind& kind : KindsOf(header)) {
    const uint64_t bytes = kind.row_values * kind.num_rows * sizeof(float);
    const uint64_t count = kind.per_layer ? header.num_layers : 1;
    for (uint64_t i = 0; i < count && !kind.skipped; ++i) {
      std::string name =
          kind.per_layer ? "blk." + std::to_string(i) + "." + kind.name : std::string(kind.name);
      std::vector<uint64_t> dims = {kind.row_values};
      if (!kind.is_vector()) dims.push_back(kind.num_rows);
      writer.Add(std::move(name), std::move(dims),
                 StoredFloatRows(quant::TensorType::kF32, data.subspan(i * bytes, bytes),
                                 kind.row_values, kind.num_rows));
    }
    data = data.subspan(bytes * count);
  }
}

}  // namespace

bool LooksLikeLlama2c(std::span<const std::byte> head, uint64_t file_bytes) {
  const auto header = ReadHeader(head, "");
  return header ? CheckFileSize("", *header, file_bytes).has_value()
                : header.error().code == ErrorCode::kUnsupported;
}

Result<void> ImportLlama2c(const std::filesystem::path& checkpoint,
                           const std::filesystem::path& out, const ImportOptions& options) {
  const std::string name = utf8::Escape(checkpoint.filename().native());
  VADE_TRY(const MappedFile file, MappedFile::Open(checkpoint));
  VADE_TRY(const Header header, ReadHeader(file.bytes(), name));
  VADE_CHECK_OK(CheckFileSize(name, header, file.bytes().size()));
  if (header.vocab_size < kFirstByteToken) {
    return Bad(name, "a vocabulary of " + std::to_string(header.vocab_size) + " tokens");
  }
  VADE_TRY(const Tokens tokens, FindTokens(checkpoint, header.vocab_size, options.tokenizer));
  gguf::Writer writer;
  writer.Add("general.architecture", "llama");
  writer.Add("general.name", options.name.empty() ? NameOfSource(checkpoint) : options.name);
  if (!options.license.empty()) writer.Add("general.license", options.license);
  AddFileType(writer, options.write.type);
  AddMetadata(header, tokens, writer);
  ThreadPool pool(options.write.num_threads);
  const ModelShape shape = {.has_output = !header.tied, .num_layers = header.num_layers};
  AddTensors(header, file.bytes().subspan(header.header_bytes),
             RowWriter{writer, options.write.type, shape, pool, options.write.cancel, name});
  return writer.WriteTo(out, options.write.replace, options.write.on_tensor);
}

}  // namespace vade::import
