// Escape sequences, snippets, and documents by name.
#include "qa/cli/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

#include "engine/base/utf8.h"
#include "vectorstore/lexical_tokenizer.h"

namespace vade::qa {
namespace {

constexpr std::string_view kEllipsis = "...";

struct Match {
  size_t begin;
  size_t end;
};

/// Places of the question's words in `text`, in order, overlaps joined.
std::vector<Match> FindMatches(std::string_view text, std::string_view question) {
  std::unordered_set<std::string> asked;
  for (vectorstore::Token& token :
       vectorstore::Tokenize(question, vectorstore::TokenizeFor::kQuery)) {
    const bool lone_syllable =
        static_cast<unsigned char>(token.term[0]) >= 0x80 && utf8::CountCodePoints(token.term) < 2;
    if (!lone_syllable) asked.insert(std::move(token.term));
  }
  std::vector<Match> matches;
  for (const vectorstore::Token& token :
       vectorstore::Tokenize(text, vectorstore::TokenizeFor::kIndex)) {
    if (!asked.contains(token.term)) continue;
    if (!matches.empty() && token.begin < matches.back().end) {
      matches.back().end = std::max<size_t>(matches.back().end, token.end);
    } else {
      matches.push_back({token.begin, token.end});
    }
  }
  return matches;
}

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

size_t WordStart(std::string_view text, size_t at) {
  at = utf8::FloorBoundary(text, at);
  while (at > 0 && !IsSpace(text[at - 1])) --at;
  return at;
}

/// The window of max_bytes that holds the most matched bytes, starting a little before a match.
size_t BestStart(std::string_view text, const std::vector<Match>& matches, size_t max_bytes) {
  constexpr size_t kLead = 40;
  size_t best_start = 0;
  size_t best_bytes = 0;
  for (size_t i = 0; i < matches.size(); ++i) {
    size_t bytes = 0;
    for (size_t j = i; j < matches.size() && matches[j].end <= matches[i].begin + max_bytes - kLead;
         ++j) {
      bytes += matches[j].end - matches[j].begin;
    }
    if (bytes > best_bytes) {
      best_bytes = bytes;
      best_start = matches[i].begin;
    }
  }
  return best_start <= kLead ? 0 : WordStart(text, best_start - kLead);
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (!IsSpace(c)) {
      line += c;
    } else if (line.empty() || line.back() != ' ') {
      line += ' ';
    }
  }
  return utf8::Escape(line);
}

std::string PercentEncode(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string url;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/-_.~").find(c) != std::string_view::npos;
    if (plain) {
      url += c;
    } else {
      url += '%';
      url += kHex[byte >> 4];
      url += kHex[byte & 15];
    }
  }
  return url;
}

std::string Wrap(bool on, std::string_view code, std::string_view text) {
  if (!on) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace

Terminal Terminal::ForStdout() {
  const char* term = std::getenv("TERM");
  const bool is_terminal =
      isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
  const char* no_colour = std::getenv("NO_COLOR");
  const bool wants_colour = no_colour == nullptr || *no_colour == '\0';
  return {is_terminal && wants_colour, is_terminal};
}

std::string Terminal::Bold(std::string_view text) const { return Wrap(colour_, "1", text); }
std::string Terminal::Dim(std::string_view text) const { return Wrap(colour_, "2", text); }
std::string Terminal::Marked(std::string_view text) const { return Wrap(colour_, "1;33", text); }
std::string Terminal::Heat(std::string_view text) const { return Wrap(colour_, "36", text); }

std::string Terminal::FileLink(std::string_view text, std::string_view path, uint32_t page) const {
  if (!links_ || path.empty()) return std::string(text);
  std::string url = "file://" + PercentEncode(path);
  if (page > 0) url += "#page=" + std::to_string(page);
  return "\x1b]8;;" + url + "\x1b\\" + std::string(text) + "\x1b]8;;\x1b\\";
}

std::string Snippet(std::string_view text, std::string_view question, size_t max_bytes,
                    const Terminal& terminal) {
  const std::vector<Match> matches = FindMatches(text, question);
  const size_t begin = text.size() <= max_bytes ? 0 : BestStart(text, matches, max_bytes);
  size_t end = text.size();
  if (text.size() - begin > max_bytes) {
    end = WordStart(text, begin + max_bytes);
    if (end <= begin) end = utf8::FloorBoundary(text, begin + max_bytes);
  }
  std::string out = begin > 0 ? std::string(kEllipsis) : "";
  size_t at = begin;
  for (const Match& match : matches) {
    if (match.begin < at || match.end > end) continue;
    out += OneLine(text.substr(at, match.begin - at));
    out += terminal.Marked(OneLine(text.substr(match.begin, match.end - match.begin)));
    at = match.end;
  }
  out += OneLine(text.substr(at, end - at));
  while (!out.empty() && out.back() == ' ') out.pop_back();
  if (end < text.size()) out += kEllipsis;
  return out;
}

std::string EscapeLines(std::string_view text) {
  std::string out;
  while (true) {
    const size_t line = text.find('\n');
    out += utf8::Escape(text.substr(0, line));
    if (line == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(line + 1);
  }
}

std::string Shorten(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return OneLine(text);
  const size_t head = WordStart(text, max_bytes * 2 / 3);
  const size_t head_end = head > 0 ? head : utf8::FloorBoundary(text, max_bytes * 2 / 3);
  const size_t tail = WordStart(text, text.size() - max_bytes / 3);
  const size_t tail_begin =
      tail > head_end ? tail : utf8::FloorBoundary(text, text.size() - max_bytes / 3);
  std::string line = OneLine(text.substr(0, head_end));
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + " " + std::string(kEllipsis) + " " + OneLine(text.substr(tail_begin));
}

std::string AbsolutePath(const vectorstore::Store& store, vectorstore::DocumentId document) {
  const auto record = store.GetDocument(document);
  const auto collections = store.ListCollections();
  if (!record || !collections) return {};
  for (const vectorstore::Collection& collection : *collections) {
    if (collection.id != record->collection || collection.root.empty()) continue;
    return collection.root + "/" + record->path;
  }
  return {};
}

Result<std::vector<vectorstore::DocumentId>> FindDocuments(const vectorstore::Store& store,
                                                           const std::vector<std::string>& names) {
  std::vector<vectorstore::DocumentId> ids;
  if (names.empty()) return ids;
  VADE_TRY(const std::vector<vectorstore::DocumentRecord> documents, store.ListDocuments());
  for (const std::string& name : names) {
    const size_t before = ids.size();
    for (const vectorstore::DocumentRecord& record : documents) {
      const std::string_view path = record.path;
      const size_t slash = path.find_last_of('/');
      const std::string_view file = slash == std::string_view::npos ? path : path.substr(slash + 1);
      if (path == name || file == name) ids.push_back(record.id);
    }
    if (ids.size() == before) {
      return Fail(ErrorCode::kInvalidArgument,
                  "no document named " + utf8::Escape(name) + " (see 'vade ls')");
    }
  }
  return ids;
}

}  // namespace vade::qa
