// Real Korean chapters in nine encodings against their truth (../shared/documents/encodings-ko).
#include <gtest/gtest.h>
#include <unicode/normalizer2.h>

#include <filesystem>

#include "engine/base/file.h"
#include "ingest/charset.h"

namespace vade::ingest {
namespace {

std::string Nfc(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  icu::Normalizer2::getNFCInstance(status)->normalizeUTF8(
      0, {text.data(), static_cast<int32_t>(text.size())}, sink, nullptr, status);
  return out;
}

TEST(CharsetGolden, KoreanEncodings) {
  const std::filesystem::path folder = VADE_SOURCE_DIR "/../shared/documents/encodings-ko";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared data";
  size_t checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    const size_t md = name.find(".md.");
    if (md == std::string::npos) continue;
    const auto bytes = ReadFile(entry.path());
    const auto truth = ReadFile(folder / (name.substr(0, md) + ".md.truth.utf8.txt"));
    ASSERT_TRUE(bytes && truth) << name;
    const DecodedText decoded = DecodeText(*bytes);
    EXPECT_EQ(Nfc(decoded.text), Nfc(DecodeText(*truth).text)) << name << " as " << decoded.charset;
    EXPECT_EQ(decoded.invalid, 0u) << name;
    ++checked;
  }
  EXPECT_EQ(checked, 27u);
}

}  // namespace
}  // namespace vade::ingest
