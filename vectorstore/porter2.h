// The English (Porter2) stemmer: "connection", "connected" and "connects" become "connect".
// Algorithm: https://snowballstem.org/algorithms/english/stemmer.html
#pragma once

#include <string>
#include <string_view>

namespace vade::vectorstore {

/// The stem of a lower-case ASCII word (letters, digits, apostrophe '). Other words come back as
/// they are. Never longer than the word plus one byte.
[[nodiscard]] std::string StemEnglish(std::string_view word);

}  // namespace vade::vectorstore
