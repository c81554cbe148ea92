// Words and stems of the published vocabulary (https://snowballstem.org/algorithms/english/), at
// least one for every rule of every step.
#include "vectorstore/porter2.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vade::vectorstore {
namespace {

TEST(Porter2, PublishedExamples) {
  for (const auto& [word, stem] :
       std::initializer_list<std::pair<const char*, const char*>>{{"consign", "consign"},
                                                                  {"consigned", "consign"},
                                                                  {"consistency", "consist"},
                                                                  {"consistently", "consist"},
                                                                  {"consolation", "consol"},
                                                                  {"consolatory", "consolatori"},
                                                                  {"consolidate", "consolid"},
                                                                  {"consolidating", "consolid"},
                                                                  {"consols", "consol"},
                                                                  {"conspicuously", "conspicu"},
                                                                  {"conspiracy", "conspiraci"},
                                                                  {"constable", "constabl"},
                                                                  {"constancy", "constanc"},
                                                                  {"knackeries", "knackeri"},
                                                                  {"knavish", "knavish"},
                                                                  {"kneaded", "knead"},
                                                                  {"kneeling", "kneel"},
                                                                  {"knitting", "knit"},
                                                                  {"knobs", "knob"},
                                                                  {"knocker", "knocker"},
                                                                  {"knots", "knot"},
                                                                  {"knotty", "knotti"},
                                                                  {"generate", "generat"},
                                                                  {"generously", "generous"},
                                                                  {"generic", "generic"},
                                                                  {"communism", "communism"},
                                                                  {"communities", "communiti"},
                                                                  {"arsenal", "arsenal"},
                                                                  {"dying", "die"},
                                                                  {"skies", "sky"},
                                                                  {"news", "news"},
                                                                  {"succeeding", "succeed"},
                                                                  {"outings", "outing"},
                                                                  {"ties", "tie"},
                                                                  {"cries", "cri"},
                                                                  {"gas", "gas"},
                                                                  {"this", "this"},
                                                                  {"gaps", "gap"},
                                                                  {"kiwis", "kiwi"},
                                                                  {"caresses", "caress"},
                                                                  {"feed", "feed"},
                                                                  {"agreed", "agre"},
                                                                  {"luxuriated", "luxuri"},
                                                                  {"hopping", "hop"},
                                                                  {"hoping", "hope"},
                                                                  {"hoped", "hope"},
                                                                  {"falling", "fall"},
                                                                  {"sized", "size"},
                                                                  {"cry", "cri"},
                                                                  {"by", "by"},
                                                                  {"say", "say"},
                                                                  {"enjoy", "enjoy"},
                                                                  {"relational", "relat"},
                                                                  {"conditional", "condit"},
                                                                  {"digitizer", "digit"},
                                                                  {"operator", "oper"},
                                                                  {"analogies", "analog"},
                                                                  {"hopefulness", "hope"},
                                                                  {"sensibility", "sensibl"},
                                                                  {"formalize", "formal"},
                                                                  {"electrical", "electr"},
                                                                  {"adoption", "adopt"},
                                                                  {"replacement", "replac"},
                                                                  {"adjustable", "adjust"},
                                                                  {"rate", "rate"},
                                                                  {"controlling", "control"},
                                                                  {"roll", "roll"},
                                                                  {"user's", "user"},
                                                                  {"users'", "user"},
                                                                  {"yesterday", "yesterday"},
                                                                  {"resetting", "reset"}}) {
    EXPECT_EQ(StemEnglish(word), stem) << word;
  }
}

TEST(Porter2, OtherWordsStayAsTheyAre) {
  for (const char* word : {"", "a", "is", "1234", "''", "'''", "caf\xC3\xA9s", "E-204s"}) {
    EXPECT_EQ(StemEnglish(word), word);
  }
  EXPECT_EQ(StemEnglish("''s"), "");
}

}  // namespace
}  // namespace vade::vectorstore
