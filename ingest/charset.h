// Bytes of unknown encoding -> UTF-8.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vade::ingest {

struct DecodedText {
  std::string text;      // valid UTF-8, BOM removed, "\r\n" and "\r" as "\n"
  std::string charset;   // IANA-like name: "UTF-8", "UTF-16LE", "CP949", "ISO-8859-1", ...
  bool guessed = false;  // true when neither a BOM nor valid UTF-8 nor `declared` decided it
  uint64_t invalid = 0;  // sequences replaced by U+FFFD
};

/// Order of evidence: BOM, UTF-16 by its zero bytes or Hangul statistics, valid UTF-8, `declared`
/// (an HTML meta or XML encoding; may be empty), statistical detection among CP949/EUC-KR, Johab,
/// Shift-JIS, EUC-JP, GB18030, Big5, Windows-125x, ISO-8859-1.
[[nodiscard]] DecodedText DecodeText(std::string_view bytes, std::string_view declared = {});

}  // namespace vade::ingest
