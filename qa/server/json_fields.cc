#include "qa/server/json_fields.h"

#include <cmath>
#include <utility>

#include "engine/base/utf8.h"

namespace vade::qa::server {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 64;
const json kNull;
const json kEmpty = json::object();

/// Builds the value, but watches what the library lets pass: depth, duplicates, overflow.
class StrictReader : public nlohmann::json_sax<json> {
 public:
  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(int64_t value) override { return Put(value); }
  bool number_unsigned(uint64_t value) override { return Put(value); }
  bool number_float(double value, const std::string&) override {
    return std::isfinite(value) ? Put(value) : Stop("a number is out of range");
  }
  bool string(std::string& value) override { return Put(std::move(value)); }
  bool binary(json::binary_t&) override { return Stop("binary data"); }
  bool start_object(size_t) override { return Open(json::object()); }
  bool start_array(size_t) override { return Open(json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(std::string& name) override {
    if (open_.back()->contains(name)) {
      return Stop("duplicate key '" + utf8::Escape(name.substr(0, 64)) + "'");
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&, const json::exception&) override {
    return Stop("not valid JSON at byte " + std::to_string(position));
  }

  json root;
  std::string reason;

 private:
  bool Put(json value) {
    Place(std::move(value));
    return true;
  }
  json* Place(json value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(parent[key_] = std::move(value));
  }
  bool Open(json value) {
    if (open_.size() == kMaxDepth) {
      return Stop("nested more than " + std::to_string(kMaxDepth) + " levels deep");
    }
    open_.push_back(Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  bool Stop(std::string why) {
    if (reason.empty()) reason = std::move(why);
    return false;
  }

  std::vector<json*> open_;  // a container is not moved while it is open
  std::string key_;
};

std::string TypeName(const json& value) { return value.type_name(); }

}  // namespace

Result<json> ParseJson(std::string_view text) {
  StrictReader reader;
  if (!json::sax_parse(text.begin(), text.end(), &reader)) {
    return Fail(ErrorCode::kInvalidArgument, "body: " + reader.reason);
  }
  return std::move(reader.root);
}

Fields::Fields(const json& object, std::string name) : object_(object), name_(std::move(name)) {
  if (!object_.is_object()) {
    error_ = Error{ErrorCode::kInvalidArgument, (name_.empty() ? "body" : name_) + ": got " +
                                                    TypeName(object_) + ", expected an object"};
  }
}

const json& Fields::Find(const std::string& field) const {
  if (!object_.is_object()) return kNull;
  const auto at = object_.find(field);
  return at == object_.end() ? kNull : *at;
}

bool Fields::Has(const std::string& field) const { return !Find(field).is_null(); }

void Fields::Complain(const std::string& field, const std::string& what) {
  if (!error_) error_ = Error{ErrorCode::kInvalidArgument, NameOf(field) + ": " + what};
}

Result<void> Fields::Status() const {
  if (error_) return tl::unexpected(*error_);
  return {};
}

std::string Fields::String(const std::string& field, std::string fallback, size_t max_bytes) {
  const json& value = Find(field);
  if (value.is_null()) return fallback;
  if (!value.is_string()) {
    Complain(field, "got " + TypeName(value) + ", expected a string");
    return fallback;
  }
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > max_bytes) {
    Complain(field, "got " + std::to_string(text.size()) + " bytes, at most " +
                        std::to_string(max_bytes) + " are taken");
    return fallback;
  }
  return text;
}

std::string Fields::RequiredString(const std::string& field, size_t max_bytes) {
  std::string text = String(field, "", max_bytes);
  if (text.empty()) Complain(field, "missing or empty, expected a string");
  return text;
}

std::optional<int64_t> Fields::Integer(const std::string& field, int64_t least, int64_t most) {
  const json& value = Find(field);
  if (value.is_null()) return std::nullopt;
  const auto range =
      "expected an integer from " + std::to_string(least) + " to " + std::to_string(most);
  // Ruby, JavaScript and the like write 5 as 5.0.
  const bool whole =
      value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>();
  if (!value.is_number_integer() && !whole) {
    Complain(field, "got " + (value.is_number() ? value.dump() : TypeName(value)) + ", " + range);
    return std::nullopt;
  }
  const bool fits =
      whole ? value.get<double>() >= static_cast<double>(least) &&
                  value.get<double>() <= static_cast<double>(most)
            : (value.is_number_unsigned()
                   ? most >= 0 && value.get<uint64_t>() <= static_cast<uint64_t>(most) &&
                         (least < 0 || value.get<uint64_t>() >= static_cast<uint64_t>(least))
                   : value.get<int64_t>() >= least && value.get<int64_t>() <= most);
  if (!fits) {
    Complain(field, "got " + value.dump() + ", " + range);
    return std::nullopt;
  }
  return value.get<int64_t>();
}

std::optional<double> Fields::Number(const std::string& field, double least, double most) {
  const json& value = Find(field);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most)) {
    Complain(field, "got " + (value.is_number() ? value.dump() : TypeName(value)) +
                        ", expected a number from " + json(least).dump() + " to " +
                        json(most).dump());
    return std::nullopt;
  }
  return value.get<double>();
}

bool Fields::Bool(const std::string& field, bool fallback) {
  const json& value = Find(field);
  if (value.is_null()) return fallback;
  if (!value.is_boolean()) {
    Complain(field, "got " + TypeName(value) + ", expected true or false");
    return fallback;
  }
  return value.get<bool>();
}

std::vector<std::string> Fields::Strings(const std::string& field, size_t max_items,
                                         size_t max_bytes) {
  if (Find(field).is_string()) return {String(field, "", max_bytes)};
  std::vector<std::string> out;
  const json& values = Array(field, max_items);
  if (!values.is_array()) return out;
  for (const json& value : values) {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > max_bytes) {
      Complain(field, "expected strings of at most " + std::to_string(max_bytes) + " bytes");
      return {};
    }
    out.push_back(value.get<std::string>());
  }
  return out;
}

std::vector<int64_t> Fields::Integers(const std::string& field, size_t max_items, int64_t least,
                                      int64_t most) {
  std::vector<int64_t> out;
  const json& values = Array(field, max_items);
  if (!values.is_array()) return out;
  for (const json& value : values) {
    if (!value.is_number_integer() || value > most || value < least) {
      Complain(field,
               "expected integers from " + std::to_string(least) + " to " + std::to_string(most));
      return {};
    }
    out.push_back(value.get<int64_t>());
  }
  return out;
}

const json& Fields::Object(const std::string& field) {
  const json& value = Find(field);
  if (value.is_null() || value.is_object()) return value;
  Complain(field, "got " + TypeName(value) + ", expected an object");
  return kNull;
}

Fields Fields::In(const std::string& field) {
  const json& object = Object(field);
  return Fields(object.is_object() ? object : kEmpty, NameOf(field));
}

const json& Fields::Array(const std::string& field, size_t max_items) {
  const json& value = Find(field);
  if (value.is_null()) return value;
  if (!value.is_array()) {
    Complain(field, "got " + TypeName(value) + ", expected an array");
    return kNull;
  }
  if (value.size() > max_items) {
    Complain(field, "got " + std::to_string(value.size()) + " items, at most " +
                        std::to_string(max_items) + " are taken");
    return kNull;
  }
  return value;
}

std::string Fields::Word(const std::string& field, const std::vector<std::string>& words,
                         const std::string& fallback) {
  std::string text = String(field, fallback, 64);
  std::string list;
  for (const std::string& word : words) {
    if (word == text) return text;
    list += (list.empty() ? "" : ", ") + word;
  }
  Complain(field, "got '" + utf8::Escape(text) + "', expected one of " + list);
  return fallback;
}

}  // namespace vade::qa::server
