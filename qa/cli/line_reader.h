// LineReader: lines typed by a person, with editing and a history, or piped in.
#pragma once

#include <memory>
#include <string>

namespace vade::qa {

/// Single-thread.
class LineReader {
 public:
  enum class Kind {
    kLine,
    kInterrupted,  // Ctrl-C at the prompt: the line is given up
    kTooLong,      // longer than kMaxLineBytes; it was read to its end
    kEnd,
  };
  struct Line {
    Kind kind = Kind::kEnd;
    std::string text;  // without the line break
  };
  static constexpr size_t kMaxLineBytes = 64 << 10;

  virtual ~LineReader() = default;

  /// Edits lines (libedit, where the build found it) when standard input and output are terminals;
  /// otherwise reads standard input and shows no prompt. The history lives as long as the reader:
  /// questions are not written to disk.
  [[nodiscard]] static std::unique_ptr<LineReader> ForStdin(std::string prompt);

  [[nodiscard]] virtual Line Read() = 0;
};

}  // namespace vade::qa
