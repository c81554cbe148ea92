// Prefixes follow the names that model files really have.
#include "embed/prefixes.h"

#include <gtest/gtest.h>

namespace vade::embed {
namespace {

TEST(KnownPrefixes, OfModelsThatWantThem) {
  for (const char* name : {"multilingual-e5-small", "Multilingual E5 Large", "e5_base_v2",
                           "intfloat/e5-large-v2.Q8_0"}) {
    EXPECT_EQ(KnownPrefixes(name).query, "query: ") << name;
    EXPECT_EQ(KnownPrefixes(name).passage, "passage: ") << name;
  }
  EXPECT_EQ(KnownPrefixes("nomic-embed-text-v1.5").query, "search_query: ");
  EXPECT_EQ(KnownPrefixes("nomic-embed-text-v1.5").passage, "search_document: ");
  EXPECT_EQ(KnownPrefixes("Bge Small En v1.5").passage, "");
  EXPECT_TRUE(KnownPrefixes("Bge Small En v1.5").query.starts_with("Represent this sentence"));
  EXPECT_TRUE(KnownPrefixes("Qwen3 Embedding 0.6B").query.ends_with("\nQuery:"));
}

TEST(KnownPrefixes, NoneForOthers) {
  for (const char* name : {"all-MiniLM-L6-v2", "bge-m3", "jina-embeddings-v2-base-en", "tiny", "",
                           "multilingual-e5-large-instruct", "size5-model", "Qwen3-0.6B"}) {
    EXPECT_EQ(KnownPrefixes(name).query, "") << name;
    EXPECT_EQ(KnownPrefixes(name).passage, "") << name;
  }
}

}  // namespace
}  // namespace vade::embed
