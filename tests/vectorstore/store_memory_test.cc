// The n-th allocation of SQLite fails, for many n (faults.md 44): an error, never a crash.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

std::atomic<int> g_until_fault{-1};
std::atomic<bool> g_fired{false};
sqlite3_mem_methods g_real;

bool FailsNow() {
  if (g_until_fault < 0) return false;
  if (g_until_fault-- > 0) return false;
  g_fired = true;
  return true;
}

// Before the first use of SQLite: this is its documented hook.
const bool g_installed = [] {
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &g_real);
  sqlite3_mem_methods ours = g_real;
  ours.xMalloc = [](int size) -> void* { return FailsNow() ? nullptr : g_real.xMalloc(size); };
  ours.xRealloc = [](void* old, int size) -> void* {
    return FailsNow() ? nullptr : g_real.xRealloc(old, size);
  };
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK;
}();

TEST_F(StoreTest, EveryFailedAllocationIsAnErrorAndLosesNothing) {
  ASSERT_TRUE(g_installed);
  {
    const auto store = OpenNew();
    Put(*store, "kept", {"kept words here"}, 3);
  }
  constexpr int kStep = 9;  // one in nine keeps the test short; the phase moves with every fault
  int faults = 0;
  for (int n = 0;; n += kStep) {
    g_fired = false;
    g_until_fault = n;
    {
      auto store = Store::Open(path_, {.create = false, .durable = false});
      if (store) {
        static_cast<void>(
            (*store)->PutDocument(MakeDocument(1, "changing", {"other words", "more words"}, 5)));
        static_cast<void>((*store)->LexicalSearch("words", 5));
        static_cast<void>((*store)->DenseSearch(RandomUnit(4), 5));
        static_cast<void>((*store)->ListDocuments());
        static_cast<void>((*store)->Optimize());
      }
    }
    g_until_fault = -1;
    if (!g_fired) break;
    ++faults;
    const auto store = Reopen(true);
    ASSERT_TRUE(store) << "n " << n << ": " << store.error().message;
    ASSERT_EQ((*store)->LexicalSearch("kept", 5)->size(), 1u) << "n " << n;
    if (faults % 10 == 0) ExpectSound(**store);
  }
  EXPECT_GT(faults, 50);
}

}  // namespace
}  // namespace vade::vectorstore
