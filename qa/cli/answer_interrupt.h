// AnswerInterrupt: Ctrl-C stops what is being answered, and not the program.
#pragma once

#include "engine/base/cancel.h"

namespace vade::qa {

/// While it lives, SIGINT cancels the token of the answer in work, or does nothing more than wake
/// whoever waits for a line; SIGTERM ends the program. One at a time.
class AnswerInterrupt {
 public:
  AnswerInterrupt();
  ~AnswerInterrupt();
  AnswerInterrupt(const AnswerInterrupt&) = delete;
  AnswerInterrupt& operator=(const AnswerInterrupt&) = delete;

  /// Readable once SIGINT came while nothing was answered, be it before anybody waited. -1: none.
  [[nodiscard]] static int wake_descriptor();

  /// The token of one answer, watched until the end of its scope.
  class Answer {
   public:
    Answer();
    ~Answer();
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    [[nodiscard]] const CancelToken& token() const { return token_; }

   private:
    CancelToken token_;
  };
};

}  // namespace vade::qa
