#include "qa/cli/chat_loop.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/utf8.h"
#include "qa/answer/json_format.h"
#include "qa/chat/conversation_file.h"
#include "qa/cli/answer_interrupt.h"
#include "qa/cli/answer_text.h"
#include "qa/cli/chat_tools.h"
#include "qa/cli/progress.h"
#include "qa/cli/question_flags.h"
#include "qa/tools/json_format.h"

namespace vade::qa {
namespace {

using nlohmann::json;

constexpr std::string_view kHelp =
    "/sources     the sources of the last answer\n"
    "/context     what the last question was understood as, and what the model was given\n"
    "/model FILE  answer with another language model; without FILE: which one it is\n"
    "/tools       which tools the model has; \"/tools on\" and \"/tools off\"\n"
    "/save FILE   write the conversation to a file\n"
    "/load FILE   go on with a saved conversation\n"
    "/clear       forget the conversation\n"
    "/quit        leave, as Ctrl-D does; Ctrl-C stops one answer";

std::string_view RewritingName(Rewriting rewriting) {
  switch (rewriting) {
    case Rewriting::kCarried:
      return "topic carried";
    case Rewriting::kByModel:
      return "rewritten by the model";
    case Rewriting::kNone:
      break;
  }
  return "as typed";
}

std::string Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

}  // namespace

ChatLoop::ChatLoop(const Context& context, const vectorstore::Store* store,
                   embed::Embedder* embedder, std::unique_ptr<engine::LanguageModel> language_model,
                   ModelFlags model, ChatOptions options, retriever::Reranker* reranker)
    : context_(context),
      store_(store),
      embedder_(embedder),
      reranker_(reranker),
      language_model_(std::move(language_model)),
      model_(std::move(model)),
      options_(std::move(options)),
      chat_(std::make_unique<Chat>(store_, embedder_, language_model_.get(), reranker_)),
      terminal_(Terminal::ForStdout()) {
  tools_.emplace();
}

int ChatLoop::Run(LineReader& lines) {
  const AnswerInterrupt interrupt;
  while (std::cout) {
    const LineReader::Line line = lines.Read();
    switch (line.kind) {
      case LineReader::Kind::kEnd:
        return kOk;
      case LineReader::Kind::kInterrupted:
        std::cout << std::endl;
        continue;
      case LineReader::Kind::kTooLong:
        Complain("", "the line is longer than " + std::to_string(LineReader::kMaxLineBytes) +
                         " bytes and was not read");
        continue;
      case LineReader::Kind::kLine:
        break;
    }
    const std::string text = Trim(line.text);
    if (text.empty()) continue;
    if (text[0] != '/') {
      Answer(text);
    } else if (Command(text) == Next::kStop) {
      return kOk;
    }
  }
  return kOk;  // Finish says what became of standard output
}

void ChatLoop::Answer(const std::string& question) {
  const AnswerInterrupt::Answer interrupt;
  const bool silent = context_.global.json;
  Progress progress("Reading", context_.global.quiet);
  SentencePrinter printer;
  ChatSinks sinks;
  sinks.sentence = [&](const GroundedSentence& sentence) {
    return silent || printer.Print(sentence);
  };
  sinks.text = [&](std::string_view text) {
    if (!silent) std::cout << EscapeLines(text) << std::flush;
    return static_cast<bool>(std::cout);
  };
  sinks.call = [&](const ToolTrace& trace) {
    if (!silent && !context_.global.quiet) PrintToolCall(trace);
  };
  sinks.progress = [&](size_t done, size_t total) { progress.Update(done, total, "tokens"); };
  auto reply = chat_->Ask(question, options_, sinks, &interrupt.token());
  if (!reply) {
    if (reply.error().code != ErrorCode::kCancelled) return Complain("", reply.error().message);
    if (!silent) std::cout << '\n';
    return Say("", "stopped");
  }
  last_ = *std::move(reply);
  if (silent) return ShowJson(question, *last_);
  Show(*last_);
}

void ChatLoop::Show(const ChatReply& reply) {
  PrintWarnings(context_, reply.warnings);
  if (reply.composed) {
    const qa::Answer& answer = *reply.composed;
    if (answer.refused) {
      PrintRefusal(answer.language, answer.search, reply.standalone, terminal_);
    } else {
      PrintAnswer(answer, *store_, terminal_);
    }
  } else if (reply.written && reply.written->refused) {
    PrintRefusal(reply.written->language, reply.written->search, reply.standalone, terminal_);
  } else if (reply.written) {
    std::cout << '\n';
    PrintSources(reply.written->language, reply.written->citations, store_, terminal_);
  } else if (reply.tooled) {
    PrintToolAnswer(*reply.tooled, reply.standalone, store_, terminal_);
  } else {
    std::cout << '\n';
  }
  std::cout << std::endl;
}

void ChatLoop::ShowJson(const std::string& question, const ChatReply& reply) {
  json out = json::object();
  if (reply.composed) out = ToJson(*reply.composed);
  if (reply.written) out = ToJson(*reply.written);
  if (reply.tooled) out = ToJson(*reply.tooled);
  if (reply.plain) {
    out["answer"] = utf8::Repair(reply.plain->text);
    out["stop_reason"] = engine::StopReasonName(reply.plain->reason);
    out["warnings"] = reply.warnings;
  }
  out["question"] = utf8::Repair(question);
  out["standalone"] = utf8::Repair(reply.standalone);
  out["rewriting"] = RewritingName(reply.rewriting);
  out["history"] = {{"turns", reply.history_turns},
                    {"left_out_turns", reply.left_out_turns},
                    {"tokens", reply.history_tokens},
                    {"budget_tokens", reply.budget_tokens}};
  std::cout << out.dump() << std::endl;
}

void ChatLoop::Say(std::string_view command, const std::string& message) {
  if (!context_.global.json) {
    std::cout << message << std::endl;
    return;
  }
  json out = {{"message", utf8::Repair(message)}};
  if (!command.empty()) out["command"] = command;
  std::cout << out.dump() << std::endl;
}

void ChatLoop::Complain(std::string_view where, const std::string& message) {
  if (context_.global.json) {
    json out = {{"error", utf8::Repair(message)}};
    if (!where.empty()) out["command"] = where;
    std::cout << out.dump() << std::endl;
    return;
  }
  std::fprintf(stderr, "vade: error: %s\n", message.c_str());
}

ChatLoop::Next ChatLoop::Command(std::string_view line) {
  const size_t space = line.find_first_of(" \t");
  const std::string_view name = line.substr(0, space);
  const std::string argument = space == std::string_view::npos ? "" : Trim(line.substr(space));
  if (name == "/quit" || name == "/exit") return Next::kStop;
  if (name == "/help") {
    Say(name, std::string(kHelp));
  } else if (name == "/sources") {
    ShowSources();
  } else if (name == "/context") {
    ShowContext();
  } else if (name == "/model") {
    Model(argument);
  } else if (name == "/tools") {
    Tools(argument);
  } else if (name == "/clear") {
    chat_->history().Clear();
    last_.reset();
    Say(name, "the conversation is forgotten");
  } else if (name == "/save") {
    Save(argument);
  } else if (name == "/load") {
    const auto loaded =
        argument.empty() ? Fail(ErrorCode::kInvalidArgument, "/load needs a file") : Load(argument);
    if (!loaded) {
      Complain(name, loaded.error().message);
    } else {
      Say(name, std::to_string(chat_->history().turns().size()) + " turns loaded");
    }
  } else {
    Complain(name, utf8::Escape(name) + " is not a command (see /help)");
  }
  return Next::kGoOn;
}

void ChatLoop::ShowSources() {
  const auto& turns = chat_->history().turns();
  if (turns.empty() || turns.back().citations.empty()) {
    return Say("/sources", "the last answer has no sources");
  }
  if (!context_.global.json) {
    for (const Citation& citation : turns.back().citations) {
      std::cout << '[' << citation.number << "] " << utf8::Escape(citation.path);
      if (citation.page_number > 0) std::cout << ", p. " << utf8::Escape(citation.page);
      if (!citation.heading_path.empty()) std::cout << ", " << utf8::Escape(citation.heading_path);
      std::cout << "\n    " << EscapeLines(citation.quote) << '\n';
    }
    std::cout << std::flush;
    return;
  }
  json sources = json::array();
  for (const Citation& citation : turns.back().citations) {
    sources.push_back({{"number", citation.number},
                       {"path", utf8::Escape(citation.path)},
                       {"page", citation.page},
                       {"heading", citation.heading_path},
                       {"quote", citation.quote}});
  }
  std::cout << json{{"command", "/sources"}, {"sources", std::move(sources)}}.dump() << std::endl;
}

void ChatLoop::ShowContext() {
  std::string text = std::to_string(chat_->history().turns().size()) + " turns remembered";
  if (!last_) return Say("/context", text);
  text += "\nlast question: " + utf8::Escape(last_->standalone) + " (" +
          std::string(RewritingName(last_->rewriting)) + ")";
  if (language_model_ != nullptr) {
    text += "\nhistory in its prompt: " + std::to_string(last_->history_turns) + " turns, " +
            std::to_string(last_->history_tokens) + " of at most " +
            std::to_string(last_->budget_tokens) + " tokens";
    if (last_->left_out_turns > 0) {
      text += "; " + std::to_string(last_->left_out_turns) + " older ones left out";
    }
  }
  if (!last_->written) return Say("/context", text);
  const engine::ModelReply& generation = last_->written->generation;
  text += "\nprompt: " + std::to_string(generation.prompt_tokens) + " tokens, " +
          std::to_string(generation.reused_tokens) + " known from before";
  for (const LedgerEntry& entry : last_->written->ledger) {
    text += "\n  " + std::to_string(entry.tokens) + " tokens, " + entry.what;
    if (!entry.included) text += ": left out, " + entry.reason;
  }
  Say("/context", text);
}

void ChatLoop::SetTools(ChatTools tools, bool on) {
  tools_ = std::move(tools);
  if (on) options_.tools = tools_;
}

void ChatLoop::Tools(const std::string& argument) {
  if (argument == "on" && language_model_ == nullptr) {
    return Complain("/tools", "tools are for a language model: name one with /model");
  }
  if (argument == "on") {
    options_.tools = tools_;
  } else if (argument == "off") {
    options_.tools.reset();
  } else if (!argument.empty()) {
    return Complain("/tools", "/tools takes on or off");
  }
  Say("/tools", DescribeTools(*tools_, store_ != nullptr, options_.tools.has_value()));
}

void ChatLoop::Model(const std::string& path) {
  if (path.empty()) {
    return Say("/model",
               language_model_ == nullptr
                   ? "no model: answers are composed of the documents' own sentences"
                   : utf8::Escape(language_model_->name()) + ", " + utf8::Escape(model_.path));
  }
  ModelFlags wanted = model_;
  wanted.path = path;
  int exit_code = kOk;
  auto language_model = OpenLanguageModel(context_, wanted, &exit_code);
  if (language_model == nullptr) {  // the reason is told; the old one stays
    if (context_.global.json) Complain("/model", "the model could not be loaded");
    return;
  }
  auto chat = std::make_unique<Chat>(store_, embedder_, language_model.get(), reranker_);
  chat->history() = chat_->history();
  chat_ = std::move(chat);  // before the model it uses
  language_model_ = std::move(language_model);
  model_ = std::move(wanted);
  Say("/model", "now answering: " + utf8::Escape(language_model_->name()));
}

void ChatLoop::Save(const std::string& path) {
  if (path.empty()) return Complain("/save", "/save needs a file");
  const auto saved = SaveConversation(path, chat_->history().turns());
  if (!saved) return Complain("/save", saved.error().message);
  Say("/save", std::to_string(chat_->history().turns().size()) + " turns saved");
}

Result<void> ChatLoop::Load(const std::string& path) {
  VADE_TRY(std::vector<ChatTurn> turns, LoadConversation(path));
  chat_->history().Replace(std::move(turns));
  last_.reset();
  return {};
}

}  // namespace vade::qa
