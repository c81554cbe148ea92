// SHA-256 against the examples of FIPS 180-4 and of NIST's test vectors.
#include "engine/base/sha256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace vade {
namespace {

std::string Hash(const std::string& text, size_t piece = SIZE_MAX) {
  Sha256 hash;
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::min(piece, text.size() - at);
    hash.Add(std::as_bytes(std::span(text)).subspan(at, size));
    at += size;
  }
  return hash.Finish();
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(Hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Hash(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesDoNotMatter) {
  for (const size_t size : {1u, 55u, 56u, 57u, 63u, 64u, 65u, 119u, 120u, 128u, 1000u}) {
    const std::string text(size, 'x');
    for (const size_t piece : {1u, 3u, 63u, 64u, 65u}) EXPECT_EQ(Hash(text, piece), Hash(text));
  }
}

}  // namespace
}  // namespace vade
