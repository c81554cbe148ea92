// The chat-template interpreter: language rules, refusals, budgets.
#include "engine/tokenizer/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vade::tokenizer {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

jinja::Value Message(const char* role, const char* content) {
  jinja::Dict message;
  message.Set("role", role);
  message.Set("content", content);
  return jinja::Value(std::move(message));
}

Result<std::string> Render(const std::string& source) {
  const auto parsed = ChatTemplate::Parse(source);
  if (!parsed) return tl::unexpected(parsed.error());
  ChatTemplateInput input;
  jinja::List messages;
  messages.items = {Message("system", "Be brief."), Message("user", "{{ 7 }} <b>")};
  input.messages = jinja::Value(std::move(messages));
  input.bos_token = "<s>";
  return parsed->Render(input);
}

std::string Text(const std::string& source) {
  const auto text = Render(source);
  return text ? *text : "error: " + text.error().message;
}

std::string Refusal(const std::string& source) {
  const auto text = Render(source);
  return text ? "rendered: " + *text : text.error().message;
}

TEST(ChatTemplate, RendersMessagesAndLeavesTheirTextAlone) {
  EXPECT_EQ(Text("{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m['content'] }}\n"
                 "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"),
            "<s>[system]Be brief.\n[user]{{ 7 }} <b>\n[assistant]");
}

TEST(ChatTemplate, WhiteSpaceControl) {
  EXPECT_EQ(Text("a\n  {% if true %}\n  b\n  {% endif %}\nc\n"), "a\n  b\nc");
  EXPECT_EQ(Text("a  {%- if true -%}  b  {%- endif -%}  c"), "abc");
  EXPECT_EQ(Text("a {{- 1 -}} b"), "a1b");
  EXPECT_EQ(Text("x{# note #}\ny"), "xy");
  EXPECT_EQ(Text("{% raw %}{{ x }}{% endraw %}"), "{{ x }}");
}

TEST(ChatTemplate, ExpressionsFollowPython) {
  EXPECT_EQ(Text("{{ 7 // -2 }} {{ -7 % 3 }} {{ 1 / 2 }} {{ 2 ** 10 }} {{ 'a' * 3 }}"),
            "-4 2 0.5 1024 aaa");
  EXPECT_EQ(Text("{{ [1, 'a', none, true, 1.0] }} {{ {'k': (1,)} }}"),
            "[1, 'a', None, True, 1.0] {'k': (1,)}");
  EXPECT_EQ(Text("{{ 'abc'[::-1] }} {{ 'abc'[-1] }} {{ [1, 2, 3][1:] }}"), "cba c [2, 3]");
  EXPECT_EQ(Text("{{ '한국어'|length }} {{ '한국어'[1] }}"), "3 국");
  EXPECT_EQ(Text("{{ 'b' in 'abc' }} {{ 1 not in [2] }} {{ none is defined }} {{ x is defined }}"),
            "True True True False");
  EXPECT_EQ(Text("{{ {'b': [1, 2]} | tojson }} {{ {'a': 'x\"<'} | tojson(indent=2) }}"),
            "{\"b\": [1, 2]} {\n  \"a\": \"x\\\"<\"\n}");
}

TEST(ChatTemplate, ScopesOfLoopsAndNamespaces) {
  EXPECT_EQ(
      Text("{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}"),
      "231");
  EXPECT_EQ(Text("{% set n = namespace(x=1) %}{% for i in [1, 2] %}{% set n.x = n.x + i %}"
                 "{% endfor %}{{ n.x }}"),
            "4");
  EXPECT_EQ(Text("{% for i in range(5) if i is odd %}{{ loop.index }}:{{ i }}"
                 "{{ ',' if not loop.last }}{% else %}none{% endfor %}"),
            "1:1,2:3");
  EXPECT_EQ(Text("{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}"
                 "{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}"),
            "013");
  EXPECT_EQ(Text("{% macro f(a, b='y') %}{{ a }}{{ b }}{% endmacro %}{{ f('x') }}{{ f(1, b=2) }}"),
            "xy12");
}

TEST(ChatTemplate, RefusesWhatTheSandboxRefuses) {
  EXPECT_EQ(Refusal("{{ raise_exception('No system role') }}"), "No system role");
  EXPECT_THAT(Refusal("{% set a = [] %}{{ a.append(1) }}"), HasSubstr("unsafe"));
  EXPECT_THAT(Refusal("{{ ''.__class__.__mro__ }}"), HasSubstr("__class__"));
  EXPECT_THAT(Refusal("{{ missing.attribute }}"), HasSubstr("'missing' is undefined"));
  EXPECT_THAT(Refusal("{{ 'a' + 1 }}"), HasSubstr("concatenate"));
  EXPECT_THAT(Refusal("{{ 1 | no_such_filter }}"), HasSubstr("no_such_filter"));
  for (const char* tag : {"include 'x'", "import 'x' as y", "extends 'x'", "do x"}) {
    EXPECT_THAT(Refusal(std::string("{% ") + tag + " %}"), HasSubstr("not supported")) << tag;
  }
}

TEST(ChatTemplate, SyntaxErrorsNameTheLine) {
  EXPECT_THAT(Refusal("a\nb {{ 1 +"), HasSubstr("line 2"));
  EXPECT_THAT(Refusal("{% if x %}"), HasSubstr("endif"));
  EXPECT_THAT(Refusal("{% endfor %}"), HasSubstr("endfor"));
  EXPECT_THAT(Refusal("{{ 'abc }}"), HasSubstr("unterminated"));
  EXPECT_THAT(Refusal("{# never closed"), HasSubstr("comment"));
}

TEST(ChatTemplate, BudgetsStopHostileTemplates) {
  EXPECT_THAT(Refusal("{% for i in range(1000000000) %}{% endfor %}"), HasSubstr("too big"));
  EXPECT_THAT(Refusal("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}"
                      "{% endfor %}"),
              AnyOf(HasSubstr("too long"), HasSubstr("too much memory")));
  EXPECT_THAT(Refusal("{% set n = namespace(s='aaaaaaaaaaaaaaaa') %}{% for i in range(60) %}"
                      "{% set n.s = n.s + n.s %}{% endfor %}{{ n.s }}"),
              AnyOf(HasSubstr("too long"), HasSubstr("too much memory")));
  EXPECT_THAT(Refusal("{{ 'a' * 10000000000000 }}"), HasSubstr("too much memory"));
  EXPECT_THAT(Refusal("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
              HasSubstr("recurses too deeply"));
  EXPECT_THAT(Refusal("{% set n = namespace(x=[]) %}{% for i in range(1000) %}"
                      "{% set n.x = [n.x] %}{% endfor %}{{ n.x }}"),
              HasSubstr("nested too deeply"));
  EXPECT_THAT(Refusal("{% set n = namespace(x=[1]) %}{% for i in range(100) %}"
                      "{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}"),
              HasSubstr("too large"));
  std::string ifs, nested(100000, '-'), sum = "{{ 1";
  for (int i = 0; i < 50000; ++i) ifs += "{% if true %}";
  for (int i = 0; i < 100000; ++i) sum += " + 1";
  EXPECT_THAT(Refusal(ifs), HasSubstr("nested deeper"));
  EXPECT_THAT(Refusal("{{ " + nested + "1 }}"), HasSubstr("nested deeper"));
  EXPECT_THAT(Refusal(sum + " }}"), HasSubstr("nested deeper"));
}

}  // namespace
}  // namespace vade::tokenizer
