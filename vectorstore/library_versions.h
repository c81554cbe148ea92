// Versions of the libraries that only this folder sees, for reports.
#pragma once

#include <string>

namespace vade::vectorstore {

[[nodiscard]] std::string SqliteVersion();  // "3.40.1"
[[nodiscard]] std::string IcuVersion();     // "72.1"

}  // namespace vade::vectorstore
