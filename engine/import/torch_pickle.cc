// A stack machine of the thirty operations that torch.save uses.
#include "engine/import/torch_pickle.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "engine/base/utf8.h"
#include "engine/gguf/cursor.h"

namespace vade::import {
namespace {

constexpr size_t kMaxPickleBytes = size_t{32} << 20;
constexpr size_t kMaxValues = size_t{1} << 21;  // some 100,000 tensors
constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxRank = 8;

struct StorageType {
  std::string_view name;
  std::string_view dtype;
};
constexpr std::array<StorageType, 10> kStorages = {{{"FloatStorage", "F32"},
                                                    {"HalfStorage", "F16"},
                                                    {"BFloat16Storage", "BF16"},
                                                    {"DoubleStorage", "F64"},
                                                    {"LongStorage", "I64"},
                                                    {"IntStorage", "I32"},
                                                    {"ShortStorage", "I16"},
                                                    {"CharStorage", "I8"},
                                                    {"ByteStorage", "U8"},
                                                    {"BoolStorage", "BOOL"}}};

enum class Kind : uint8_t {
  kNone,
  kNumber,  // also bools
  kReal,
  kText,
  kSequence,       // tuple or list
  kDictionary,     // items: key, value, key, value
  kOrderedDict,    // the function that makes a dictionary
  kRebuildTensor,  // the function that makes a tensor
  kStorageType,
  kStorage,  // items: type, key; number: values
  kTensor,   // items: storage, offset, shape, strides
};

using Ref = uint32_t;

struct Value {
  Kind kind = Kind::kNone;
  int64_t number = 0;
  std::string_view text;  // views the pickle; of a storage type its dtype
  std::vector<Ref> items;
};

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& name) : in_(bytes, name) {}

  /// Runs to the end; the value it leaves.
  Result<Ref> Run() {
    for (;;) {
      at_ = in_.offset();
      VADE_TRY(const uint8_t op, in_.Read<uint8_t>("pickle"));
      if (op == '.') return Pop();
      VADE_CHECK_OK(Step(op));
      if (std::max({values_.size(), stack_.size(), marks_.size(), memo_.size()}) > kMaxValues) {
        return Bad(ErrorCode::kCorruptData, "more than 2^21 values");
      }
    }
  }

  [[nodiscard]] const Value& At(Ref ref) const { return values_[ref]; }

 private:
  [[nodiscard]] tl::unexpected<Error> Bad(ErrorCode code, const std::string& reason) const {
    return in_.Reject(code, at_, "pickle", reason);
  }
  [[nodiscard]] tl::unexpected<Error> Misused(const char* what) const {
    return Bad(ErrorCode::kCorruptData, what);
  }

  void Push(Value value) {
    stack_.push_back(static_cast<Ref>(values_.size()));
    values_.push_back(std::move(value));
  }
  void PushNumber(int64_t number) { Push({.kind = Kind::kNumber, .number = number}); }

  Result<Ref> Pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return Misused("empty stack");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Result<Value*> Top(Kind kind, const char* want) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return Misused("empty stack");
    Value& top = values_[stack_.back()];
    return top.kind == kind ? Result<Value*>(&top) : Misused(want);
  }
  Result<std::vector<Ref>> PopToMark() {
    if (marks_.empty()) return Misused("no mark");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  template <typename T>
  Result<void> PushRead() {
    VADE_TRY(const T number, in_.Read<T>("number"));
    PushNumber(static_cast<int64_t>(number));
    return {};
  }
  template <typename T>
  Result<void> PutMemo() {
    VADE_TRY(const T index, in_.Read<T>("memo"));
    if (stack_.empty()) return Misused("empty stack");
    memo_[index] = stack_.back();
    return {};
  }
  template <typename T>
  Result<void> GetMemo() {
    VADE_TRY(const T index, in_.Read<T>("memo"));
    const auto found = memo_.find(index);
    if (found == memo_.end()) return Misused("memo that was not set");
    stack_.push_back(found->second);
    return {};
  }

  Result<void> Step(uint8_t op) {
    switch (op) {
      case 0x80:  // PROTO
        return Protocol();
      case 'c':
        return Global();
      case 'q':
        return PutMemo<uint8_t>();
      case 'r':
        return PutMemo<uint32_t>();
      case 'h':
        return GetMemo<uint8_t>();
      case 'j':
        return GetMemo<uint32_t>();
      case 'K':
        return PushRead<uint8_t>();
      case 'M':
        return PushRead<uint16_t>();
      case 'J':
        return PushRead<int32_t>();
      case 0x8a:  // LONG1
        return Long();
      case 'G':
        return Real();
      case 'X':
        return Text();
      case 'N':
        Push({});
        return {};
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        PushNumber(op == 0x88);
        return {};
      case '}':
        Push({.kind = Kind::kDictionary});
        return {};
      case ')':
      case ']':
        Push({.kind = Kind::kSequence});
        return {};
      case '(':
        marks_.push_back(stack_.size());
        return {};
      case 't':
        return Tuple();
      case 0x85:
      case 0x86:
      case 0x87:
        return ShortTuple(op - 0x84u);
      case 'a':
      case 's':
        return Extend(op == 'a' ? Kind::kSequence : Kind::kDictionary, op == 'a' ? 1 : 2);
      case 'e':
      case 'u':
        return ExtendToMark(op == 'e' ? Kind::kSequence : Kind::kDictionary);
      case 'Q':
        return Persistent();
      case 'R':
        return Reduce();
      case 'b':
        return Build();
      default:
        return Bad(ErrorCode::kUnsupported, "operation " + std::to_string(op) +
                                                ", which torch does not write: refuses code");
    }
  }

  Result<void> Protocol() {
    VADE_TRY(const uint8_t version, in_.Read<uint8_t>("protocol"));
    if (version == 2) return {};
    return Bad(ErrorCode::kUnsupported, "protocol " + std::to_string(version) + ", want 2");
  }

  Result<std::string_view> Line() {
    const uint64_t begin = in_.offset();
    for (;;) {
      VADE_TRY(const auto c, in_.Read<char>("name"));
      if (c == '\n') break;
      if (in_.offset() - begin > kMaxTextBytes) return Misused("a name of more than 4096 bytes");
    }
    const auto bytes = in_.Between(begin, in_.offset() - 1);
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  Result<void> Global() {
    VADE_TRY(const std::string_view module, Line());
    VADE_TRY(const std::string_view name, Line());
    if (module == "collections" && name == "OrderedDict") {
      Push({.kind = Kind::kOrderedDict});
      return {};
    }
    if (module == "torch._utils" && name == "_rebuild_tensor_v2") {
      Push({.kind = Kind::kRebuildTensor});
      return {};
    }
    const auto storage = std::ranges::find(kStorages, name, &StorageType::name);
    if (module == "torch" && storage != kStorages.end()) {
      Push({.kind = Kind::kStorageType, .text = storage->dtype});
      return {};
    }
    return Bad(ErrorCode::kUnsupported, "names \"" + utf8::Escape(module.substr(0, 100)) + "." +
                                            utf8::Escape(name.substr(0, 100)) + "\": refuses code");
  }

  Result<void> Long() {
    VADE_TRY(const uint8_t size, in_.Read<uint8_t>("number"));
    VADE_TRY(const auto bytes, in_.ReadBytes(size, "number"));
    if (size > 8) return Misused("a number of more than 64 bits");
    uint64_t number = 0;
    for (size_t i = 0; i < size; ++i) number |= static_cast<uint64_t>(bytes[i]) << (8 * i);
    const bool negative = size > 0 && (static_cast<uint8_t>(bytes[size - 1]) & 0x80) != 0;
    if (negative && size < 8) number |= ~uint64_t{0} << (8 * size);
    PushNumber(static_cast<int64_t>(number));
    return {};
  }

  Result<void> Real() {
    VADE_TRY(const auto bytes, in_.ReadBytes(8, "number"));
    (void)bytes;  // no tensor depends on one
    Push({.kind = Kind::kReal});
    return {};
  }

  Result<void> Text() {
    VADE_TRY(const uint32_t size, in_.Read<uint32_t>("text"));
    VADE_TRY(const auto bytes, in_.ReadBytes(size, "text"));
    Push(
        {.kind = Kind::kText, .text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
    return {};
  }

  Result<void> Tuple() {
    VADE_TRY(std::vector<Ref> items, PopToMark());
    Push({.kind = Kind::kSequence, .items = std::move(items)});
    return {};
  }

  Result<void> ShortTuple(size_t size) {
    std::vector<Ref> items(size);
    for (size_t i = size; i-- > 0;) {
      VADE_TRY(items[i], Pop());
    }
    Push({.kind = Kind::kSequence, .items = std::move(items)});
    return {};
  }

  Result<void> Extend(Kind kind, size_t count) {
    std::array<Ref, 2> items{};
    for (size_t i = count; i-- > 0;) {
      VADE_TRY(items[i], Pop());
    }
    VADE_TRY(Value* const target, Top(kind, "adds to something else"));
    target->items.insert(target->items.end(), items.begin(),
                         items.begin() + static_cast<std::ptrdiff_t>(count));
    return CountItems(count);
  }

  Result<void> ExtendToMark(Kind kind) {
    VADE_TRY(const std::vector<Ref> items, PopToMark());
    if (kind == Kind::kDictionary && items.size() % 2 != 0) return Misused("key without value");
    VADE_TRY(Value* const target, Top(kind, "adds to something else"));
    target->items.insert(target->items.end(), items.begin(), items.end());
    return CountItems(items.size());
  }

  // Items are bought by operations, except that a memo makes them one byte each.
  Result<void> CountItems(size_t count) {
    num_items_ += count;
    return num_items_ <= kMaxValues ? Result<void>() : Misused("more than 2^21 items");
  }

  // ("storage", type, key, device, number of values)
  Result<void> Persistent() {
    VADE_TRY(const Ref ref, Pop());
    const Value& id = values_[ref];
    const bool is_storage =
        id.kind == Kind::kSequence && id.items.size() == 5 && At(id.items[0]).text == "storage" &&
        At(id.items[1]).kind == Kind::kStorageType && At(id.items[2]).kind == Kind::kText &&
        At(id.items[4]).kind == Kind::kNumber && At(id.items[4]).number >= 0;
    if (!is_storage) return Misused("a reference that is no storage");
    Push({.kind = Kind::kStorage,
          .number = At(id.items[4]).number,
          .items = {id.items[1], id.items[2]}});
    return {};
  }

  Result<void> Reduce() {
    VADE_TRY(const Ref arguments_ref, Pop());
    VADE_TRY(const Ref function, Pop());
    const Value& arguments = values_[arguments_ref];
    if (arguments.kind != Kind::kSequence) return Misused("calls without a tuple");
    if (At(function).kind == Kind::kOrderedDict && arguments.items.empty()) {
      Push({.kind = Kind::kDictionary});
      return {};
    }
    if (At(function).kind != Kind::kRebuildTensor) {
      return Bad(ErrorCode::kUnsupported, "calls something that makes no tensor: refuses code");
    }
    const auto is = [&](size_t i, Kind kind) { return At(arguments.items[i]).kind == kind; };
    if (arguments.items.size() < 4 || !is(0, Kind::kStorage) || !is(1, Kind::kNumber) ||
        !is(2, Kind::kSequence) || !is(3, Kind::kSequence)) {
      return Misused("a tensor of something else than storage, offset, size and strides");
    }
    Push({.kind = Kind::kTensor, .items = {arguments.items.begin(), arguments.items.begin() + 4}});
    return {};
  }

  // State of a dictionary (its _metadata): of no use here.
  Result<void> Build() {
    VADE_TRY(const Ref state, Pop());
    VADE_TRY(Value* const target, Top(Kind::kDictionary, "sets the state of something else"));
    (void)target;
    return At(state).kind == Kind::kDictionary ? Result<void>()
                                               : Misused("a state of another kind");
  }

  gguf::Cursor in_;
  uint64_t at_ = 0;  // of the operation at hand
  std::vector<Value> values_;
  std::vector<Ref> stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  std::unordered_map<uint32_t, Ref> memo_;
  size_t num_items_ = 0;
};

Result<std::vector<uint64_t>> Sizes(const Machine& machine, Ref list, const std::string& where) {
  std::vector<uint64_t> out;
  for (const Ref ref : machine.At(list).items) {
    const Value& size = machine.At(ref);
    if (size.kind != Kind::kNumber || size.number < 0 || out.size() == kMaxRank) {
      return Fail(ErrorCode::kCorruptData, where + "want at most 8 natural numbers as shape");
    }
    out.push_back(static_cast<uint64_t>(size.number));
  }
  return out;
}

Result<PickledTensor> ToTensor(const Machine& machine, std::string_view name, const Value& value,
                               const std::string& file) {
  const std::string where = file + ": tensor " + utf8::Escape(name.substr(0, 160)) + ": ";
  const Value& storage = machine.At(value.items[0]);
  const int64_t offset = machine.At(value.items[1]).number;
  if (offset < 0) return Fail(ErrorCode::kCorruptData, where + "negative offset");
  PickledTensor out{.name = std::string(name),
                    .dtype = std::string(machine.At(storage.items[0]).text),
                    .storage = std::string(machine.At(storage.items[1]).text),
                    .storage_values = static_cast<uint64_t>(storage.number),
                    .offset = static_cast<uint64_t>(offset)};
  VADE_TRY(out.shape, Sizes(machine, value.items[2], where));
  VADE_TRY(out.strides, Sizes(machine, value.items[3], where));
  if (out.shape.size() == out.strides.size()) return out;
  return Fail(ErrorCode::kCorruptData, where + "sizes and strides differ in number");
}

}  // namespace

Result<std::vector<PickledTensor>> ReadTorchPickle(std::span<const std::byte> bytes,
                                                   const std::string& name) {
  if (bytes.size() > kMaxPickleBytes) {
    return Fail(ErrorCode::kCorruptData, name + ": a pickle of " + std::to_string(bytes.size()) +
                                             " bytes, limit " + std::to_string(kMaxPickleBytes));
  }
  Machine machine(bytes, name);
  VADE_TRY(Ref root, machine.Run());
  const auto entries = [&](Ref ref) -> const std::vector<Ref>& { return machine.At(ref).items; };
  if (machine.At(root).kind != Kind::kDictionary) {
    return Fail(ErrorCode::kCorruptData, name + ": pickle: holds no dictionary of tensors");
  }
  for (size_t i = 0; i + 1 < entries(root).size(); i += 2) {
    const bool inner = machine.At(entries(root)[i]).text == "state_dict" &&
                       machine.At(entries(root)[i + 1]).kind == Kind::kDictionary;
    if (!inner) continue;
    root = entries(root)[i + 1];
    break;
  }
  std::vector<PickledTensor> out;
  for (size_t i = 0; i + 1 < entries(root).size(); i += 2) {
    const Value& key = machine.At(entries(root)[i]);
    const Value& value = machine.At(entries(root)[i + 1]);
    if (key.kind != Kind::kText || value.kind != Kind::kTensor) continue;
    VADE_TRY(PickledTensor tensor, ToTensor(machine, key.text, value, name));
    out.push_back(std::move(tensor));
  }
  return out;
}

}  // namespace vade::import
