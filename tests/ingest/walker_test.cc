// faults.md 33-36: links, devices, unreadable things, names made of arbitrary bytes.
#include "ingest/walker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "ingest/open_beneath.h"
#include "tests/ingest/temp_folder.h"

namespace vade::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Paths(const WalkResult& walk) {
  std::vector<std::string> paths;
  for (const FoundFile& file : walk.files) paths.push_back(file.relative_path);
  return paths;
}

std::map<std::string, std::string> Reasons(const WalkResult& walk) {
  std::map<std::string, std::string> reasons;
  for (const SkippedPath& skipped : walk.skipped) reasons[skipped.relative_path] = skipped.reason;
  return reasons;
}

TEST(Walk, ListsRegularFilesSortedByBytes) {
  TempFolder folder;
  folder.Write("b.md", "two");
  folder.Write("a/c.txt", "three");
  folder.Write("a.txt", "one");
  const auto walk = Walk(folder.path(), {});
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), ElementsAre("a.txt", "a/c.txt", "b.md"));
  EXPECT_EQ(walk->files[0].size, 3u);
  EXPECT_GT(walk->files[0].mtime_ns, 0);
  EXPECT_THAT(walk->skipped, IsEmpty());
}

TEST(Walk, DoesNotFollowLinks) {
  TempFolder folder;
  TempFolder outside;
  outside.Write("secret.txt", "secret");
  folder.Write("real/a.txt", "a");
  std::filesystem::create_symlink("/etc/passwd", folder.path() / "passwd.txt");
  std::filesystem::create_symlink(outside.path(), folder.path() / "out");
  std::filesystem::create_symlink("..", folder.path() / "real/loop");
  const auto walk = Walk(folder.path(), {});
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), ElementsAre("real/a.txt"));
  const auto reasons = Reasons(*walk);
  EXPECT_EQ(reasons.at("passwd.txt"), "symlink");
  EXPECT_EQ(reasons.at("out"), "symlink");
  EXPECT_EQ(reasons.at("real/loop"), "symlink");
}

TEST(Walk, SkipsWhatIsNoRegularFile) {
  TempFolder folder;
  ASSERT_EQ(mkfifo((folder.path() / "pipe.md").c_str(), 0600), 0);
  const int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder.path() / "s").c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(socket_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(socket_fd);
  const auto walk = Walk(folder.path(), {});
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), IsEmpty());
  EXPECT_EQ(Reasons(*walk).at("pipe.md"), "not a regular file");
  EXPECT_EQ(Reasons(*walk).at("s"), "not a regular file");
}

TEST(Walk, ReportsUnreadableFolders) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads everything";
  TempFolder folder;
  folder.Write("locked/a.txt", "a");
  std::filesystem::permissions(folder.path() / "locked", std::filesystem::perms::none);
  const auto walk = Walk(folder.path(), {});
  std::filesystem::permissions(folder.path() / "locked", std::filesystem::perms::owner_all);
  ASSERT_TRUE(walk.has_value());
  ASSERT_EQ(walk->skipped.size(), 1u);
  EXPECT_EQ(walk->skipped[0].reason, "permission denied");
  EXPECT_TRUE(walk->skipped[0].unreadable);
}

TEST(Walk, KeepsNamesAsBytes) {
  TempFolder folder;
  const std::vector<std::string> names = {"a\nb.txt", "esc\x1B[2J.txt", "bad\xFF\xFE.txt",
                                          "quote\"'.txt", std::string(251, 'x') + ".txt"};
  for (const std::string& name : names) folder.Write(name, "text");
  const auto walk = Walk(folder.path(), {});
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), ::testing::UnorderedElementsAreArray(names));
}

TEST(Walk, HonoursIgnoreFilesAndSaysSo) {
  TempFolder folder;
  folder.Write(".vadeignore", "*.log\nprivate/\n!important.log\n");
  folder.Write("sub/.gitignore", "/draft.md\n");
  for (const char* name : {"a.log", "important.log", "private/a.txt", "sub/draft.md",
                           "sub/deep/draft.md", "sibling/draft.md", ".hidden.md", ".env"}) {
    folder.Write(name, "x");
  }
  const auto walk = Walk(folder.path(), {});
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), ElementsAre("important.log", "sibling/draft.md", "sub/deep/draft.md"));
  const auto reasons = Reasons(*walk);
  EXPECT_EQ(reasons.at("a.log"), "ignored");
  EXPECT_EQ(reasons.at("private"), "ignored");
  EXPECT_EQ(reasons.at(".hidden.md"), "hidden");
  EXPECT_EQ(reasons.at(".env"), "ignored");
  for (const SkippedPath& skipped : walk->skipped) EXPECT_TRUE(skipped.on_purpose);
}

TEST(Walk, OptionsOverruleFiles) {
  TempFolder folder;
  folder.Write(".vadeignore", "!b.txt\n");
  folder.Write("a.txt", "x");
  folder.Write("b.txt", "x");
  folder.Write(".c.txt", "x");
  folder.Write(".ssh/id_rsa", "x");
  WalkOptions options;
  options.ignore_globs = {"b.txt"};
  options.include_hidden = true;
  const auto walk = Walk(folder.path(), options);
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), ElementsAre(".c.txt", "a.txt"));  // secrets stay out even so
}

TEST(Walk, TakesOneFile) {
  TempFolder folder;
  folder.Write("only.md", "text");
  folder.Write("other.md", "text");
  const auto walk = Walk(folder.path() / "only.md", {});
  ASSERT_TRUE(walk.has_value());
  EXPECT_THAT(Paths(*walk), ElementsAre("only.md"));
  EXPECT_TRUE(OpenBeneath(walk->root.get(), "only.md", O_RDONLY).has_value());
}

TEST(Walk, RefusesWhatIsNotThere) {
  const auto missing = Walk("/nonexistent/vade", {});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Walk("/dev/zero", {}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Walk, StopsWhenCancelled) {
  TempFolder folder;
  folder.Write("a.txt", "x");
  CancelToken cancel;
  cancel.Cancel();
  EXPECT_EQ(Walk(folder.path(), {}, &cancel).error().code, ErrorCode::kCancelled);
}

TEST(Walk, SurvivesPathsBeyondPathMax) {
  TempFolder folder;
  const std::string name(200, 'd');
  UniqueFd at = folder.Open();
  for (int depth = 0; depth < 30; ++depth) {
    ASSERT_EQ(mkdirat(at.get(), name.c_str(), 0700), 0);
    at = UniqueFd(openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(at);
  }
  const auto walk = Walk(folder.path(), {});
  ASSERT_TRUE(walk.has_value());
  ASSERT_EQ(walk->skipped.size(), 1u);
  EXPECT_EQ(walk->skipped[0].reason, "path too long");
}

TEST(OpenBeneath, FailsClosed) {
  TempFolder folder;
  folder.Write("dir/file.txt", "x");
  std::filesystem::create_symlink("dir", folder.path() / "link");
  std::filesystem::create_symlink("file.txt", folder.path() / "dir/link.txt");
  const UniqueFd root = folder.Open();
  EXPECT_TRUE(OpenBeneath(root.get(), "dir/file.txt", O_RDONLY).has_value());
  EXPECT_EQ(OpenBeneath(root.get(), "link/file.txt", O_RDONLY).error().message, "symlink");
  EXPECT_EQ(OpenBeneath(root.get(), "dir/link.txt", O_RDONLY).error().message, "symlink");
  EXPECT_FALSE(OpenBeneath(root.get(), "../x", O_RDONLY).has_value());
  EXPECT_FALSE(OpenBeneath(root.get(), "/etc/passwd", O_RDONLY).has_value());
  EXPECT_FALSE(OpenBeneath(root.get(), "dir/../../x", O_RDONLY).has_value());
  EXPECT_EQ(OpenBeneath(root.get(), "gone.txt", O_RDONLY).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(OpenBeneath(root.get(), std::string(300, 'x'), O_RDONLY).error().message,
            "path too long");
}

}  // namespace
}  // namespace vade::ingest
