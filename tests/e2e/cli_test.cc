// The command line itself: usage errors, broken outputs and environments (faults.md 72).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Cli, NoArgumentsPrintsHelpAndIsAUsageError) {
  const TemporaryFolder home;
  const Finished run = RunVade(home.path(), {});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("index"));
  EXPECT_EQ(run.out, "");
}

TEST(Cli, HelpAndVersionGoToStdout) {
  const TemporaryFolder home;
  const Finished help = RunVade(home.path(), {"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* command : {"index", "ask", "search", "eval", "status", "ls", "rm", "get",
                              "verify", "backup", "model"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
  }
  EXPECT_THAT(help.out, Not(HasSubstr("debug"))) << "debug is for developers";
  const Finished version = RunVade(home.path(), {"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, HasSubstr("vade 0."));
}

TEST(Cli, UnknownFlagsAndCommandsAreOneLineAndExit2) {
  const TemporaryFolder home;
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--no-such-flag"},
                                             {"no-such-command"},
                                             {"index", "--no-such-flag", "x"},
                                             {"ask"},
                                             {"--threads", "-1", "status"},
                                             {"--threads", "many", "status"}}) {
    const Finished run = RunVade(home.path(), arguments);
    EXPECT_EQ(run.code, 2) << arguments[0];
    EXPECT_EQ(Lines(run.err), 1u) << run.err;
  }
}

TEST(Cli, AMissingFolderIsRejectedInOneLine) {
  const TemporaryFolder home;
  const Finished run = RunVade(home.path(), {"index", "/no/such/folder"});
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(Lines(run.err), 1u) << run.err;
  EXPECT_THAT(run.err, HasSubstr("/no/such/folder"));
}

TEST(Cli, AskingWithoutALibrarySaysWhatToDo) {
  const TemporaryFolder home;
  for (const char* command : {"ask", "search"}) {
    const Finished run = RunVade(home.path(), {command, "how"});
    EXPECT_EQ(run.code, 5) << run.err;
    EXPECT_THAT(run.err, HasSubstr("vade index"));
  }
  EXPECT_FALSE(std::filesystem::exists(home.path() / "library.db")) << "reading must not create";
}

TEST(Cli, ConfigurationErrorsNameTheLine) {
  const TemporaryFolder home;
  home.Write(".config/vade/config.toml", "threads = 2\nstore = [broken\n");
  const Finished broken = RunVade(home.path(), {"status"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.err, HasSubstr("config.toml:2"));
  EXPECT_EQ(Lines(broken.err), 1u) << broken.err;
  home.Write(".config/vade/config.toml", "theads = 2\n");
  const Finished misspelt = RunVade(home.path(), {"status"});
  EXPECT_EQ(misspelt.code, 2);
  EXPECT_THAT(misspelt.err, HasSubstr("theads"));
}

TEST(Cli, FlagsBeatEnvironmentBeatsConfiguration) {
  const TemporaryFolder home;
  home.Write(".config/vade/config.toml", "store = \"/config.db\"\n");
  RunOptions no_variable;
  no_variable.environment = {{"VADE_STORE", ""}};
  EXPECT_THAT(RunVade(home.path(), {"status"}, no_variable).err, HasSubstr("/config.db"));
  RunOptions variable;
  variable.environment = {{"VADE_STORE", "/environment.db"}};
  EXPECT_THAT(RunVade(home.path(), {"status"}, variable).err, HasSubstr("/environment.db"));
  EXPECT_THAT(RunVade(home.path(), {"--store", "/flag.db", "status"}, variable).err,
              HasSubstr("/flag.db"));
}

TEST(Cli, WithoutHomeItAsksForAStore) {
  const TemporaryFolder home;
  RunOptions options;
  options.environment = {{"HOME", ""}, {"VADE_STORE", ""}};
  const Finished run = RunVade(home.path(), {"status"}, options);
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("--store"));
}

TEST(Cli, ABadLocaleChangesNothing) {
  const TemporaryFolder home;
  RunOptions options;
  options.environment = {{"LC_ALL", "xx_XX.nonsense"}};
  EXPECT_EQ(RunVade(home.path(), {"--version"}, options).code, 0);
}

TEST(Cli, AnUnwritableStdoutIsExit6) {
  const TemporaryFolder home;
  RunOptions options;
  options.stdout_path = "/dev/full";
  const Finished run = RunVade(home.path(), {"--help"}, options);
  EXPECT_EQ(run.code, 6);
  EXPECT_THAT(run.err, HasSubstr("standard output"));
}

TEST(Cli, AnUnknownKernelNameIsAUsageError) {
  const TemporaryFolder home;
  RunOptions options;
  options.environment = {{"VADE_KERNELS", "quantum"}};
  const Finished run = RunVade(home.path(), {"status"}, options);
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("expected scalar, avx2 or avx512"));
}

}  // namespace
}  // namespace vade::testing
