#include "qa/mcp/library_mcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "qa/tools/arguments.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_store.h"
#include "tests/support/library_builder.h"
#include "tests/support/scripted_model.h"

namespace vade::qa {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class LibraryMcpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::AddDocument(store_, embedder_, "pump.pdf", "Pump P200",
                         {{"Setup", "Bolt the pump to the floor.", "1"},
                          {"Limits", "The maximum pressure of the P200 is 8 bar.", "2"}});
    testing::AddDocument(store_, embedder_, "notes.md", "Notes",
                         {{"Care", "Oil the bearing every month. Hid\U000E0041den\x1b[31m."}});
  }
  /// The output, checked against the schema that clients check it against.
  json Call(const std::string& name, const json& arguments) {
    const auto output = mcp_.Call(
        name, arguments, [](double, double, const std::string&) {}, nullptr);
    if (!output) return {{"error", output.error().message}};
    text_ = output->text;
    for (const McpTool& tool : mcp_.tools()) {
      if (tool.name != name) continue;
      EXPECT_TRUE(CheckArguments(tool.input_schema, arguments));
      const auto fits = CheckArguments(tool.output_schema, output->structured);
      EXPECT_TRUE(fits) << (fits ? "" : fits.error().message) << output->structured.dump(1);
    }
    return output->structured;
  }

  testing::FakeStore store_;
  testing::FakeEmbedder embedder_;
  LibraryMcp mcp_{&store_, &embedder_, ComposedMcpAsk(&store_, &embedder_)};
  std::string text_;
};

TEST_F(LibraryMcpTest, SearchNamesFileAndPage) {
  const json found = Call("search", {{"question", "maximum pressure"}, {"k", 1}});
  ASSERT_EQ(found["passages"].size(), 1u);
  EXPECT_EQ(found["passages"][0]["path"], "pump.pdf");
  EXPECT_EQ(found["passages"][0]["page"], "2");
  EXPECT_EQ(found["passages"][0]["address"], "pump.pdf:2");
  EXPECT_THAT(text_, HasSubstr("[1] pump.pdf, p. 2, Limits\nThe maximum pressure"));
}

TEST_F(LibraryMcpTest, AskGivesCheckedCitations) {
  const json answer = Call("ask", {{"question", "What is the maximum pressure of the P200?"}});
  EXPECT_EQ(answer["refused"], false);
  EXPECT_EQ(answer["citations"][0]["path"], "pump.pdf");
  EXPECT_EQ(answer["citations"][0]["page"], "2");
  EXPECT_EQ(answer["citations"][0]["match"], "exact");
  EXPECT_THAT(text_, HasSubstr("8 bar. [1]"));
  EXPECT_THAT(text_, HasSubstr("Sources:\n[1] pump.pdf, p. 2"));
}

TEST_F(LibraryMcpTest, AModelMayWriteTheAnswer) {
  testing::ScriptedModel model(
      {testing::Says("The maximum pressure of the P200 is 8 bar. [1] It can fly. [1]")});
  const LibraryMcp written(&store_, &embedder_, ModelMcpAsk(&store_, &embedder_, &model),
                           {.model = "scripted"});
  std::vector<std::string> told;
  const auto output = written.Call(
      "ask", {{"question", "What is the maximum pressure of the P200?"}},
      [&](double, double, const std::string& message) { told.push_back(message); }, nullptr);
  ASSERT_TRUE(output) << output.error().message;
  const json& answer = output->structured;
  EXPECT_EQ(answer["answer"], "The maximum pressure of the P200 is 8 bar. [1] It can fly. [?]");
  EXPECT_EQ(answer["citations"][0]["match"], "exact");
  EXPECT_EQ(answer["sentences"][1]["support"], "none");
  EXPECT_GE(told.size(), 3u);
  CancelToken cancel;
  cancel.Cancel();
  const auto cancelled = written.Call(
      "ask", {{"question", "pressure?"}}, [](double, double, const std::string&) {}, &cancel);
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
}

TEST_F(LibraryMcpTest, ARefusalIsOne) {
  const json answer = Call("ask", {{"question", "Who won the zebra regatta in Lisbon?"}});
  EXPECT_EQ(answer["refused"], true);
  EXPECT_EQ(answer["answer"], "");
  EXPECT_THAT(text_, HasSubstr("Not in these documents."));
}

TEST_F(LibraryMcpTest, GetReadsByAddressAndByNumber) {
  EXPECT_THAT(Call("get", {{"address", "pump.pdf:2"}})["text"].get<std::string>(),
              HasSubstr("8 bar"));
  const json page = Call("get", {{"document", 1}, {"page", "1"}});
  EXPECT_THAT(page["text"].get<std::string>(), HasSubstr("Bolt the pump"));
  EXPECT_EQ(page["next_offset"], nullptr);
  EXPECT_THAT(Call("get", json::object())["error"].get<std::string>(), HasSubstr("either"));
  EXPECT_TRUE(Call("get", {{"document", 99}}).contains("error"));
  EXPECT_TRUE(Call("get", {{"document", 1}, {"page", "9"}}).contains("error"));
  EXPECT_TRUE(Call("get", {{"address", "/etc/passwd"}}).contains("error"));
}

TEST_F(LibraryMcpTest, WhatNobodySeesIsNotPassedOn) {
  const json text = Call("get", {{"address", "notes.md"}});
  EXPECT_THAT(text["text"].get<std::string>(), HasSubstr("Hidden[31m."));
}

TEST_F(LibraryMcpTest, LongTextsComeInParts) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "펌프 ";
  const auto id = testing::AddDocument(store_, embedder_, "long.md", "Long", {{"", "short"}});
  static_cast<void>(id);
  vectorstore::NewDocument document;
  document.record.path = "huge.md";
  document.text = text;
  const auto huge = store_.PutDocument(std::move(document));
  std::string read;
  json offset = 0;
  for (int parts = 0; !offset.is_null() && parts < 10; ++parts) {
    const json part = Call("get", {{"document", *huge}, {"offset", offset}});
    read += part["text"];
    offset = part["next_offset"];
  }
  EXPECT_EQ(read, text);
  EXPECT_TRUE(Call("get", {{"document", *huge}, {"offset", 1u << 30}})["text"].empty() == false);
}

TEST_F(LibraryMcpTest, StatusAndResources) {
  const json status = Call("status", json::object());
  EXPECT_EQ(status["documents"], 2);
  EXPECT_EQ(status["model"], nullptr);
  const auto page = mcp_.ListResources(1, 1);
  ASSERT_EQ(page->resources.size(), 1u);
  EXPECT_EQ(page->resources[0].uri, "vade://document/2");
  EXPECT_FALSE(page->more);
  EXPECT_TRUE(mcp_.ListResources(0, 1)->more);
  EXPECT_THAT(*mcp_.ReadResource("vade://document/1/page/2"), HasSubstr("8 bar"));
  EXPECT_THAT(*mcp_.ReadResource("vade://document/1"), HasSubstr("Bolt the pump"));
  for (const char* uri :
       {"vade://document/", "vade://document/x", "vade://document/1/page/",
        "vade://document/1/chunk/2", "file:///etc/passwd", "", "vade://document/9",
        "vade://document/1/page/9", "vade://document/99999999999999999999"}) {
    EXPECT_FALSE(mcp_.ReadResource(uri)) << uri;
  }
}

TEST_F(LibraryMcpTest, OtherCollectionsCannotBeSeen) {
  const LibraryMcp narrow(&store_, &embedder_, ComposedMcpAsk(&store_, &embedder_),
                          {.collections = {"other"}});
  const McpProgress none = [](double, double, const std::string&) {};
  EXPECT_FALSE(narrow.Call("get", {{"document", 1}}, none, nullptr));
  EXPECT_FALSE(narrow.Call("get", {{"address", "pump.pdf"}}, none, nullptr));
  EXPECT_FALSE(narrow.ReadResource("vade://document/1"));
  const auto search =
      narrow.Call("search", {{"question", "pressure"}, {"collections", {"test"}}}, none, nullptr);
  ASSERT_FALSE(search);
  EXPECT_THAT(search.error().message, HasSubstr("no collection 'test'"));
  EXPECT_THAT(narrow.Call("status", json::object(), none, nullptr)->text, Not(HasSubstr("test:")));
  EXPECT_TRUE(
      mcp_.Call("search", {{"question", "pressure"}, {"collections", {"test"}}}, none, nullptr));
}

}  // namespace
}  // namespace vade::qa
