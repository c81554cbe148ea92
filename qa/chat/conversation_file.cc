#include "qa/chat/conversation_file.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "engine/base/atomic_file.h"
#include "engine/base/file.h"
#include "engine/base/utf8.h"
#include "engine/import/json_file.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

json ToJson(const ChatTurn& turn) {
  json sources = json::array();
  for (const Citation& citation : turn.citations) {
    sources.push_back({{"number", citation.number},
                       {"path", utf8::Repair(citation.path)},
                       {"page", citation.page},
                       {"heading", citation.heading_path},
                       {"quote", citation.quote}});
  }
  return {{"question", utf8::Repair(turn.question)},
          {"standalone", utf8::Repair(turn.standalone)},
          {"answer", utf8::Repair(turn.answer)},
          {"refused", turn.refused},
          {"sources", std::move(sources)}};
}

/// Typed access to one object of the file, with its place in messages.
class Reader {
 public:
  Reader(const json& object, std::string place) : object_(object), place_(std::move(place)) {}

  [[nodiscard]] Result<std::string> Text(const char* key) const {
    VADE_TRY(const json* value, Field(key));
    if (!value->is_string()) return Wrong(key, "a string");
    return value->get<std::string>();
  }
  [[nodiscard]] Result<bool> Flag(const char* key) const {
    VADE_TRY(const json* value, Field(key));
    if (!value->is_boolean()) return Wrong(key, "true or false");
    return value->get<bool>();
  }
  [[nodiscard]] Result<uint64_t> Number(const char* key) const {
    VADE_TRY(const json* value, Field(key));
    if (!value->is_number_unsigned()) return Wrong(key, "a whole number");
    return value->get<uint64_t>();
  }
  [[nodiscard]] Result<const json*> List(const char* key) const {
    VADE_TRY(const json* value, Field(key));
    if (!value->is_array()) return Wrong(key, "a list");
    if (value->size() > kMaxConversationTurns) {
      return Fail(ErrorCode::kResource, place_ + ": \"" + key + "\": got " +
                                            std::to_string(value->size()) + " entries, at most " +
                                            std::to_string(kMaxConversationTurns));
    }
    return value;
  }
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  [[nodiscard]] Result<const json*> Field(const char* key) const {
    if (!object_.is_object()) {
      return Fail(ErrorCode::kCorruptData,
                  place_ + ": got " + object_.type_name() + ", want an object");
    }
    const auto found = object_.find(key);
    if (found == object_.end()) {
      return Fail(ErrorCode::kCorruptData, place_ + ": \"" + key + "\" is missing");
    }
    return &*found;
  }
  [[nodiscard]] tl::unexpected<Error> Wrong(const char* key, const char* want) const {
    return Fail(ErrorCode::kCorruptData,
                place_ + ": \"" + key + "\": got " + object_[key].type_name() + ", want " + want);
  }

  const json& object_;
  std::string place_;
};

Result<Citation> ReadSource(const Reader& source) {
  Citation citation;
  VADE_TRY(citation.number, source.Number("number"));
  VADE_TRY(citation.path, source.Text("path"));
  VADE_TRY(citation.page, source.Text("page"));
  VADE_TRY(citation.heading_path, source.Text("heading"));
  VADE_TRY(citation.quote, source.Text("quote"));
  citation.page_number = citation.page.empty() ? 0 : 1;  // only whether there is one
  citation.match = QuoteMatch::kExact;
  return citation;
}

Result<ChatTurn> ReadTurn(const Reader& reader) {
  ChatTurn turn;
  VADE_TRY(turn.question, reader.Text("question"));
  VADE_TRY(turn.standalone, reader.Text("standalone"));
  VADE_TRY(turn.answer, reader.Text("answer"));
  VADE_TRY(turn.refused, reader.Flag("refused"));
  VADE_TRY(const json* sources, reader.List("sources"));
  for (size_t i = 0; i < sources->size(); ++i) {
    VADE_TRY(Citation citation,
             ReadSource({(*sources)[i], reader.place() + ", source " + std::to_string(i + 1)}));
    turn.citations.push_back(std::move(citation));
  }
  turn.words = ShiftMarks(turn.answer, SIZE_MAX);  // its passages are not in the prompt
  return turn;
}

}  // namespace

Result<void> SaveConversation(const std::filesystem::path& path,
                              const std::vector<ChatTurn>& turns) {
  json list = json::array();
  for (const ChatTurn& turn : turns) list.push_back(ToJson(turn));
  const json out = {{"vade_conversation", kVersion}, {"turns", std::move(list)}};
  VADE_TRY(AtomicFile file, AtomicFile::Create(path));
  VADE_CHECK_OK(file.Write(out.dump(2, ' ', false, json::error_handler_t::replace) + "\n"));
  return file.Commit();
}

Result<std::vector<ChatTurn>> LoadConversation(const std::filesystem::path& path) {
  const std::string name = utf8::Escape(path.filename().native());
  VADE_TRY(const std::string text, ReadFile(path, kMaxConversationBytes));
  VADE_TRY(const json parsed, import::ParseJson(text, name));
  const Reader file(parsed, name);
  VADE_TRY(const uint64_t version, file.Number("vade_conversation"));
  if (version != kVersion) {
    return Fail(ErrorCode::kUnsupported, name + ": a conversation of version " +
                                             std::to_string(version) + ", want " +
                                             std::to_string(kVersion));
  }
  VADE_TRY(const json* list, file.List("turns"));
  std::vector<ChatTurn> turns;
  for (size_t i = 0; i < list->size(); ++i) {
    VADE_TRY(ChatTurn turn, ReadTurn({(*list)[i], name + ": turn " + std::to_string(i + 1)}));
    turns.push_back(std::move(turn));
  }
  return turns;
}

}  // namespace vade::qa
