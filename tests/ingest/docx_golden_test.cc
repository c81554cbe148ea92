// The words of pandoc's own DOCX tests (../shared/documents/office) against pandoc's expectation:
// every string of the .native file, in any order, against ours.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "ingest/extractor.h"

namespace vade::ingest {
namespace {

// Contents of every `Str "..."` and of code strings; Haskell escapes undone.
std::string NativeText(const std::string& native) {
  std::string out;
  size_t at = 0;
  while ((at = native.find('"', at)) != std::string::npos) {
    // Str "word" and Code ( "" , [] , [] ) "words"; link targets and attributes are no text.
    const size_t before = native.find_last_not_of(" \n", at == 0 ? 0 : at - 1);
    const bool wanted = before != std::string::npos &&
                        (native[before] == ')' || native.compare(before - 2, 3, "Str") == 0);
    std::string text;
    for (++at; at < native.size() && native[at] != '"'; ++at) {
      if (native[at] != '\\') {
        text.push_back(native[at]);
      } else if (std::isdigit(static_cast<unsigned char>(native[++at])) != 0) {
        char32_t code = 0;
        for (; std::isdigit(static_cast<unsigned char>(native[at])) != 0; ++at) {
          code = code * 10 + static_cast<char32_t>(native[at] - '0');
        }
        utf8::Append(code, text);
        --at;
      } else if (native[at] != '&') {
        text.push_back(native[at]);
      }
    }
    ++at;
    if (wanted) out += text;
  }
  return out;
}

// How often each letter or digit occurs: spaces, quotes and markers are a matter of style.
std::map<char32_t, long> Letters(const std::string& text) {
  std::map<char32_t, long> counts;
  for (size_t i = 0; i < text.size();) {
    const utf8::CodePoint c = utf8::Decode(text, i);
    i += c.length;
    if (c.value < 0x80 ? std::isalpha(static_cast<int>(c.value)) != 0 : c.value >= 0xC0) {
      ++counts[c.value];
    }
  }
  return counts;
}

TEST(DocxGolden, TextAgreesWithPandoc) {
  const std::filesystem::path folder = VADE_SOURCE_DIR "/../shared/documents/office";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared data";
  // Where we differ on purpose.
  const std::set<std::string> kExcused = {
      "comments",                          // comments are not part of the document
      "0_level_headers",                   // tables of contents are left out
      "pageref",                           // likewise
      "table_header_rowspan",              // merged labels are repeated in each row
      "notes",                             // the .native belongs to another format's test
      "unicode",                           // characters of the Symbol font
      "track_changes_scrubbed_metadata"};  // the .native shows changes instead of accepting them
  size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto native = std::filesystem::path(entry.path()).replace_extension(".native");
    if (entry.path().extension() != ".docx" || !std::filesystem::exists(native)) continue;
    const std::string name = entry.path().stem();
    const auto bytes = ReadFile(entry.path());
    const auto expected = ReadFile(native);
    ASSERT_TRUE(bytes && expected);
    const auto document = ExtractDocx({.bytes = *bytes, .file_name = name});
    ASSERT_TRUE(document.has_value()) << name << ": " << document.error().message;
    ++compared;
    if (kExcused.contains(name)) continue;
    EXPECT_EQ(Letters(document->text), Letters(NativeText(*expected))) << name << "\n"
                                                                       << document->text;
  }
  EXPECT_GE(compared, 28u);
}

}  // namespace
}  // namespace vade::ingest
