// The n-th write, flush or truncation fails, once or from then on, for every n (faults.md 41 to
// 43): what was acknowledged stays, what failed is absent, and after a failed flush nothing more
// is written. The calls are replaced in this program: SQLite finds these instead of libc's.
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <set>

#include "tests/vectorstore/store_fixture.h"

namespace {

std::atomic<int> g_calls_until_fault{-1};  // negative: no fault
std::atomic<bool> g_persistent{false};
std::atomic<int> g_error{0};
std::atomic<bool> g_fired{false};

bool FailsNow() {
  if (g_calls_until_fault < 0) return false;
  if (g_calls_until_fault > 0) {
    --g_calls_until_fault;
    return false;
  }
  if (!g_persistent) g_calls_until_fault = -1;
  g_fired = true;
  errno = g_error;
  return true;
}

}  // namespace

extern "C" {
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return FailsNow() ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
}
int ftruncate64(int fd, off64_t size) noexcept {
  return FailsNow() ? -1 : static_cast<int>(syscall(SYS_ftruncate, fd, size));
}
// A flush that works does nothing: the kernel outlives these tests, and the disk is slow.
int fdatasync(int /*fd*/) { return FailsNow() ? -1 : 0; }
int fsync(int /*fd*/) { return FailsNow() ? -1 : 0; }
}

namespace vade::vectorstore {
namespace {

class StoreFaultTest : public StoreTest {
 protected:
  static void Arm(int calls, int error, bool persistent) {
    g_fired = false;
    g_error = error;
    g_persistent = persistent;
    g_calls_until_fault = calls;
  }
  static void Disarm() { g_calls_until_fault = -1; }

  // One life of a store in which the n-th call fails. Returns whether the fault was reached.
  bool RunWithFault(int n, int error, bool persistent) {
    path_ = folder_ / ("n" + std::to_string(n) + (persistent ? "p" : "t") + std::to_string(error));
    std::vector<std::string> acknowledged;
    auto store = OpenNew();
    Put(*store, "before", {"before the fault"});
    acknowledged.push_back("before");
    Arm(n, error, persistent);
    for (const std::string name : {"first", "second", "third"}) {
      const auto id = store->PutDocument(
          MakeDocument(collection_, name, {"common one", "common two"}, name.size()));
      if (id) {
        acknowledged.push_back(name);
        continue;
      }
      EXPECT_EQ(id.error().code, ErrorCode::kIo) << id.error().message;
      // Searching goes on, whatever happened to writing.
      EXPECT_TRUE(store->LexicalSearch("before", 5));
    }
    static_cast<void>(store->Optimize());
    store.reset();  // checkpoints, or does not: both must leave a store that opens
    const bool fired = g_fired;
    Disarm();
    const auto reopened = Reopen(false);
    EXPECT_TRUE(reopened) << "n " << n << ": " << reopened.error().message;
    if (!reopened) return fired;
    ExpectSound(**reopened);
    std::set<std::string> present;
    const auto documents = (*reopened)->ListDocuments();
    for (const auto& record : *documents) present.insert(record.path);
    for (const std::string& name : acknowledged) {
      EXPECT_TRUE(present.contains(name)) << name << ", n " << n << ", error " << error;
    }
    EXPECT_TRUE((*reopened)->PutDocument(MakeDocument(collection_, "later", {"room again"}, 50)));
    return fired;
  }

  void RunAllFaults(int error, bool persistent) {
    int n = 0;
    while (RunWithFault(n, error, persistent)) ++n;
    EXPECT_GT(n, 10) << "the faults did not reach SQLite";
  }
};

TEST_F(StoreFaultTest, ReplacedCallsAreTheOnesSqliteMakes) {
  const auto store = OpenNew();
  Arm(0, EIO, true);
  EXPECT_FALSE(store->PutDocument(MakeDocument(collection_, "a", {"text"})));
  Disarm();
}

TEST_F(StoreFaultTest, EveryCallFailsOnceWithEio) { RunAllFaults(EIO, false); }
TEST_F(StoreFaultTest, EveryCallFailsForGoodWithEio) { RunAllFaults(EIO, true); }
TEST_F(StoreFaultTest, EveryCallFailsOnceWithEnospc) { RunAllFaults(ENOSPC, false); }
TEST_F(StoreFaultTest, EveryCallFailsForGoodWithEnospc) { RunAllFaults(ENOSPC, true); }

TEST_F(StoreFaultTest, AFullDiskIsNamedAndWritingGoesOnWhenThereIsRoom) {
  const auto store = OpenNew();
  Arm(0, ENOSPC, true);
  const auto full = store->PutDocument(MakeDocument(collection_, "a", {"text"}));
  Disarm();
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kIo);
  EXPECT_THAT(full.error().message, testing::HasSubstr("disk full"));
  EXPECT_THAT(full.error().message, testing::HasSubstr("library.db"));
  EXPECT_TRUE(store->PutDocument(MakeDocument(collection_, "a", {"text"})));
}

TEST_F(StoreFaultTest, AfterAFailedFlushNothingMoreIsWritten) {
  const auto store = OpenNew();
  Put(*store, "a", {"kept words"});
  // Fail the last call of a commit, which is its flush: found by counting down.
  for (int n = 0; n < 200; ++n) {
    Arm(n, EIO, false);
    const auto id = store->PutDocument(MakeDocument(collection_, "b", {"text"}, 30));
    Disarm();
    if (id) continue;
    const auto again = store->PutDocument(MakeDocument(collection_, "c", {"text"}, 40));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::kIo);
    EXPECT_THAT(again.error().message, testing::HasSubstr("writing has stopped"));
    EXPECT_EQ(store->LexicalSearch("kept", 5)->size(), 1u);
    return;
  }
  FAIL() << "no fault was reached";
}

}  // namespace
}  // namespace vade::vectorstore
