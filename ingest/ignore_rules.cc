// Glob matching and the parsing of ignore files; semantics of gitignore(5).
#include "ingest/ignore_rules.h"

#include <cstdint>
#include <optional>

namespace vade::ingest {
namespace {

// Matches one [...] class at pattern[at]; returns the index after ']' or nothing when unclosed.
std::optional<size_t> MatchClass(std::string_view pattern, size_t at, char c, bool& matched) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const auto low = static_cast<unsigned char>(pattern[i]);
    auto high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      high = static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    }
    const auto value = static_cast<unsigned char>(c);
    found |= low <= value && value <= high;
    ++i;
  }
  if (i >= pattern.size()) return std::nullopt;
  matched = found != negated;
  return i + 1;
}

// One component against one pattern component, with the usual single backtracking point per '*'.
bool MatchComponent(std::string_view pattern, std::string_view name) {
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  while (n < name.size()) {
    bool step = false;
    if (p < pattern.size()) {
      const char c = pattern[p];
      if (c == '*') {
        star = p++;
        star_name = n;
        continue;
      }
      size_t next = p + 1;
      if (c == '?') {
        step = true;
      } else if (c == '[') {
        bool matched = false;
        const auto end = MatchClass(pattern, p, name[n], matched);
        step = end ? matched : name[n] == '[';
        if (end) next = *end;
      } else if (c == '\\' && p + 1 < pattern.size()) {
        step = pattern[p + 1] == name[n];
        next = p + 2;
      } else {
        step = c == name[n];
      }
      if (step) p = next;
    }
    if (step) {
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t slash = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, slash - begin));
    begin = slash + 1;
  }
  return parts;
}

}  // namespace

bool GlobMatch(std::string_view pattern, std::string_view path) {
  const auto patterns = SplitPath(pattern);
  const auto names = SplitPath(path);
  // reach[j]: the patterns so far match the first j names. No recursion, no exponential case.
  std::vector<char> reach(names.size() + 1, 0);
  reach[0] = 1;
  for (size_t i = 0; i < patterns.size(); ++i) {
    const bool last = i + 1 == patterns.size();
    std::vector<char> next(names.size() + 1, 0);
    if (patterns[i] == "**") {
      // A trailing "**" needs at least one component below it.
      char seen = 0;
      for (size_t j = 0; j <= names.size(); ++j) {
        if (last) next[j] = seen;
        seen = static_cast<char>(seen | reach[j]);
        if (!last) next[j] = seen;
      }
    } else {
      for (size_t j = 0; j < names.size(); ++j) {
        if (reach[j] && MatchComponent(patterns[i], names[j])) next[j + 1] = 1;
      }
    }
    reach = std::move(next);
  }
  return reach[names.size()] != 0;
}

void IgnoreRules::AddFile(std::string_view folder, std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    AddPattern(folder, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void IgnoreRules::AddPattern(std::string_view folder, std::string_view line) {
  if (rules_.size() >= kMaxRules) return;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('#')) return;
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  Rule rule;
  if (line.starts_with('!')) {
    rule.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    rule.folders_only = true;
    line.remove_suffix(1);
  }
  rule.anchored = line.find('/') != std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  if (line.empty()) return;
  rule.pattern = line;
  if (!folder.empty()) rule.folder = std::string(folder) + "/";
  rules_.push_back(std::move(rule));
}

IgnoreRules::Verdict IgnoreRules::Match(std::string_view relative_path, bool is_folder) const {
  const size_t slash = relative_path.rfind('/');
  const std::string_view name =
      slash == std::string_view::npos ? relative_path : relative_path.substr(slash + 1);
  for (size_t i = rules_.size(); i-- > 0;) {
    const Rule& rule = rules_[i];
    if (rule.folders_only && !is_folder) continue;
    if (!relative_path.starts_with(rule.folder)) continue;
    const std::string_view below = relative_path.substr(rule.folder.size());
    const bool hit =
        rule.anchored ? GlobMatch(rule.pattern, below) : MatchComponent(rule.pattern, name);
    if (hit) return rule.negated ? Verdict::kIncluded : Verdict::kIgnored;
  }
  return Verdict::kUndecided;
}

const IgnoreRules& BuiltInIgnoreRules() {
  static const IgnoreRules rules = [] {
    constexpr std::string_view kLines[] = {
        // Secrets: never indexed by accident, whatever their content looks like.
        ".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx",
        "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", ".pgpass", ".npmrc",
        ".pypirc", ".htpasswd", ".git-credentials", "credentials.json", ".ssh/", ".gnupg/", ".aws/",
        ".azure/", ".kube/", ".docker/", ".password-store/",
        // Version control, dependencies, caches.
        ".git", ".hg/", ".svn/", ".bzr/", "node_modules/", "__pycache__/", ".venv/", ".tox/",
        ".cache/", "CVS/", ".gitignore", ".vadeignore",
        // Leftovers of editors, Office and desktops.
        "~$*", ".~lock.*", "*~", "*.swp", "*.swo", "*.tmp", "*.part", "*.crdownload", ".DS_Store",
        "Thumbs.db", "desktop.ini", "__MACOSX/", "$RECYCLE.BIN/", ".Trash*/"};
    IgnoreRules built_in;
    for (const std::string_view line : kLines) built_in.AddPattern("", line);
    return built_in;
  }();
  return rules;
}

}  // namespace vade::ingest
