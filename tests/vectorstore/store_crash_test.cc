// kill -9 at any moment: what was acknowledged is whole, the rest is absent (faults.md 40).
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

std::string Name(int number) { return std::string("d").append(std::to_string(number)); }

// Writes documents for ever: adds, replaces, deletes; after each commit writes its number to `out`.
[[noreturn]] void WriteUntilKilled(const std::filesystem::path& path, int first, int out) {
  auto store = Store::Open(path, {.busy_timeout_ms = 2000});
  if (!store) {
    std::fprintf(stderr, "child: %s\n", store.error().message.c_str());
    _exit(3);
  }
  if (!(*store)->SetFingerprints({"embedder-a", "chunker-a", kDimension})) _exit(4);
  const auto collection = (*store)->AddCollection("/manuals", "manuals");
  if (!collection) _exit(5);
  for (int number = first;; ++number) {
    const std::string name = Name(number);
    std::vector<std::string> chunks;
    for (int i = 0; i < 1 + number % 7; ++i)
      chunks.push_back(std::string("common unique").append(name).append(" text"));
    const auto id = (*store)->PutDocument(
        MakeDocument(collection->id, name, chunks, static_cast<uint64_t>(number)));
    if (!id) _exit(6);
    if (write(out, &number, sizeof number) != sizeof number) _exit(7);
    if (number % 13 == 0 && !(*store)->Optimize()) _exit(8);
  }
}

class StoreCrashTest : public StoreTest {
 protected:
  // One life of a writer; returns the acknowledged numbers.
  std::vector<int> RunAndKill(int first, std::chrono::microseconds life) {
    int pipe_ends[2];
    EXPECT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipe_ends[0]);
      WriteUntilKilled(path_, first, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    usleep(static_cast<useconds_t>(life.count()));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself: " << WEXITSTATUS(status);
    std::vector<int> acknowledged;
    for (int number; read(pipe_ends[0], &number, sizeof number) == sizeof number;) {
      acknowledged.push_back(number);
    }
    close(pipe_ends[0]);
    return acknowledged;
  }

  void RunRounds(int rounds) {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> life_us(0, 150000);  // an open takes 10 to 60 ms
    int next = 0;
    std::set<int> acknowledged;
    for (int round = 0; round < rounds; ++round) {
      for (const int number : RunAndKill(next, std::chrono::microseconds(life_us(random)))) {
        acknowledged.insert(number);
        next = number + 1;
      }
      if (!std::filesystem::exists(path_)) continue;  // killed before the store was made
      const auto store = Reopen(round % 2 == 0);
      ASSERT_TRUE(store) << store.error().message;
      ExpectSound(**store);
      const auto documents = (*store)->ListDocuments();
      std::set<std::string> present;
      for (const auto& record : *documents) present.insert(record.path);
      for (const int number : acknowledged) {
        ASSERT_TRUE(present.contains(Name(number))) << "round " << round;
      }
      // At most the one document in flight when the kill came is there unacknowledged.
      ASSERT_LE(present.size(), acknowledged.size() + 1);
      if (present.size() == acknowledged.size() + 1) acknowledged.insert(next++);
      if (!acknowledged.empty()) {
        const std::string name = Name(*acknowledged.rbegin());
        const auto hits = (*store)->LexicalSearch("unique" + name, 20);
        ASSERT_TRUE(hits) << hits.error().message;
        EXPECT_EQ(hits->size(), static_cast<size_t>(1 + *acknowledged.rbegin() % 7));
      }
    }
    EXPECT_GT(acknowledged.size(), static_cast<size_t>(rounds / 4)) << "the writer hardly ran";
  }
};

TEST_F(StoreCrashTest, KilledAtAnyMoment) {
  const char* rounds = std::getenv("VADE_KILL_ROUNDS");
  RunRounds(rounds != nullptr ? std::atoi(rounds) : 60);
}

}  // namespace
}  // namespace vade::vectorstore
