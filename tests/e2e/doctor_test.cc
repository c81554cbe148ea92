// vade doctor: what it finds, and what it says to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/process.h"

namespace vade::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

class DoctorTest : public ::testing::Test {
 protected:
  Finished Vade(const std::vector<std::string>& arguments, const RunOptions& options = {}) {
    return RunVade(home_.path(), arguments, options);
  }
  // The finding of a check by name.
  static json Check(const Finished& run, const std::string& name) {
    const json report = json::parse(run.out);
    for (const json& check : report["checks"]) {
      if (check["check"] == name) return check;
    }
    return nullptr;
  }

  TemporaryFolder home_;
};

TEST_F(DoctorTest, AFreshInstallationIsHealthyAndSaysWhatIsNext) {
  const Finished run = Vade({"doctor", "--json"});
  ASSERT_EQ(run.code, 0) << run.out;
  EXPECT_EQ(json::parse(run.out)["healthy"], true);
  EXPECT_EQ(Check(run, "library")["health"], "warn");
  EXPECT_THAT(Check(run, "library")["advice"].get<std::string>(), HasSubstr("vade index"));
  EXPECT_THAT(Check(run, "libraries")["found"].get<std::string>(), HasSubstr("SQLite 3."));
  EXPECT_EQ(Check(run, "vade-extract-pdf")["health"], "ok");
  EXPECT_EQ(Check(run, "its file")["health"], "ok") << "the sha256 of the model that is shipped";
}

TEST_F(DoctorTest, ALibraryIsCheckedAgainstItsModel) {
  const auto manuals = home_.Write("manuals/a.md", "# Pump\n\nHold it.\n").parent_path().string();
  ASSERT_EQ(Vade({"index", manuals}).code, 0);
  const Finished run = Vade({"doctor", "--json"});
  EXPECT_EQ(run.code, 0) << run.out;
  EXPECT_EQ(Check(run, "built with")["health"], "ok");
  EXPECT_THAT(Check(run, "library")["found"].get<std::string>(), HasSubstr("1 documents"));
}

TEST_F(DoctorTest, TheFirstFailureIsTheExitCode) {
  home_.Write("broken.db", "this is no library, but long enough to look at");
  const Finished run = Vade({"doctor", "--json", "--store", (home_.path() / "broken.db").string()});
  EXPECT_EQ(run.code, 5) << run.out;
  EXPECT_EQ(json::parse(run.out)["healthy"], false);
  EXPECT_EQ(Check(run, "library")["health"], "fail");
}

TEST_F(DoctorTest, KeysThatOthersMayReadAreFound) {
  const fs::path keys = home_.Write("keys", "box.example sk-secret\n");
  ASSERT_EQ(chmod(keys.c_str(), 0644), 0);
  const RunOptions options{.environment = {{"VADE_API_KEYS", keys.string()}}};
  const Finished run = Vade({"doctor"}, options);
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.out, HasSubstr("chmod 600"));
  EXPECT_EQ(run.out.find("sk-secret"), std::string::npos);
}

TEST_F(DoctorTest, MissingProgramsAndModelsAreFound) {
  const RunOptions options{.environment = {{"VADE_LIBEXEC", home_.path().string()}}};
  const Finished program = Vade({"doctor", "--json"}, options);
  EXPECT_EQ(program.code, 1);
  EXPECT_EQ(Check(program, "vade-extract-pdf")["health"], "fail");
  const Finished model = Vade({"doctor", "--json", "-m", "nowhere"});
  EXPECT_EQ(model.code, 3) << model.out;
  EXPECT_EQ(Check(model, "nowhere")["health"], "fail");
}

}  // namespace
}  // namespace vade::testing
