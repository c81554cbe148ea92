// 28 published chat templates against Python's jinja2, set up like Hugging Face transformers.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "engine/tokenizer/chat_template.h"

namespace vade::tokenizer {
namespace {

using Json = nlohmann::ordered_json;  // key order is part of the result

jinja::Value ToValue(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    jinja::List list;
    for (const Json& item : json) list.items.push_back(ToValue(item));
    return list;
  }
  if (!json.is_object()) return {};
  jinja::Dict dict;
  for (const auto& [key, item] : json.items()) dict.Set(key, ToValue(item));
  return dict;
}

Result<std::string> RenderCase(const Json& test, const std::filesystem::path& folder) {
  std::ifstream file(folder / test["template"].get<std::string>());
  std::stringstream source;
  source << file.rdbuf();
  const auto parsed = ChatTemplate::Parse(source.str());
  if (!parsed) return tl::unexpected(parsed.error());
  ChatTemplateInput input;
  input.messages = ToValue(test["messages"]);
  input.tools = ToValue(test["tools"]);
  input.add_generation_prompt = test["add_generation_prompt"];
  input.bos_token = test["bos_token"];
  input.eos_token = test["eos_token"];
  input.now.tm_year = 126;  // 2026-01-02 15:04:05, a Friday
  input.now.tm_mday = 2;
  input.now.tm_hour = 15;
  input.now.tm_min = 4;
  input.now.tm_sec = 5;
  input.now.tm_wday = 5;
  input.now.tm_yday = 1;
  return parsed->Render(input);
}

TEST(ChatTemplatesGolden, RenderAsJinja2Does) {
  const std::filesystem::path folder =
      std::filesystem::path(VADE_SOURCE_DIR) / ".." / "shared" / "golden" / "templates";
  std::ifstream cases(folder / "templates.jsonl");
  if (!cases) GTEST_SKIP() << "the reference templates are not redistributable";
  size_t compared = 0;
  for (std::string line; std::getline(cases, line); ++compared) {
    const Json test = Json::parse(line);
    const auto got = RenderCase(test, folder);
    const std::string name = test["template"].get<std::string>() + " " + test["case"].dump();
    if (test.contains("expected")) {
      ASSERT_TRUE(got.has_value()) << name << ": " << got.error().message;
      EXPECT_EQ(*got, test["expected"].get<std::string>()) << name;
    } else if (test["error_kind"] == "raised_by_template") {
      ASSERT_FALSE(got.has_value()) << name;
      EXPECT_EQ(got.error().message, test["error"].get<std::string>()) << name;
    } else {
      EXPECT_FALSE(got.has_value()) << name << ": expected " << test["error"];
    }
  }
  EXPECT_GT(compared, 700u);
}

}  // namespace
}  // namespace vade::tokenizer
