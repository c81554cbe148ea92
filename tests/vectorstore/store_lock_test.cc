// One writer at a time (faults.md 52).
#include "vectorstore/store_lock.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

TEST_F(StoreTest, ASecondWriterWaitsAndIsTurnedAway) {
  const auto store = OpenNew();
  const auto second = Reopen(false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message,
              testing::HasSubstr("locked by pid " + std::to_string(getpid())));
}

TEST_F(StoreTest, ReadersGoOnBesideTheWriter) {
  const auto store = OpenNew();
  Put(*store, "a.md", {"first"});
  const auto reader = Reopen(true);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ((*reader)->LexicalSearch("first", 5)->size(), 1u);
  Put(*store, "b.md", {"second first"}, 40);
  EXPECT_EQ((*reader)->LexicalSearch("first", 5)->size(), 2u);
  EXPECT_EQ((*reader)->DenseSearch(RandomUnit(41), 5)->at(0).document, 2);
}

TEST_F(StoreTest, AWaitingWriterGetsItsTurn) {
  auto store = OpenNew();
  std::thread closer([&] { store.reset(); });
  const auto second = Store::Open(path_, {.busy_timeout_ms = 5000});
  closer.join();
  EXPECT_TRUE(second) << second.error().message;
}

TEST_F(StoreTest, ALockOfADeadProcessIsTakenOver) {
  { const auto store = OpenNew(); }
  const pid_t child = fork();
  if (child == 0) {
    const auto held = StoreLock::Acquire(path_, 0);
    _exit(held ? 0 : 1);  // without closing the store
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_FALSE(IsLocked(path_));
  EXPECT_FALSE(ReadLockState(path_).clean);
  EXPECT_EQ(ReadLockState(path_).pid, child);
  const auto store = Reopen(false);
  EXPECT_TRUE(store) << store.error().message;
}

TEST_F(StoreTest, TheStateSaysHowTheLastWriterEnded) {
  int64_t generation = 0;
  {
    const auto store = OpenNew();
    EXPECT_TRUE(IsLocked(path_));
    const LockState open = ReadLockState(path_);
    EXPECT_FALSE(open.clean);
    EXPECT_EQ(open.pid, getpid());
    Put(*store, "a.md", {"x"});
    generation = ReadLockState(path_).generation;
    EXPECT_EQ(generation, open.generation + 1);
  }
  EXPECT_FALSE(IsLocked(path_));
  EXPECT_TRUE(ReadLockState(path_).clean);
  EXPECT_EQ(ReadLockState(path_).generation, generation);
}

TEST_F(StoreTest, AnUnreadableStateMeansALookIsNeeded) {
  std::ofstream(LockPath(path_)) << "\xFF garbage";
  EXPECT_FALSE(ReadLockState(path_).clean);
  EXPECT_EQ(ReadLockState(path_).generation, 0);
}

}  // namespace
}  // namespace vade::vectorstore
