// Depth-first walk with an explicit stack; every folder is opened beneath the root, so a link
// swapped in during the walk cannot lead outside.
#include "ingest/walker.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "engine/base/file.h"
#include "ingest/ignore_rules.h"
#include "ingest/open_beneath.h"

namespace vade::ingest {
namespace {

constexpr off_t kMaxIgnoreFileBytes = 1 << 20;

struct CloseDir {
  void operator()(DIR* dir) const noexcept { closedir(dir); }
};
using DirHandle = std::unique_ptr<DIR, CloseDir>;

int64_t MtimeNs(const struct stat& info) {
  return int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

class Walker {
 public:
  Walker(const WalkOptions& options, const CancelToken* cancel, WalkResult& result)
      : options_(options), cancel_(cancel), result_(result) {
    for (const std::string& glob : options.ignore_globs) asked_rules_.AddPattern("", glob);
  }

  Result<void> Run() {
    std::vector<Pending> stack{{"", rules_.size()}};
    while (!stack.empty()) {
      const Pending folder = std::move(stack.back());
      stack.pop_back();
      rules_.Truncate(folder.num_rules);
      const size_t first_child = stack.size();
      VADE_CHECK_OK(VisitFolder(folder.path, stack));
      // The rules of this folder hold for all that is pushed above it.
      for (size_t i = first_child; i < stack.size(); ++i) stack[i].num_rules = rules_.size();
    }
    return {};
  }

 private:
  struct Pending {
    std::string path;
    size_t num_rules;
  };

  Result<void> VisitFolder(const std::string& path, std::vector<Pending>& stack) {
    DirHandle dir = OpenFolder(path);
    if (!dir) return {};
    ReadIgnoreFile(dirfd(dir.get()), path, ".gitignore");
    ReadIgnoreFile(dirfd(dir.get()), path, ".vadeignore");
    while (true) {
      if (cancel_ != nullptr && cancel_->cancelled()) {
        return Fail(ErrorCode::kCancelled, "folder walk cancelled");
      }
      errno = 0;
      const dirent* entry = readdir(dir.get());
      if (entry == nullptr) {
        if (errno != 0) Skip(path, PathError(errno));
        return {};
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      VisitEntry(dirfd(dir.get()), path.empty() ? std::string(name) : path + "/" + entry->d_name,
                 entry->d_name, stack);
    }
  }

  DirHandle OpenFolder(const std::string& path) {
    auto fd = path.empty() ? Result<UniqueFd>(UniqueFd(openat(result_.root.get(), ".",
                                                              O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
                           : OpenBeneath(result_.root.get(), path, O_RDONLY | O_DIRECTORY);
    if (!fd || !*fd) {
      Skip(path, fd ? PathError(errno) : fd.error());
      return nullptr;
    }
    DirHandle dir(fdopendir(fd->get()));
    if (dir) (void)fd->release();
    return dir;
  }

  void VisitEntry(int dir_fd, std::string path, const char* name, std::vector<Pending>& stack) {
    struct stat info {};
    if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      Skip(std::move(path), PathError(errno));
      return;
    }
    const bool is_folder = S_ISDIR(info.st_mode);
    if (IsIgnored(path, name, is_folder)) return;
    if (S_ISLNK(info.st_mode)) {
      Skip(std::move(path), {ErrorCode::kUnsupported, "symlink"});
    } else if (is_folder) {
      stack.push_back({std::move(path), 0});
    } else if (!S_ISREG(info.st_mode)) {
      Skip(std::move(path), {ErrorCode::kUnsupported, "not a regular file"});
    } else {
      result_.files.push_back(
          {std::move(path), static_cast<uint64_t>(info.st_size), MtimeNs(info)});
    }
  }

  bool IsIgnored(const std::string& path, std::string_view name, bool is_folder) {
    auto verdict = asked_rules_.Match(path, is_folder);
    if (verdict == IgnoreRules::Verdict::kUndecided) verdict = rules_.Match(path, is_folder);
    if (verdict == IgnoreRules::Verdict::kUndecided) {
      verdict = BuiltInIgnoreRules().Match(path, is_folder);
    }
    if (verdict == IgnoreRules::Verdict::kIncluded) return false;
    if (verdict == IgnoreRules::Verdict::kIgnored) {
      SkipOnPurpose(path, "ignored");
      return true;
    }
    if (!options_.include_hidden && name.starts_with('.')) {
      SkipOnPurpose(path, "hidden");
      return true;
    }
    return false;
  }

  void ReadIgnoreFile(int dir_fd, const std::string& folder, const char* name) {
    const auto fd = OpenBeneath(dir_fd, name, O_RDONLY);
    if (!fd) return;  // almost always: there is none
    struct stat info {};
    if (fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    if (info.st_size > kMaxIgnoreFileBytes) {
      Skip(folder.empty() ? name : folder + "/" + name,
           {ErrorCode::kResource, "ignore file over 1 MiB not applied"});
      return;
    }
    std::string text(static_cast<size_t>(info.st_size), '\0');
    const ssize_t got = pread(fd->get(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<size_t>(got) : 0);
    rules_.AddFile(folder, text);
  }

  void Skip(std::string path, Error error) {
    const bool unreadable = error.code == ErrorCode::kIo;
    result_.skipped.push_back({std::move(path), std::move(error.message), unreadable, false});
  }
  void SkipOnPurpose(std::string path, std::string reason) {
    result_.skipped.push_back({std::move(path), std::move(reason), false, true});
  }

  const WalkOptions& options_;
  const CancelToken* cancel_;
  WalkResult& result_;
  IgnoreRules asked_rules_;  // of the options: stronger than any file
  IgnoreRules rules_;        // of the ignore files from the root to the current folder
};

// A single file: its folder becomes the root. The name was given by the user, so no rule applies.
Result<WalkResult> WalkOneFile(const std::string& path, const struct stat& info) {
  const size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  WalkResult result;
  result.root = UniqueFd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!result.root) return tl::unexpected<Error>(ErrnoError(folder, errno));
  result.files.push_back({slash == std::string::npos ? path : path.substr(slash + 1),
                          static_cast<uint64_t>(info.st_size), MtimeNs(info)});
  return result;
}

}  // namespace

Result<WalkResult> Walk(const std::string& root, const WalkOptions& options,
                        const CancelToken* cancel) {
  struct stat info {};
  if (stat(root.c_str(), &info) != 0) return tl::unexpected<Error>(ErrnoError(root, errno));
  if (S_ISREG(info.st_mode)) return WalkOneFile(root, info);
  if (!S_ISDIR(info.st_mode)) {
    return Fail(ErrorCode::kInvalidArgument, root + ": neither a folder nor a regular file");
  }
  WalkResult result;
  result.root = UniqueFd(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!result.root) return tl::unexpected<Error>(ErrnoError(root, errno));
  VADE_CHECK_OK(Walker(options, cancel, result).Run());
  std::sort(result.files.begin(), result.files.end(), [](const FoundFile& a, const FoundFile& b) {
    return a.relative_path < b.relative_path;
  });
  std::sort(
      result.skipped.begin(), result.skipped.end(),
      [](const SkippedPath& a, const SkippedPath& b) { return a.relative_path < b.relative_path; });
  return result;
}

}  // namespace vade::ingest
