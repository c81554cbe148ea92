// .gitignore-style rules: which paths of a folder are not worth (or not safe) to read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vade::ingest {

/// Patterns in the order they were found; the last one that matches decides. Matching is linear in
/// pattern length times path length for any input. Const-safe.
class IgnoreRules {
 public:
  enum class Verdict { kUndecided, kIgnored, kIncluded };

  /// Adds the lines of an ignore file that lies in `folder` ("" is the root). Comments, blank
  /// lines, "!" negation, "/" anchoring, trailing "/" for folders only, "*", "?", "[...]", "**" and
  /// backslash escapes as in gitignore(5). Lines after kMaxRules are not read.
  void AddFile(std::string_view folder, std::string_view text);
  void AddPattern(std::string_view folder, std::string_view line);

  /// What the rules say about the entry itself; parents are the caller's business.
  [[nodiscard]] Verdict Match(std::string_view relative_path, bool is_folder) const;

  [[nodiscard]] size_t size() const noexcept { return rules_.size(); }
  /// Forgets the rules added after size() was `count` (the walker leaves a folder).
  void Truncate(size_t count) { rules_.resize(count); }

  static constexpr size_t kMaxRules = 10'000;  // far above any real file; bounds a hostile one

 private:
  struct Rule {
    std::string folder;  // the rule applies below this folder, "" or "a/b/"
    std::string pattern;
    bool negated = false;
    bool folders_only = false;
    bool anchored = false;  // matches the whole path below `folder`, else any base name
  };

  std::vector<Rule> rules_;
};

/// fnmatch-like, but "*", "?" and "[...]" never match '/', and "**" as a whole component matches
/// any number of components.
[[nodiscard]] bool GlobMatch(std::string_view pattern, std::string_view path);

/// Secrets (keys, .env, .ssh ...), version control, caches, editor and Office leftovers.
[[nodiscard]] const IgnoreRules& BuiltInIgnoreRules();

}  // namespace vade::ingest
