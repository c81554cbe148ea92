// Grounding: is what a language model wrote in the documents? Sentence by sentence, as it comes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "qa/answer/citation.h"
#include "qa/answer/pieces.h"
#include "retriever/retriever.h"
#include "vectorstore/store.h"

namespace vade::qa {

enum class Support : uint8_t {
  kQuoted,     // stands in the passage word for word
  kSupported,  // its words, all its numbers and its names do
  kNone,
};

[[nodiscard]] std::string_view SupportName(Support support);  // "quoted", "supported", "none"

struct GroundedSentence {
  std::string text;    // without [n] marks
  std::string before;  // white space and list marker between it and the one before
  Support support = Support::kNone;
  std::vector<size_t> citations;  // 1-based numbers in Grounder::citations()
  bool moved = false;             // the model cited a passage that does not say it; another does
};

/// Feeds on generated text and gives finished sentences. The proof is against the stored text: each
/// sentence is compared with the sentences, items and rows of the passages it cites (of all
/// passages, if those do not hold it), and what is cited is read from the store again. Numbers,
/// identifiers and negations must agree; of the other content words most.
class Grounder {
 public:
  /// `shown`: index into `passages` of the model's [1], [2], ...; `sections` from ReadSections.
  /// None of the arguments is owned.
  Grounder(const vectorstore::Store& store, const std::vector<retriever::Passage>& passages,
           const std::vector<Section>& sections, std::vector<size_t> shown);

  /// Errors: those of the store.
  [[nodiscard]] Result<std::vector<GroundedSentence>> Append(std::string_view text);
  [[nodiscard]] Result<std::vector<GroundedSentence>> Finish();

  [[nodiscard]] const std::vector<Citation>& citations() const { return citations_; }

 private:
  struct Part {  // a sentence, item or row of a section
    size_t section = 0;
    Span span;
    std::string heading;
  };

  [[nodiscard]] Result<std::vector<GroundedSentence>> Take(bool all);
  [[nodiscard]] Result<GroundedSentence> Ground(std::string_view raw);
  [[nodiscard]] Result<void> Prove(const Question& claim, const std::vector<size_t>& cited,
                                   GroundedSentence& sentence);
  [[nodiscard]] const Part* Best(const Question& claim, size_t passage, Support& support) const;
  [[nodiscard]] Result<size_t> Cite(const Part& part);

  const vectorstore::Store& store_;
  const std::vector<retriever::Passage>& passages_;
  const std::vector<Section>& sections_;
  std::vector<size_t> shown_;
  std::vector<std::vector<Part>> parts_;  // by passage
  std::vector<Citation> citations_;
  std::string pending_;
};

}  // namespace vade::qa
