// faults.md 27: an extractor that crashes, hangs, eats memory, floods or lies costs one document.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "ingest/extract.h"
#include "ingest/sandbox.h"
#include "tests/ingest/temp_folder.h"

namespace vade::ingest {
namespace {

class ExtractFault : public ::testing::Test {
 protected:
  Result<Extraction> Run(const std::string& order, const CancelToken* cancel = nullptr) {
    folder_.Write("file.txt", order + "\n");
    return ExtractFile(folder_.Open().get(), "file.txt", limits_, cancel);
  }
  std::string Message(const std::string& order) {
    const auto extraction = Run(order);
    return extraction ? "" : extraction.error().message;
  }

  TempFolder folder_;
  ExtractLimits limits_{.max_file_bytes = 1 << 20,
                        .max_text_bytes = 1 << 20,
                        .max_memory_bytes = 256 << 20,
                        .max_seconds = 60};
};

TEST_F(ExtractFault, CrashesAreNamed) {
  if (!kSanitized) {
    EXPECT_EQ(Message("segv"), "extractor killed: SIGSEGV");
  }
  EXPECT_EQ(Message("abort"), "extractor killed: SIGABRT");
  EXPECT_EQ(Message("status"), "extractor failed with status 9");
  EXPECT_TRUE(Run("healthy").has_value());  // the next document is fine
}

TEST_F(ExtractFault, HangsEndAtTheLimit) {
  limits_.max_seconds = 1;
  const auto extraction = Run("spin");
  ASSERT_FALSE(extraction.has_value());
  EXPECT_EQ(extraction.error().code, ErrorCode::kResource);
  EXPECT_EQ(extraction.error().message, "timed out after 1 s");
}

TEST_F(ExtractFault, MemoryIsLimited) {
  if (kSanitized) GTEST_SKIP() << "no RLIMIT_AS under sanitizers";
  EXPECT_EQ(Message("memory"), "out of memory (limit 256 MiB)");
}

TEST_F(ExtractFault, OutputIsHostile) {
  EXPECT_EQ(Message("garbage").find("extractor sent"), 0u);
  EXPECT_EQ(Message("silence").find("extractor sent"), 0u);
  EXPECT_EQ(Message("flood"), "extracted text exceeds the limit of 1048576 bytes");
}

TEST_F(ExtractFault, TheSandboxHolds) {
  const auto extraction = Run("escape");
  ASSERT_TRUE(extraction.has_value()) << extraction.error().message;
  EXPECT_EQ(extraction->document.text.find("ALLOWED"), std::string::npos)
      << extraction->document.text;
  EXPECT_NE(extraction->document.text.find("socket: refused"), std::string::npos);
}

TEST_F(ExtractFault, CancelStopsTheChild) {
  CancelToken cancel;
  std::thread killer([&] { cancel.Cancel(); });
  const auto extraction = Run("spin", &cancel);
  killer.join();
  ASSERT_FALSE(extraction.has_value());
  EXPECT_EQ(extraction.error().code, ErrorCode::kCancelled);
}

TEST_F(ExtractFault, ManyThreadsAtOnce) {
  folder_.Write("ok.txt", "fine\n");
  folder_.Write("bad.txt", "abort\n");
  const UniqueFd root = folder_.Open();
  std::atomic<int> good{0};
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        good += ExtractFile(root.get(), "ok.txt", limits_).has_value();
        bad += !ExtractFile(root.get(), "bad.txt", limits_).has_value();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 40);
  EXPECT_EQ(bad.load(), 40);
}

}  // namespace
}  // namespace vade::ingest
