#include "qa/cli/line_reader.h"

#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <string_view>
#include <utility>

#ifdef VADE_HAVE_LIBEDIT
#include <histedit.h>
#endif

#include "qa/cli/answer_interrupt.h"

namespace vade::qa {
namespace {

class PipedLines final : public LineReader {
 public:
  explicit PipedLines(std::string prompt) : prompt_(std::move(prompt)) {}

  Line Read() override {
    std::fputs(prompt_.c_str(), stdout);
    std::fflush(stdout);
    Line line;
    bool any = false;
    for (int c; (c = std::getc(stdin)) != EOF;) {
      any = true;
      if (c == '\n') break;
      if (line.text.size() <= kMaxLineBytes) line.text += static_cast<char>(c);
    }
    if (!any) return {};
    line.kind = line.text.size() > kMaxLineBytes ? Kind::kTooLong : Kind::kLine;
    return line;
  }

 private:
  const std::string prompt_;  // empty when nobody sees it
};

#ifdef VADE_HAVE_LIBEDIT

constexpr int kHistoryLines = 500;

class EditedLines final : public LineReader {
 public:
  explicit EditedLines(std::string prompt) : prompt_(std::move(prompt)) {
    // Letters beyond ASCII are edited as letters only in a UTF-8 locale.
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
    edit_ = el_init("vade", stdin, stdout, stderr);
    history_ = history_init();
    if (edit_ == nullptr || history_ == nullptr) return;
    HistEvent event{};
    history(history_, &event, H_SETSIZE, kHistoryLines);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &EditedLines::Prompt);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 1);  // the terminal is put right before a signal ends the program
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_GETCFN, &EditedLines::GetCharacter);
    el_source(edit_, nullptr);  // the user's ~/.editrc
  }
  ~EditedLines() override {
    if (history_ != nullptr) history_end(history_);
    if (edit_ != nullptr) el_end(edit_);
  }
  EditedLines(const EditedLines&) = delete;
  EditedLines& operator=(const EditedLines&) = delete;

  [[nodiscard]] bool works() const { return edit_ != nullptr && history_ != nullptr; }

  Line Read() override {
    int count = 0;
    errno = 0;
    // Before the prompt is there: a Ctrl-D that the terminal took for itself would be lost.
    el_set(edit_, EL_PREP_TERM, 1);
    const char* text = el_gets(edit_, &count);
    if (text == nullptr || count <= 0) {
      if (count >= 0 || errno != EINTR) return {};
      el_set(edit_, EL_UNBUFFERED, 0);
      el_reset(edit_);
      return {Kind::kInterrupted, ""};
    }
    std::string_view line(text, static_cast<size_t>(count));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
    if (line.size() > kMaxLineBytes) return {Kind::kTooLong, ""};
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      HistEvent event{};
      history(history_, &event, H_ENTER, std::string(line).c_str());
    }
    return {Kind::kLine, std::string(line)};
  }

 private:
  /// Ctrl-C that comes between two reads must not be lost: a descriptor tells of it.
  static bool WaitForKey() {
    std::array<pollfd, 2> waits = {
        {{STDIN_FILENO, POLLIN, 0}, {AnswerInterrupt::wake_descriptor(), POLLIN, 0}}};
    while (poll(waits.data(), waits.size(), -1) < 0) {
      if (errno != EINTR) return false;
    }
    char scrap = 0;
    if ((waits[1].revents & POLLIN) == 0) return true;
    while (read(waits[1].fd, &scrap, 1) == 1) {
    }
    errno = EINTR;
    return false;
  }

  /// One character, of however many bytes: 1, or 0 at the end of the input, or -1.
  static int GetCharacter(EditLine*, wchar_t* out) {
    std::mbstate_t state{};
    while (true) {
      if (!WaitForKey()) return -1;
      char byte = 0;
      const ssize_t size = read(STDIN_FILENO, &byte, 1);
      if (size <= 0) return static_cast<int>(size);
      const size_t used = std::mbrtowc(out, &byte, 1, &state);
      if (used == static_cast<size_t>(-2)) continue;  // more bytes to come
      if (used == static_cast<size_t>(-1)) *out = 0xFFFD;
      return 1;
    }
  }

  static char* Prompt(EditLine* edit) {
    EditedLines* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return self->prompt_.data();
  }

  std::string prompt_;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
};

#endif  // VADE_HAVE_LIBEDIT

}  // namespace

std::unique_ptr<LineReader> LineReader::ForStdin(std::string prompt) {
  const bool typed = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
#ifdef VADE_HAVE_LIBEDIT
  if (typed) {
    auto edited = std::make_unique<EditedLines>(prompt);
    if (edited->works()) return edited;
  }
#endif
  return std::make_unique<PipedLines>(typed ? std::move(prompt) : "");
}

}  // namespace vade::qa
