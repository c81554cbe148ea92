// Tests of engine/base/thread_pool.
#include "engine/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

namespace vade {
namespace {

TEST(ThreadPool, RunsTheTaskOnceOnEveryThread) {
  for (const size_t num_threads : {size_t{1}, size_t{2}, size_t{5}}) {
    ThreadPool pool(num_threads);
    ASSERT_EQ(pool.num_threads(), num_threads);
    std::vector<int> calls(num_threads);
    for (int round = 0; round < 200; ++round) pool.Run([&](size_t i) { ++calls[i]; });
    EXPECT_EQ(calls, std::vector<int>(num_threads, 200));
  }
}

TEST(ThreadPool, StepsAreOrderedByTheBarrier) {
  ThreadPool pool(3);
  std::vector<int> values(3, 0);
  for (int step = 1; step <= 300; ++step) {
    pool.Run([&](size_t i) { values[i] = step; });
    ASSERT_EQ(values, std::vector<int>(3, step));  // all writes are visible to the caller
  }
}

TEST(ThreadPool, ParallelForVisitsEachIndexOnce) {
  ThreadPool pool(4);
  for (const size_t count : {size_t{0}, size_t{1}, size_t{1000}}) {
    std::vector<std::atomic<int>> visits(count);
    pool.ParallelFor(count, [&](size_t i) { visits[i].fetch_add(1); });
    for (const auto& n : visits) ASSERT_EQ(n.load(), 1);
  }
}

TEST(ThreadPool, CallersFromManyThreadsTakeTurns) {
  ThreadPool pool(2);
  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) pool.Run([&](size_t) { total.fetch_add(1); });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4 * 50 * 2);
}

TEST(ThreadPool, StopsWhileWorkersSpinOrNeverRan) {
  for (int i = 0; i < 50; ++i) {
    ThreadPool pool(3);
    if (i % 2 == 0) pool.Run([](size_t) {});
  }
}

}  // namespace
}  // namespace vade
