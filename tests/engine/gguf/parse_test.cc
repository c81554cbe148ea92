// faults.md 1-11: what a hostile GGUF header may say, and how it is refused.
#include "engine/gguf/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include "tests/support/gguf_builder.h"

namespace vade::gguf {
namespace {

using ::testing::HasSubstr;
using vade::testing::RawBytes;

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

Result<ParsedImage> Parse(const RawBytes& raw) {
  return ParseImage(std::as_bytes(std::span(raw.bytes())), "m.gguf");
}

void ExpectRejected(const RawBytes& raw, const std::string& reason,
                    ErrorCode code = ErrorCode::kCorruptData) {
  const auto image = Parse(raw);
  ASSERT_FALSE(image) << "accepted, want: " << reason;
  EXPECT_EQ(image.error().code, code) << image.error().message;
  EXPECT_THAT(image.error().message, HasSubstr("m.gguf: byte "));
  EXPECT_THAT(image.error().message, HasSubstr(reason));
}

// A file with one key of the given raw value (type id included).
RawBytes OneKey(std::string_view key, const RawBytes& value) {
  RawBytes raw;
  raw.Header(0, 1).AddString(key).AddRaw(value.bytes());
  return raw;
}

// A file with one tensor entry and `data_bytes` of data.
RawBytes OneTensor(const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset,
                   size_t data_bytes, std::string_view name = "t") {
  RawBytes raw;
  raw.Header(1, 0).AddString(name).Add(static_cast<uint32_t>(dims.size()));
  for (const uint64_t dim : dims) raw.Add(dim);
  raw.Add(type).Add(offset);
  raw.AddRaw(std::string((32 - raw.bytes().size() % 32) % 32, '\0'));
  raw.AddRaw(std::string(data_bytes, '\1'));
  return raw;
}

TEST(Parse, AcceptsAMinimalFileOfEitherVersion) {
  for (const uint32_t version : {2u, 3u}) {
    RawBytes raw;
    raw.Header(0, 0, version);
    const auto image = Parse(raw);
    ASSERT_TRUE(image) << image.error().message;
    EXPECT_EQ(image->version, version);
  }
}

TEST(Parse, Fault1EmptyAndFourBytes) {
  ExpectRejected(RawBytes(), "truncated at 0");
  ExpectRejected(RawBytes().AddRaw("GGUF"), "version: truncated at 4");
}

TEST(Parse, Fault2MagicVersionByteOrder) {
  ExpectRejected(RawBytes().AddRaw("<html><body>404</body></html>"),
                 "not a GGUF file: begins with \"<htm\"");
  for (const uint32_t version : {0u, 1u, 4u, 0xFFFFFFFFu}) {
    ExpectRejected(RawBytes().Header(0, 0, version),
                   "unsupported version " + std::to_string(version), ErrorCode::kUnsupported);
  }
  ExpectRejected(RawBytes().Header(0, 0, __builtin_bswap32(3)), "big-endian",
                 ErrorCode::kUnsupported);
}

TEST(Parse, Fault3CountsAreBoundByTheFileBeforeAllocation) {
  for (const uint64_t count : {kHuge, uint64_t{1} << 63, uint64_t{1'000'000'000}}) {
    RawBytes tensors;
    tensors.Header(count, 0).AddRaw(std::string(1000, '\0'));
    ExpectRejected(tensors, "tensor count: " + std::to_string(count) + " entries cannot fit");
    RawBytes keys;
    keys.Header(0, count).AddRaw(std::string(1000, '\0'));
    ExpectRejected(keys, "metadata count: " + std::to_string(count) + " entries cannot fit");
  }
}

TEST(Parse, Fault4StringLengths) {
  RawBytes long_key;
  long_key.Header(0, 1).Add(uint64_t{65536}).AddRaw(std::string(70000, 'k'));
  ExpectRejected(long_key, "length 65536, limit 65535");
  for (const uint64_t length : {kHuge, uint64_t{65} << 20}) {
    ExpectRejected(OneKey("k", RawBytes().Add(uint32_t{8}).Add(length)), "limit 67108864");
  }
  ExpectRejected(OneKey("k", RawBytes().Add(uint32_t{8}).Add(uint64_t{100}).AddRaw("short")),
                 "needs 100 bytes, 5 left");
}

TEST(Parse, Fault5Arrays) {
  const auto array = [](uint32_t type, uint64_t count) {
    return RawBytes().Add(uint32_t{9}).Add(type).Add(count);
  };
  ExpectRejected(OneKey("k", array(12, kHuge / 8 + 2)), "entries cannot fit");
  ExpectRejected(OneKey("k", array(0, 1)), "entries cannot fit");
  ExpectRejected(OneKey("k", array(8, uint64_t{1} << 61)), "entries cannot fit");
  ExpectRejected(OneKey("k", array(9, 1)), "array of arrays", ErrorCode::kUnsupported);
  ExpectRejected(OneKey("k", array(13, 0)), "unknown array element type 13");
  ExpectRejected(OneKey("k", RawBytes().Add(uint32_t{13}).Add(uint64_t{0})),
                 "unknown value type 13");
  ExpectRejected(OneKey("k", array(8, 2).AddString("one").Add(uint64_t{9})), "needs 9 bytes");
  EXPECT_TRUE(Parse(OneKey("k", array(4, 0))));  // an empty array is fine
}

TEST(Parse, Fault6Keys) {
  const RawBytes value = RawBytes().Add(uint32_t{4}).Add(uint32_t{1});
  ExpectRejected(OneKey("", value), "metadata key 0: empty name");
  ExpectRejected(OneKey(std::string_view("a\0b", 3), value), "contains NUL");
  ExpectRejected(OneKey("\xC3\x28", value), "not valid UTF-8");
  RawBytes twice;
  twice.Header(0, 2);
  for (int i = 0; i < 2; ++i) twice.AddString("general.name").AddRaw(value.bytes());
  ExpectRejected(twice, "duplicate \"general.name\"");
}

TEST(Parse, Fault6And7Alignment) {
  ExpectRejected(OneKey("general.alignment", RawBytes().Add(uint32_t{5}).Add(int32_t{32})),
                 "got type i32, expected u32");
  for (const uint32_t alignment : {0u, 13u, 1u << 31, 131072u}) {
    ExpectRejected(OneKey("general.alignment", RawBytes().Add(uint32_t{4}).Add(alignment)),
                   "alignment must be a power of two <= 65536");
  }
  const auto image =
      Parse(OneKey("general.alignment", RawBytes().Add(uint32_t{4}).Add(uint32_t{4096})));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->alignment, 4096u);
}

TEST(Parse, Fault8NumberOfDimensions) {
  for (const uint32_t num_dims : {0u, 5u, 0xFFFFFFFFu}) {
    RawBytes raw;
    raw.Header(1, 0).AddString("t").Add(num_dims).AddRaw(std::string(200, '\1'));
    ExpectRejected(raw, "got " + std::to_string(num_dims) + " dimensions, want 1 to 4");
  }
}

TEST(Parse, Fault9Dimensions) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  ExpectRejected(OneTensor({0}, 0, 0, 64), "dimension 0 is 0, want a positive number");
  ExpectRejected(OneTensor({4, kHuge}, 0, 0, 64), "dimension 1 is -1");
  ExpectRejected(OneTensor({kMax, 2, 1, 1}, 0, 0, 64), "too many values");
  const uint64_t wraps = (uint64_t{1} << 42) + 1;
  ExpectRejected(OneTensor({wraps, wraps}, 0, 0, 64), "too many values");
  ExpectRejected(OneTensor({kMax}, 28, 0, 64), "size overflows");
  ExpectRejected(OneTensor({33}, 8, 0, 64), "row of 33 values is not whole q8_0 blocks of 32");
}

TEST(Parse, Fault10TensorTypes) {
  for (const uint32_t type : {4u, 5u, 31u, 38u, 1000u, 0xFFFFFFFFu}) {
    ExpectRejected(OneTensor({32}, type, 0, 64, "blk.0.w"),
                   "tensor blk.0.w: type " + std::to_string(type), ErrorCode::kUnsupported);
  }
}

TEST(Parse, Fault11Extents) {
  EXPECT_TRUE(Parse(OneTensor({16}, 0, 0, 64)));
  ExpectRejected(OneTensor({16}, 0, 16, 128), "offset 16 is not a multiple of the alignment 32");
  ExpectRejected(OneTensor({16}, 0, 0, 63), "past the 63 bytes of data");
  ExpectRejected(OneTensor({16}, 0, 32, 64), "offset 32 + 64 bytes is past the 64");
  ExpectRejected(OneTensor({16}, 0, kHuge - 31, 64), "is past the 64 bytes");
  ExpectRejected(OneTensor({uint64_t{1} << 60}, 0, 0, 64), "is past the 64 bytes");
}

TEST(Parse, Fault11OverlapAndTotalSize) {
  const auto two_tensors = [](uint64_t second_offset, uint64_t second_size) {
    RawBytes raw;
    raw.Header(2, 0);
    raw.AddString("a").Add(uint32_t{1}).Add(uint64_t{16}).Add(uint32_t{0}).Add(uint64_t{0});
    raw.AddString("b").Add(uint32_t{1}).Add(second_size).Add(uint32_t{0}).Add(second_offset);
    raw.AddRaw(std::string((32 - raw.bytes().size() % 32) % 32 + 128, '\0'));
    return raw;
  };
  EXPECT_TRUE(Parse(two_tensors(64, 16)));
  ExpectRejected(two_tensors(32, 16), "tensor b: offset 32 overlaps the tensor that ends at 64");
  ExpectRejected(two_tensors(0, 16), "overlaps");
  ExpectRejected(two_tensors(64, uint64_t{1} << 61), "past");
}

TEST(Parse, Fault12TensorNames) {
  ExpectRejected(OneTensor({16}, 0, 0, 64, std::string(65, 'n')), "length 65, limit 64");
  ExpectRejected(OneTensor({16}, 0, 0, 64, ""), "empty name");
  RawBytes raw;
  raw.Header(2, 0);
  for (uint64_t i = 0; i < 2; ++i) {
    raw.AddString("same").Add(uint32_t{1}).Add(uint64_t{8}).Add(uint32_t{0}).Add(i * 32);
  }
  raw.AddRaw(std::string(200, '\0'));
  ExpectRejected(raw, "duplicate \"same\"");
}

TEST(Parse, ManyKeysStayFast) {
  RawBytes raw;
  constexpr uint64_t kKeys = 100'000;
  raw.Header(0, kKeys);
  for (uint64_t i = 0; i < kKeys; ++i) {
    raw.AddString("key." + std::to_string(i)).Add(uint32_t{0}).Add(uint8_t{1});
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(Parse(raw));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Parse, ShapeIsShownInFileOrder) {
  TensorInfo tensor;
  tensor.num_dims = 2;
  tensor.dims = {384, 30522, 1, 1};
  EXPECT_EQ(ShapeToString(tensor), "[384, 30522]");
}

}  // namespace
}  // namespace vade::gguf
