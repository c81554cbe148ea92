// Runs the built programs as a user would, and folders that clean up after a test.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vade::testing {

struct Finished {
  int code = -1;  // exit status, or 128 + signal
  std::string out;
  std::string err;
};

struct RunOptions {
  std::vector<std::pair<std::string, std::string>> environment;  // added to a minimal one
  std::string stdin_text;
  std::string stdout_path;        // instead of capturing; "/dev/full" and the like
  int interrupt_after_ms = -1;    // SIGINT to the process after this time
  int kill_after_ms = -1;         // SIGKILL likewise
  size_t close_stdout_after = 0;  // close our end of the pipe after so many bytes; 0: never
};

/// Runs bin/vade of the build tree with HOME and VADE_STORE inside `home`.
[[nodiscard]] Finished RunVade(const std::filesystem::path& home,
                               const std::vector<std::string>& arguments,
                               const RunOptions& options = {});

/// A folder that is removed at the end of its scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file below the folder, making parents.
  std::filesystem::path Write(const std::filesystem::path& relative, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

}  // namespace vade::testing
