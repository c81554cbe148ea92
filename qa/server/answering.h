// Answering from the library, for our own /ask and for the model named "vade" of the other APIs.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "qa/chat/chat.h"
#include "qa/server/service.h"

namespace vade::qa::server {

inline constexpr std::string_view kLibraryModel = "vade";  // answers from the documents
inline constexpr std::string_view kRoutedModel = "auto";   // one of three, by the question

struct LibraryQuestion {
  std::string text;
  std::string model;      // empty: the configured one; without that, answers are composed
  bool composed = false;  // of the documents' sentences, whatever is configured
  ChatOptions chat;
  ChatHistory history;
  std::string cache_key;  // all of the request that the answer depends on; empty: not to be cached
};

/// What is told on the way besides; any of them may be empty.
struct LibrarySinks : AnswerSinks {
  std::function<void(const char* name)> stage;
  std::function<void(const Routing&)> routed;
  std::function<bool(std::string_view text)> shown;  // checked sentences, as they are shown
};

struct LibraryAnswer {
  nlohmann::json json;       // what `vade ask --json` prints, and which model wrote it
  engine::ModelReply reply;  // text as shown, with the model's counts
  ChatHistory history;       // with this turn
  bool streamed = false;     // `shown` has had all of it
};

/// Errors: those of Chat::Ask and Models::Generator; kUnavailable when the server stops meanwhile.
[[nodiscard]] Result<LibraryAnswer> AnswerQuestion(Service& service, const Request& request,
                                                   const LibraryQuestion& question,
                                                   const LibrarySinks& sinks,
                                                   const CancelToken& cancel);

/// Questions and answers of a conversation before its last message, as turns.
[[nodiscard]] ChatHistory HistoryOf(std::span<const engine::ChatMessage> messages);

}  // namespace vade::qa::server
