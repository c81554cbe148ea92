// A folder that goes away, and documents made of words: shared by the tests of the store.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "vectorstore/store.h"

namespace vade::vectorstore {

inline constexpr uint32_t kDimension = 48;  // not a multiple of the 64-byte row

inline std::vector<float> RandomUnit(uint64_t seed, uint32_t dimension = kDimension) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  float squares = 0;
  for (float& x : vector) {
    x = normal(random);
    squares += x * x;
  }
  for (float& x : vector) x /= std::sqrt(squares);
  return vector;
}

/// One chunk per string; vectors seeded by `seed` + ordinal.
inline NewDocument MakeDocument(CollectionId collection, std::string path,
                                const std::vector<std::string>& chunks, uint64_t seed = 1) {
  NewDocument document;
  document.record.collection = collection;
  document.record.path = std::move(path);
  document.record.content_hash = 0x8000000000000001ULL + seed;
  document.record.size = 123;
  document.record.mtime_ns = -5;
  document.record.type = "text";
  document.record.title = "Title of " + document.record.path;
  document.record.language = "en";
  for (const std::string& chunk : chunks) {
    ChunkRecord record;
    record.begin = document.text.size();
    document.text += chunk;
    record.end = document.text.size();
    document.text += "\n\n";
    record.token_count = 7;
    record.heading_path = "Heading";
    document.chunks.push_back(record);
    const std::vector<float> vector = RandomUnit(seed + document.chunks.size());
    document.vectors.insert(document.vectors.end(), vector.begin(), vector.end());
  }
  document.pages.push_back({1, "i", 0, document.text.size(), true});
  document.notes.push_back({1, "a note"});
  return document;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "vade-store-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = folder_ / "library.db";
  }
  ~StoreTest() override {
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    std::filesystem::remove_all(folder_);
  }

  /// Opens for writing, with fingerprints and one collection.
  std::unique_ptr<Store> OpenNew() {
    auto store = Store::Open(path_, {});
    EXPECT_TRUE(store) << store.error().message;
    if (!store) return nullptr;
    const auto set = (*store)->SetFingerprints({"embedder-a", "chunker-a", kDimension});
    EXPECT_TRUE(set) << set.error().message;
    const auto collection = (*store)->AddCollection("/manuals", "manuals");
    EXPECT_TRUE(collection) << collection.error().message;
    if (collection) collection_ = collection->id;
    return std::move(*store);
  }
  [[nodiscard]] Result<std::unique_ptr<Store>> Reopen(bool read_only = false) const {
    return Store::Open(path_, {.read_only = read_only, .create = false, .busy_timeout_ms = 200});
  }
  DocumentId Put(Store& store, const std::string& path, const std::vector<std::string>& chunks,
                 uint64_t seed = 1) const {
    const auto id = store.PutDocument(MakeDocument(collection_, path, chunks, seed));
    EXPECT_TRUE(id) << id.error().message;
    return id.value_or(0);
  }
  static void ExpectSound(const Store& store) {
    const auto report = store.Verify();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  }
  void Overwrite(const std::filesystem::path& path, size_t at, const std::string& bytes) const {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  static std::string Slurp(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  CollectionId collection_ = 0;
};

}  // namespace vade::vectorstore
