// Where reference data lies, and reading its JSON lines.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace vade::testing {

/// A file under tests/golden.
[[nodiscard]] std::filesystem::path GoldenPath(const std::filesystem::path& relative);

/// A file of the wider reference collection that lies beside a developer's checkout; a test that
/// uses it skips when it is absent.
[[nodiscard]] std::filesystem::path SharedGoldenPath(const std::filesystem::path& relative);

/// One parsed object per line. Throws on a bad file: golden files are ours.
[[nodiscard]] std::vector<nlohmann::json> ReadJsonLines(const std::filesystem::path& path);

}  // namespace vade::testing
