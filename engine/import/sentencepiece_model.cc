// Fields by number; unknown ones are skipped, as the format demands.
#include "engine/import/sentencepiece_model.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "engine/base/utf8.h"

namespace vade::import {
namespace {

using Piece = SentencePieceModel::Piece;

constexpr size_t kMaxPieces = 1u << 24;

// One field: a number, or bytes.
struct Field {
  uint32_t number = 0;
  uint64_t value = 0;                // of a varint or a fixed number
  std::span<const std::byte> bytes;  // of a string or message
};

// Walks the fields of one message.
class Message {
 public:
  Message(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  /// Nothing at the end.
  Result<std::optional<Field>> Next() {
    if (at_ == bytes_.size()) return std::optional<Field>();
    VADE_TRY(const uint64_t tag, Varint());
    Field field{.number = static_cast<uint32_t>(tag >> 3)};
    switch (tag & 7) {
      case 0: {
        VADE_TRY(field.value, Varint());
        return std::optional(field);
      }
      case 1:
        VADE_CHECK_OK(Take(8, field));
        return std::optional(field);
      case 2: {
        VADE_TRY(const uint64_t size, Varint());
        VADE_CHECK_OK(Take(size, field));
        return std::optional(field);
      }
      case 5:
        VADE_CHECK_OK(Take(4, field));
        std::memcpy(&field.value, field.bytes.data(), 4);
        return std::optional(field);
      default:
        return Bad("wire type " + std::to_string(tag & 7));
    }
  }

 private:
  tl::unexpected<Error> Bad(const std::string& reason) const {
    return Fail(ErrorCode::kCorruptData, name_ + ": byte " + std::to_string(at_) +
                                             " of a message: " + reason +
                                             " (not a SentencePiece model?)");
  }
  Result<uint64_t> Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) return Bad("truncated number");
      const auto byte = static_cast<uint64_t>(bytes_[at_++]);
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return Bad("number of more than 64 bits");
  }
  Result<void> Take(uint64_t size, Field& field) {
    if (size > bytes_.size() - at_) return Bad("truncated field of " + std::to_string(size));
    field.bytes = bytes_.subspan(at_, size);
    at_ += size;
    return {};
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  size_t at_ = 0;
};

std::string Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Calls on_field for each.
template <typename OnField>
Result<void> ForEachField(std::span<const std::byte> bytes, const std::string& name,
                          const OnField& on_field) {
  Message message(bytes, name);
  for (;;) {
    VADE_TRY(const std::optional<Field> field, message.Next());
    if (!field) return {};
    VADE_CHECK_OK(on_field(*field));
  }
}

Result<Piece> ReadPiece(std::span<const std::byte> bytes, const std::string& name) {
  Piece piece;
  const auto done = ForEachField(bytes, name, [&](const Field& field) -> Result<void> {
    if (field.number == 1) piece.text = Text(field.bytes);
    if (field.number == 2) std::memcpy(&piece.score, &field.value, sizeof piece.score);
    if (field.number != 3) return {};
    if (field.value < 1 || field.value > 6) {
      return Fail(ErrorCode::kCorruptData, name + ": piece of type " + std::to_string(field.value));
    }
    piece.type = static_cast<gguf::TokenType>(field.value);  // the same numbers
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  if (!std::isfinite(piece.score)) {
    return Fail(ErrorCode::kCorruptData, name + ": a score is not finite");
  }
  return piece;
}

Result<void> ReadTrainer(std::span<const std::byte> bytes, const std::string& name,
                         SentencePieceModel& out) {
  return ForEachField(bytes, name, [&](const Field& field) -> Result<void> {
    const auto id = static_cast<int32_t>(field.value);
    if (field.number == 40) out.unk_id = id;
    if (field.number == 41) out.bos_id = id;
    if (field.number == 42) out.eos_id = id;
    if (field.number == 43) out.pad_id = id;
    if (field.number != 3) return {};
    out.unigram = field.value == 1;
    if (field.value == 1 || field.value == 2) return {};
    return Fail(ErrorCode::kUnsupported, name + ": model type " + std::to_string(field.value) +
                                             ", want unigram (1) or BPE (2)");
  });
}

Result<void> ReadNormalizer(std::span<const std::byte> bytes, const std::string& name,
                            SentencePieceModel& out) {
  return ForEachField(bytes, name, [&](const Field& field) -> Result<void> {
    if (field.number == 2) out.charsmap = Text(field.bytes);
    if (field.number == 3) out.add_dummy_prefix = field.value != 0;
    if (field.number == 4) out.remove_extra_whitespaces = field.value != 0;
    return {};
  });
}

}  // namespace

Result<SentencePieceModel> SentencePieceModel::Parse(std::span<const std::byte> bytes,
                                                     const std::string& name) {
  SentencePieceModel out;
  out.unigram = true;  // the trainer's default
  const auto done = ForEachField(bytes, name, [&](const Field& field) -> Result<void> {
    if (field.number == 2) return ReadTrainer(field.bytes, name, out);
    if (field.number == 3) return ReadNormalizer(field.bytes, name, out);
    if (field.number != 1) return {};
    if (out.pieces.size() == kMaxPieces) {
      return Fail(ErrorCode::kCorruptData, name + ": more than 2^24 pieces");
    }
    VADE_TRY(Piece piece, ReadPiece(field.bytes, name));
    out.pieces.push_back(std::move(piece));
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  if (out.pieces.empty()) {
    return Fail(ErrorCode::kCorruptData, name + ": no pieces (not a SentencePiece model?)");
  }
  return out;
}

}  // namespace vade::import
