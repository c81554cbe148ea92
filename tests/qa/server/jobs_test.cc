#include "qa/server/jobs.h"

#include <gtest/gtest.h>

#include <future>

namespace vade::qa::server {
namespace {

using nlohmann::json;

json Await(Jobs& jobs, const std::string& id) {
  uint64_t version = 0;
  while (true) {
    const json job = jobs.Get("k", id).value();
    if (Jobs::IsOver(job)) return job;
    version = jobs.WaitForChange(id, version);
  }
}

TEST(Jobs, RunOneAfterAnotherAndTellHowFarTheyAre) {
  Jobs jobs;
  std::promise<void> go;
  auto gone = go.get_future().share();
  const json first = *jobs.Start(
      "k", {{"name", "a"}}, [gone](const CancelToken&, const Jobs::Report& report) -> Result<json> {
        report({{"done", 1}});
        gone.wait();
        return json{{"report", "fine"}};
      });
  const json second = *jobs.Start("k", {{"name", "b"}},
                                  [](const CancelToken&, const Jobs::Report&) -> Result<json> {
                                    return Fail(ErrorCode::kIo, "disk full");
                                  });
  EXPECT_EQ(first["state"], "queued");
  EXPECT_EQ(jobs.Get("k", second["id"])->at("state"), "queued");
  go.set_value();
  const json one = Await(jobs, first["id"]);
  EXPECT_EQ(one["state"], "done");
  EXPECT_EQ(one["done"], 1);
  EXPECT_EQ(one["report"], "fine");
  const json two = Await(jobs, second["id"]);
  EXPECT_EQ(two["state"], "failed");
  EXPECT_EQ(two["error"], "disk full");
  EXPECT_EQ(jobs.List("k").size(), 2u);
  EXPECT_EQ(jobs.List("k")[0]["name"], "b");
  EXPECT_EQ(jobs.List("other").size(), 0u);
  EXPECT_EQ(jobs.Get("other", first["id"]).error().code, ErrorCode::kNotFound);
}

TEST(Jobs, AreCancelledWhileTheyRunAndWhileTheyWait) {
  Jobs jobs;
  const Jobs::Work until_cancelled = [](const CancelToken& cancel,
                                        const Jobs::Report&) -> Result<json> {
    while (!cancel.cancelled()) std::this_thread::yield();
    return Fail(ErrorCode::kCancelled, "stopped");
  };
  const json running = *jobs.Start("k", json::object(), until_cancelled);
  const json waiting = *jobs.Start("k", json::object(), until_cancelled);
  EXPECT_TRUE(jobs.Cancel("k", waiting["id"]));
  EXPECT_TRUE(jobs.Cancel("k", running["id"]));
  EXPECT_EQ(Await(jobs, running["id"])["state"], "cancelled");
  EXPECT_EQ(Await(jobs, waiting["id"])["state"], "cancelled");
  EXPECT_FALSE(jobs.Cancel("k", "nope"));
}

TEST(Jobs, TooManyAreRefusedAndStoppingEndsAll) {
  Jobs jobs;
  Result<json> last = json();
  for (int i = 0; i < 40 && last; ++i) {
    last = jobs.Start("k", json::object(),
                      [](const CancelToken& cancel, const Jobs::Report&) -> Result<json> {
                        while (!cancel.cancelled()) std::this_thread::yield();
                        throw std::runtime_error("broken");
                      });
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, ErrorCode::kResource);
  jobs.Stop();
}

}  // namespace
}  // namespace vade::qa::server
