// Indexing as a user meets it: changes, renames, deletions, bad files, interruptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPump =
    "# Pump P1\n\n## Reset\n\n1. Switch the pump off.\n2. Hold the green button for 7 seconds.\n"
    "3. Switch it on again.\n";
constexpr const char* kOven = "# Oven O2\n\n## Cleaning\n\nWipe the door with a damp cloth.\n";

class IndexTest : public ::testing::Test {
 protected:
  Finished Vade(const std::vector<std::string>& arguments, const RunOptions& options = {}) {
    return RunVade(home_.path(), arguments, options);
  }
  // Runs "vade index --json" on the manuals and checks its exit code.
  json Index(int code = 0) {
    const Finished run = Vade({"index", manuals().string(), "--json"});
    EXPECT_EQ(run.code, code) << run.err << run.out;
    return json::parse(run.out, nullptr, false);
  }
  fs::path manuals() const { return home_.path() / "manuals"; }
  void Write(const std::string& name, std::string_view bytes) {
    home_.Write("manuals/" + name, bytes);
  }
  std::string Listing() { return Vade({"ls"}).out; }
  void ExpectSound() {
    const Finished run = Vade({"verify"});
    EXPECT_EQ(run.code, 0) << run.out << run.err;
  }

  TemporaryFolder home_;
};

TEST_F(IndexTest, FollowsNewChangedRenamedAndDeletedFiles) {
  Write("pump.md", kPump);
  Write("oven.md", kOven);
  EXPECT_EQ(Index()["added"], 2);
  EXPECT_EQ(Index()["unchanged"], 2);

  Write("pump.md", std::string(kPump) + "\nThe fuse is rated 4 A.\n");
  const json changed = Index();
  EXPECT_EQ(changed["changed"], 1);
  EXPECT_EQ(changed["unchanged"], 1);
  EXPECT_THAT(Vade({"search", "fuse"}).out, HasSubstr("4 A"));

  fs::rename(manuals() / "oven.md", manuals() / "stove.md");
  const json renamed = Index();
  EXPECT_EQ(renamed["renamed"], 1);
  EXPECT_EQ(renamed["tokens"], 0) << "a rename embeds nothing again";
  EXPECT_THAT(Listing(), HasSubstr("stove.md"));
  EXPECT_THAT(Listing(), Not(HasSubstr("oven.md")));

  fs::remove(manuals() / "pump.md");
  EXPECT_EQ(Index()["removed"], 1);
  EXPECT_THAT(Vade({"search", "green button", "--json"}).out, Not(HasSubstr("pump.md")));
  ExpectSound();
}

TEST_F(IndexTest, OneBadFileCostsOneFile) {
  Write("pump.md", kPump);
  Write("empty.md", "");
  Write("picture.pdf", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
  Write("binary.md", std::string("\x00\x01\x02\xff\xfe\x00\x03", 7) + std::string(400, '\x01'));
  const json report = Index(4);
  EXPECT_EQ(report["added"], 1);
  EXPECT_EQ(report["skipped"], 3);
  for (const json& file : report["files"]) EXPECT_NE(file["reason"], "") << file;
  // Skipped files are remembered by content, and reported again.
  EXPECT_EQ(Index(4)["skipped"], 3);
  EXPECT_EQ(Vade({"ask", "How long do I hold the green button?"}).code, 0);
  ExpectSound();
}

TEST_F(IndexTest, DoesNotFollowLinksNorWaitForPipes) {
  Write("pump.md", kPump);
  home_.Write("secret.md", "# Secret\n\nThe password is swordfish.\n");
  fs::create_symlink(home_.path() / "secret.md", manuals() / "link.md");
  fs::create_directory_symlink(manuals(), manuals() / "loop");
  ASSERT_EQ(mkfifo((manuals() / "pipe.md").c_str(), 0600), 0);
  const json report = Index(4);
  EXPECT_EQ(report["added"], 1);
  EXPECT_THAT(Vade({"search", "swordfish password"}).out, Not(HasSubstr("swordfish")));
}

TEST_F(IndexTest, NamesAreBytesAndEscapedWhenPrinted) {
  Write("a\x1b[31m\nb\xff.md", kPump);
  EXPECT_EQ(Index()["added"], 1);
  const std::string listing = Listing();
  EXPECT_THAT(listing, Not(HasSubstr("\x1b")));
  EXPECT_THAT(listing, HasSubstr("\\x1b"));
  const Finished found = Vade({"search", "green button", "--json"});
  EXPECT_FALSE(json::parse(found.out, nullptr, false).is_discarded()) << found.out;
  EXPECT_EQ(Index()["unchanged"], 1);
}

TEST_F(IndexTest, AFolderInsideAKnownCollectionUpdatesThatPart) {
  Write("pumps/pump.md", kPump);
  Write("oven.md", kOven);
  EXPECT_EQ(Index()["added"], 2);
  Write("pumps/pump.md", std::string(kPump) + "\nMore.\n");
  fs::remove(manuals() / "oven.md");
  const Finished part = Vade({"index", (manuals() / "pumps").string(), "--json"});
  EXPECT_EQ(part.code, 0) << part.err;
  EXPECT_EQ(json::parse(part.out)["changed"], 1);
  EXPECT_EQ(json::parse(part.out)["removed"], 0) << "oven.md is not in this part";
  const Finished all = Vade({"index", "--json"});
  EXPECT_EQ(json::parse(all.out)["removed"], 1) << "without a folder: everything known";
}

TEST_F(IndexTest, AFolderAroundAKnownOneTakesItIn) {
  Write("water/pump.md", kPump);
  Write("oven.md", kOven);
  ASSERT_EQ(Vade({"index", (manuals() / "water").string()}).code, 0);
  const json report = Index();
  EXPECT_EQ(report["added"], 1) << report;
  EXPECT_EQ(report["unchanged"], 1);
  EXPECT_THAT(Listing(), HasSubstr("water/pump.md"));
  const json found = json::parse(Vade({"search", "--json", "green button"}).out);
  EXPECT_EQ(found["passages"][0]["path"], "water/pump.md");
  EXPECT_THAT(Listing(), Not(HasSubstr("\npump.md")));
  ExpectSound();
}

TEST_F(IndexTest, AnInterruptedRunKeepsWhatIsFinishedAndGoesOn) {
  for (int i = 0; i < 400; ++i) {
    std::string text = "# Device " + std::to_string(i) + "\n\n";
    for (int j = 0; j < 60; ++j) text += "Turn knob " + std::to_string(j * i) + " to the left. ";
    Write("device" + std::to_string(i) + ".md", text);
  }
  RunOptions options;
  options.interrupt_after_ms = 1500;
  const Finished interrupted = Vade({"index", manuals().string()}, options);
  if (interrupted.code == 0) GTEST_SKIP() << "this machine finished before the interruption";
  EXPECT_EQ(interrupted.code, 130) << interrupted.err;
  EXPECT_THAT(interrupted.err, HasSubstr("run again"));
  ExpectSound();
  const json rest = Index();
  EXPECT_EQ(rest["added"].get<int>() + rest["unchanged"].get<int>(), 400);
  EXPECT_GT(rest["unchanged"].get<int>(), 0) << "finished documents are not embedded again";
}

TEST_F(IndexTest, AKilledRunLosesNoCommittedDocument) {
  for (int i = 0; i < 120; ++i) {
    Write("device" + std::to_string(i) + ".md",
          "# Device " + std::to_string(i) + "\n\nTurn knob " + std::to_string(i) + " left.\n");
  }
  for (int round = 0; round < 4; ++round) {
    RunOptions options;
    options.kill_after_ms = 150 + 130 * round;
    Vade({"index", manuals().string()}, options);
    if (fs::exists(home_.path() / "library.db")) ExpectSound();
  }
  const json rest = Index();
  EXPECT_EQ(rest["added"].get<int>() + rest["unchanged"].get<int>(), 120);
  ExpectSound();
}

}  // namespace
}  // namespace vade::testing
