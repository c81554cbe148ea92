// Paths below the checkout.
#include "tests/support/golden.h"

#include <fstream>
#include <stdexcept>
#include <string>

namespace vade::testing {
namespace {

const std::filesystem::path kSource = VADE_SOURCE_DIR;

}  // namespace

std::filesystem::path GoldenPath(const std::filesystem::path& relative) {
  return kSource / "tests" / "golden" / relative;
}

std::filesystem::path SharedGoldenPath(const std::filesystem::path& relative) {
  return kSource / ".." / "shared" / "golden" / relative;
}

std::vector<nlohmann::json> ReadJsonLines(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot open " + path.string());
  std::vector<nlohmann::json> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) out.push_back(nlohmann::json::parse(line));
  }
  return out;
}

}  // namespace vade::testing
