// Torch files written here byte by byte: what torch writes is read, everything else a pickle could
// do is refused, and nothing in a broken container is believed.
#include "engine/import/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace vade::import {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string Raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

struct ZipFile {
  std::string name;
  std::string data;
  uint16_t method = 0;
};

std::string Zip(const std::vector<ZipFile>& files) {
  std::string out, directory;
  for (const ZipFile& file : files) {
    const auto size = static_cast<uint32_t>(file.data.size());
    const auto name_size = static_cast<uint16_t>(file.name.size());
    const std::string sizes = Raw(uint32_t{0}) + Raw(size) + Raw(size) + Raw(name_size);
    directory += "PK\1\2" + Raw(uint32_t{0}) + Raw(uint16_t{0}) + Raw(file.method) +
                 Raw(uint32_t{0}) + sizes + std::string(12, '\0') +
                 Raw(static_cast<uint32_t>(out.size())) + file.name;
    out += "PK\3\4" + Raw(uint16_t{0}) + Raw(uint16_t{0}) + Raw(file.method) + Raw(uint32_t{0}) +
           sizes + Raw(uint16_t{0}) + file.name + file.data;
  }
  const auto count = static_cast<uint16_t>(files.size());
  return out + directory + "PK\5\6" + Raw(uint32_t{0}) + Raw(count) + Raw(count) +
         Raw(static_cast<uint32_t>(directory.size())) + Raw(static_cast<uint32_t>(out.size())) +
         Raw(uint16_t{0});
}

// Operations of a pickle.
std::string Global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
std::string Text(const std::string& text) {
  return "X" + Raw(static_cast<uint32_t>(text.size())) + text;
}
std::string Int(int32_t value) { return "J" + Raw(value); }
std::string Tuple(const std::string& items) { return "(" + items + "t"; }
std::string Storage(const std::string& type, const std::string& key, int32_t values) {
  return Tuple(Text("storage") + Global("torch", type) + Text(key) + Text("cpu") + Int(values)) +
         "Q";
}
std::string Tensor(const std::string& storage, int32_t offset, const std::string& shape,
                   const std::string& strides) {
  return Global("torch._utils", "_rebuild_tensor_v2") +
         Tuple(storage + Int(offset) + Tuple(shape) + Tuple(strides) + "\x89" +
               Global("collections", "OrderedDict") + ")R") +
         "R";
}
const std::string kDictionary = Global("collections", "OrderedDict") + ")R";
const std::string kBegin = "\x80\x02" + kDictionary + "(";

std::string Pickle(const std::string& items) { return kBegin + items + "u."; }

Result<TorchFile> Read(const std::string& bytes) {
  return TorchFile::Parse(std::as_bytes(std::span(bytes)), "m.bin");
}

class TorchFileTest : public ::testing::Test {
 protected:
  TorchFileTest() {
    for (int i = 0; i < 6; ++i) values_ += Raw(static_cast<float>(i));
  }
  std::string File(const std::string& pickle) const {
    return Zip({{"archive/data.pkl", pickle},
                {"archive/byteorder", "little"},
                {"archive/data/0", values_},
                {"archive/version", "3\n"}});
  }
  void ExpectRefused(const std::string& pickle, const std::string& reason,
                     ErrorCode code = ErrorCode::kCorruptData) const {
    const std::string bytes = File(pickle);
    const auto file = Read(bytes);
    ASSERT_FALSE(file) << "want: " << reason;
    EXPECT_THAT(file.error().message, HasSubstr(reason));
    EXPECT_THAT(file.error().message, HasSubstr("m.bin: "));
    EXPECT_EQ(file.error().code, code);
  }
  void ExpectTensorRefused(const std::string& tensor, const std::string& reason) const {
    ExpectRefused(Pickle(Text("w") + tensor), reason);
  }

  std::string values_;  // 0 to 5 as floats
  std::string storage_ = Storage("FloatStorage", "0", 6);
};

TEST_F(TorchFileTest, ReadsWhatTorchWrites) {
  const std::string pickle =
      kBegin + Text("a") + "q\1" + Tensor(storage_ + "q\2", 0, Int(2) + Int(3), Int(3) + Int(1)) +
      Text("b") + Tensor("h\2", 4, "K\2", "K\1") + Text("epoch") + Int(7) + "u" + "}(" +
      Text("_metadata") + kDictionary + "ub.";  // the state that torch gives the dictionary
  const std::string bytes = File(pickle);
  const auto file = Read(bytes);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 2u);
  const SafeTensor& a = file->tensors()[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype, "F32");
  EXPECT_THAT(a.shape, ElementsAre(2, 3));
  EXPECT_EQ(std::memcmp(a.data.data(), values_.data(), 24), 0);
  EXPECT_EQ(std::memcmp(file->tensors()[1].data.data(), values_.data() + 16, 8), 0);
}

TEST_F(TorchFileTest, AStateDictInsideIsFound) {
  const std::string bytes = File(Pickle(Text("state_dict") + kDictionary + "(" + Text("w") +
                                        Tensor(storage_, 0, "K\6", "K\1") + "u" + Text("lr") + "G" +
                                        std::string(8, '\0')));
  const auto file = Read(bytes);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->tensors().front().name, "w");
}

TEST_F(TorchFileTest, RefusesCode) {
  const auto refused = [&](const std::string& pickle, const std::string& name) {
    ExpectRefused(pickle, name + "\": refuses code", ErrorCode::kUnsupported);
  };
  refused("\x80\x02" + Global("os", "system") + Tuple(Text("touch /tmp/pwned")) + "R.",
          "names \"os.system");
  refused("\x80\x02" + Global("posix", "system") + ".", "names \"posix.system");
  refused("\x80\x02" + Global("builtins", "eval") + ".", "names \"builtins.eval");
  refused("\x80\x02" + Global("torch", "load") + ".", "names \"torch.load");
  refused("\x80\x02" + Global("torch._utils", "_rebuild_tensor_v2.__globals__") + ".",
          "_rebuild_tensor_v2.__globals__");
  refused("\x80\x02" + Global("os.FloatStorage", "FloatStorage") + ".",
          "names \"os.FloatStorage.FloatStorage");
  // Names that are allowed cannot be made to do something else.
  ExpectRefused("\x80\x02" + Global("torch", "FloatStorage") + Tuple(Int(1)) + "R.",
                "calls something that makes no tensor: refuses code", ErrorCode::kUnsupported);
  ExpectRefused("\x80\x02" + kDictionary + Tuple("") + "R.", "refuses code",
                ErrorCode::kUnsupported);
  ExpectRefused("\x80\x02" + Global("collections", "OrderedDict") + Tuple(Int(1)) + "R.",
                "refuses code", ErrorCode::kUnsupported);
  // INST, OBJ, NEWOBJ, STACK_GLOBAL, EXT1, and the string of PERSID.
  for (const char* op : {"i", "o", "\x81", "\x93", "\x82", "P", "\x95"}) {
    ExpectRefused("\x80\x02(" + std::string(op) + "os\nsystem\n.", "refuses code",
                  ErrorCode::kUnsupported);
  }
  ExpectRefused("\x80\x04.", "protocol 4, want 2", ErrorCode::kUnsupported);
}

TEST_F(TorchFileTest, TensorsOutsideTheirStorage) {
  ExpectTensorRefused(Tensor(storage_, 0, "K\7", "K\1"), "7 values at 0 of a storage of 6");
  ExpectTensorRefused(Tensor(storage_, 5, "K\2", "K\1"), "2 values at 5 of a storage of 6");
  ExpectTensorRefused(Tensor(storage_, -1, "K\1", "K\1"), "negative offset");
  ExpectTensorRefused(Tensor(storage_, 0, Int(-1), "K\1"), "natural numbers");
  ExpectTensorRefused(Tensor(storage_, 0, "K\2K\3", "K\1"), "differ in number");
  ExpectTensorRefused(Tensor(Storage("FloatStorage", "0", 1 << 30), 0, Int(1 << 20), "K\1"),
                      "of a storage of 6");
  ExpectTensorRefused(Tensor(Storage("DoubleStorage", "0", 6), 0, "K\6", "K\1"),
                      "of a storage of 3");
  ExpectTensorRefused(Tensor(Storage("FloatStorage", "../0", 6), 0, "K\6", "K\1"), "no storage");
  const std::string huge = "\x8a\x08" + std::string(7, '\xFF') + "\x7F";
  ExpectTensorRefused(Tensor(storage_, 0, huge + "K\4", "K\4K\1"), "shape is too large");
  ExpectTensorRefused(Tensor("K\1", 0, "K\1", "K\1"), "something else than storage");
  ExpectRefused(Pickle(Text("w") + Tensor(storage_, 0, "K\2K\3", "K\1K\2")),
                "not stored row by row", ErrorCode::kUnsupported);
}

TEST_F(TorchFileTest, PicklesThatAreBroken) {
  const std::string good = Pickle(Text("w") + Tensor(storage_, 0, "K\6", "K\1"));
  for (size_t size = 0; size < good.size(); ++size) {
    const std::string bytes = File(good.substr(0, size));
    EXPECT_FALSE(Read(bytes)) << size;
  }
  ExpectRefused("\x80\x02.", "empty stack");
  ExpectRefused(
      "\x80\x02"
      "h\5.",
      "memo that was not set");
  ExpectRefused("\x80\x02t.", "no mark");
  ExpectRefused(
      "\x80\x02}(N"
      "u.",
      "key without value");
  ExpectRefused(
      "\x80\x02"
      "K\1.",
      "no dictionary of tensors");
  ExpectRefused(
      "\x80\x02"
      "K\1Q.",
      "no storage");
  ExpectRefused("\x80\x02X" + Raw(uint32_t{0xFFFFFFFF}) + "x.", "truncated");
  ExpectRefused("\x80\x02\x8a\x09" + std::string(9, 'x') + ".", "more than 64 bits");
}

// Nesting, cycles and doubling cost no more than their bytes.
TEST_F(TorchFileTest, BombsStaySmall) {
  std::string deep = "\x80\x02N";
  for (int i = 0; i < 1'000'000; ++i) deep += '\x85';
  ExpectRefused(deep + ".", "no dictionary of tensors");
  ExpectRefused(
      "\x80\x02]q\1h\1a"
      "h\1a.",
      "no dictionary of tensors");  // a list in itself
  std::string doubling = "\x80\x02)q\1";
  for (int i = 0; i < 1000; ++i) doubling += "h\1h\1\x86q\1";
  ExpectRefused(doubling + ".", "no dictionary of tensors");
  ExpectRefused("\x80\x02" + std::string(3'000'000, 'N') + ".", "more than 2^21 values");
  ExpectRefused("\x80\x02" + std::string(3'000'000, '(') + ".", "more than 2^21 values");
  std::string refilled = "\x80\x02]q\1";
  for (int i = 0; i < 3'000'000; ++i) refilled += "h\1a";
  ExpectRefused(refilled + ".", "more than 2^21 items");
}

TEST_F(TorchFileTest, ContainersThatAreBroken) {
  const std::string good = File(Pickle(Text("w") + Tensor(storage_, 0, "K\6", "K\1")));
  for (size_t size = 0; size < good.size(); ++size) {
    const std::string cut = good.substr(0, size);
    EXPECT_FALSE(Read(cut)) << size;
  }
  for (size_t at = 0; at < good.size(); ++at) {  // whatever it says, it does not crash
    for (const char flip : {'\x01', '\x80', '\xFF'}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      (void)Read(bytes);
    }
  }
  const auto expect = [](const std::string& bytes, const std::string& reason) {
    const auto file = Read(bytes);
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr(reason));
  };
  expect("\x80\x02}q.", "not a torch file of version 1.6 or later");
  expect(Zip({{"archive/data.pkl", "x", 8}}), "compressed or encrypted, want stored");
  expect(Zip({{"a", "x"}, {"a", "y"}}), "there twice");
  expect(Zip({{"word/document.xml", "x"}}), "not a torch file of weights");
  expect(Zip({{"m/data.pkl", Pickle("")}, {"m/byteorder", "big"}}), "another byte order");
}

}  // namespace
}  // namespace vade::import
