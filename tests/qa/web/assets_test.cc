// The page is wholly in the program: every file it names is there, nothing is named elsewhere.
#include "qa/web/assets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace vade::qa::web {
namespace {

TEST(AssetsTest, HoldsTheBytesOfTheFiles) {
  const std::filesystem::path root = std::filesystem::path(VADE_SOURCE_DIR) / "qa/web/page";
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + entry.path().lexically_relative(root).generic_string();
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    const Asset* asset = FindAsset(path);
    ASSERT_NE(asset, nullptr) << path;
    EXPECT_EQ(asset->bytes, bytes) << path;
    ++files;
  }
  EXPECT_GE(files, 20U);
}

TEST(AssetsTest, AreOrderedWithDistinctPathsAndTags) {
  const auto assets = Assets();
  EXPECT_TRUE(std::ranges::is_sorted(assets, std::ranges::less{}, &Asset::path));
  std::set<std::string_view> paths;
  std::set<std::string_view> tags;
  for (const Asset& asset : assets) {
    paths.insert(asset.path);
    tags.insert(asset.etag);
    EXPECT_FALSE(asset.bytes.empty()) << asset.path;
    EXPECT_TRUE(asset.etag.starts_with('"') && asset.etag.ends_with('"')) << asset.path;
    EXPECT_EQ(asset.etag.size(), 26U) << asset.path;
  }
  EXPECT_EQ(paths.size(), assets.size());
  EXPECT_EQ(tags.size(), assets.size());
}

TEST(AssetsTest, FindsByExactPathOnly) {
  ASSERT_NE(FindAsset("/index.html"), nullptr);
  EXPECT_EQ(FindAsset("/index.html")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(FindAsset("/js/main.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(FindAsset("/css/base.css")->content_type, "text/css; charset=utf-8");
  for (const char* path : {"", "/", "index.html", "/index.htm", "/index.html/", "/js",
                           "/js/../index.html", "/INDEX.HTML"}) {
    EXPECT_EQ(FindAsset(path), nullptr) << path;
  }
}

// The libraries come from packages that may be missing; the page then does without them.
bool IsOptional(const std::string& path) { return path.starts_with("/vendor/"); }

TEST(AssetsTest, EveryFileThatIsNamedIsThere) {
  const std::regex reference(R"re((?:src|href)="(/[^"#]*)")re");
  const std::regex import(R"re(from '\./([a-z_]+\.js)')re");
  for (const Asset& asset : Assets()) {
    const std::string text(asset.bytes);
    if (asset.path == "/index.html") {
      for (std::sregex_iterator it(text.begin(), text.end(), reference), end; it != end; ++it) {
        const std::string path = (*it)[1];
        EXPECT_TRUE(FindAsset(path) || IsOptional(path)) << path;
      }
    }
    if (!asset.path.starts_with("/js/")) continue;
    for (std::sregex_iterator it(text.begin(), text.end(), import), end; it != end; ++it) {
      EXPECT_NE(FindAsset("/js/" + (*it)[1].str()), nullptr)
          << asset.path << " imports " << (*it)[1];
    }
  }
}

TEST(AssetsTest, OurFilesNeedNothingThatThePolicyForbids) {
  for (const Asset& asset : Assets()) {
    if (asset.path.starts_with("/vendor/")) continue;
    for (const char* forbidden :
         {"innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", " style=\"",
          "onclick=", "javascript:", "<style", "//cdn", "@import"}) {
      EXPECT_EQ(asset.bytes.find(forbidden), std::string_view::npos)
          << asset.path << ": " << forbidden;
    }
    if (asset.path.ends_with(".svg")) continue;  // names its XML namespace
    for (size_t at = asset.bytes.find("://"); at != std::string_view::npos;
         at = asset.bytes.find("://", at + 1)) {
      EXPECT_EQ(asset.bytes.substr(at >= 4 ? at - 4 : 0, 21), "http://www.w3.org/200")
          << asset.path;
    }
  }
  EXPECT_EQ(kContentSecurityPolicy.find("unsafe"), std::string_view::npos);
  EXPECT_NE(kContentSecurityPolicy.find("default-src 'none'"), std::string_view::npos);
}

// A key of the page's words that is not in the table would be shown as the key itself.
TEST(AssetsTest, EveryWordHasBothLanguages) {
  const Asset* strings = FindAsset("/js/strings.js");
  ASSERT_NE(strings, nullptr);
  const std::string table(strings->bytes);
  std::set<std::string> keys;
  const std::regex row(R"re(\n  '([A-Za-z.]+)': \[(['"]))re");
  for (std::sregex_iterator it(table.begin(), table.end(), row), end; it != end; ++it) {
    keys.insert((*it)[1]);
  }
  ASSERT_GT(keys.size(), 200U);
  const std::regex use(R"re(\bt\((?:[a-z]+ \? )?'([A-Za-z.]+)')re");
  for (const Asset& asset : Assets()) {
    if (!asset.path.starts_with("/js/")) continue;
    const std::string text(asset.bytes);
    for (std::sregex_iterator it(text.begin(), text.end(), use), end; it != end; ++it) {
      EXPECT_TRUE(keys.contains((*it)[1])) << asset.path << ": " << (*it)[1];
    }
  }
}

}  // namespace
}  // namespace vade::qa::web
