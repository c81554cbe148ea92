// Reads every #include of the sources and fails on one that docs/architecture.md does not allow.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

// Folder -> project folders it may include besides itself. The longest matching folder counts.
// "engine" is the facade: the files directly in engine/, not those below it.
const std::map<std::string, Names> kMayInclude = {
    {"engine/base", {}},
    {"engine/quant", {"engine/base"}},
    {"engine/gguf", {"engine/base", "engine/quant"}},
    {"engine/import", {"engine/base", "engine/quant", "engine/gguf"}},
    {"engine/remote", {"engine/base"}},
    {"engine/kernels", {"engine/base", "engine/quant/block_types.h"}},
    {"engine/tensor", {"engine/base", "engine/kernels", "engine/quant"}},
    {"engine/tokenizer", {"engine/base", "engine/gguf"}},
    {"engine/model",
     {"engine/base", "engine/gguf", "engine/quant", "engine/kernels", "engine/tensor",
      "engine/tokenizer"}},
    {"engine/runtime",
     {"engine/base", "engine/gguf", "engine/quant", "engine/kernels", "engine/tensor",
      "engine/tokenizer", "engine/model"}},
    {"engine",
     {"engine/base", "engine/gguf", "engine/quant", "engine/kernels", "engine/tensor",
      "engine/tokenizer", "engine/model", "engine/runtime", "engine/remote"}},
    {"ingest", {"engine/base"}},
    {"embed", {"engine", "engine/base", "engine/remote"}},
    {"vectorstore", {"engine/base", "engine/kernels"}},
    {"retriever", {"embed", "vectorstore", "engine", "engine/base", "engine/remote"}},
    {"qa",
     {"ingest", "embed", "vectorstore", "retriever", "engine", "engine/base", "engine/gguf",
      "engine/import", "engine/quant", "engine/remote", "engine/tokenizer", "engine/runtime",
      "engine/kernels/isa.h"}},
};

// Third-party header (prefix) -> the only place that may see it.
const std::map<std::string, Names> kOnlyIn = {
    {"sqlite3", {"vectorstore"}},
    {"curl/", {"engine/remote"}},
    {"boost/", {"qa/server"}},
    {"cblas", {"engine/tensor"}},
    {"poppler/", {"ingest/pdf_"}},
    {"gumbo", {"ingest/html_"}},
    {"cmark", {"ingest/markdown_"}},
    {"pugixml", {"ingest/docx_", "ingest/ooxml"}},
    {"zip.h", {"ingest/docx_", "ingest/zip_"}},
    {"seccomp", {"ingest/sandbox"}},
    {"uchardet", {"ingest/charset"}},
    {"immintrin", {"engine/kernels", "engine/base"}},
    {"CLI/", {"qa/cli", "qa/main.cc"}},
    {"toml++/", {"qa/cli/config.cc"}},
};

struct Include {
  std::string file;  // relative to the root
  std::string target;
  bool quoted;
};

std::vector<Include> ReadIncludes(const fs::path& root) {
  std::vector<Include> includes;
  for (const char* top : {"engine", "ingest", "embed", "vectorstore", "retriever", "qa"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with("#include ")) continue;
        const size_t open = line.find_first_of("\"<", 8);
        const size_t close = line.find_first_of("\">", open + 1);
        if (open == std::string::npos || close == std::string::npos) continue;
        includes.push_back({fs::relative(entry.path(), root).generic_string(),
                            line.substr(open + 1, close - open - 1), line[open] == '"'});
      }
    }
  }
  return includes;
}

// The key of kMayInclude that a file belongs to, or "".
std::string RoomOf(const std::string& file) {
  const std::string folder = fs::path(file).parent_path().generic_string();
  if (kMayInclude.contains(folder)) return folder;
  for (std::string at = folder; !at.empty(); at = fs::path(at).parent_path().generic_string()) {
    if (at == "engine") return "";  // engine/<new folder> needs a row of its own
    if (kMayInclude.contains(at)) return at;
  }
  return "";
}

bool Allowed(const std::string& room, const std::string& target) {
  if (RoomOf(target) == room) return true;
  const Names& allowed = kMayInclude.at(room);
  return allowed.contains(target) || allowed.contains(RoomOf(target));
}

TEST(Layering, ProjectIncludesStayInsideTheTable) {
  const auto includes = ReadIncludes(VADE_SOURCE_DIR);
  ASSERT_GT(includes.size(), 100u);
  for (const Include& include : includes) {
    if (!include.quoted) continue;
    const std::string room = RoomOf(include.file);
    ASSERT_FALSE(room.empty()) << include.file << ": folder has no row in the layering table";
    EXPECT_FALSE(RoomOf(include.target).empty())
        << include.file << ": \"" << include.target << "\" is not a path from the root";
    EXPECT_TRUE(Allowed(room, include.target))
        << include.file << " (" << room << ") may not include " << include.target;
  }
}

TEST(Layering, EachLibraryIsSeenInItsOnePlace) {
  for (const Include& include : ReadIncludes(VADE_SOURCE_DIR)) {
    if (include.quoted) continue;
    for (const auto& [library, places] : kOnlyIn) {
      if (!include.target.starts_with(library)) continue;
      EXPECT_TRUE(std::any_of(places.begin(), places.end(),
                              [&](const auto& place) { return include.file.starts_with(place); }))
          << include.file << " may not include <" << include.target << ">";
    }
  }
}

TEST(Layering, ABreachIsSeen) {
  EXPECT_FALSE(Allowed("vectorstore", "embed/embedder.h"));
  EXPECT_FALSE(Allowed("engine/kernels", "engine/quant/dequantize.h"));
  EXPECT_FALSE(Allowed("ingest", "engine/encoder_engine.h"));
  EXPECT_TRUE(Allowed("engine/kernels", "engine/quant/block_types.h"));
  EXPECT_TRUE(Allowed("qa", "qa/cli/context.h"));
}

}  // namespace
