// HTML: structure, what must not be indexed, and hostile files (faults.md 22, 30, 31, 38).
#include "ingest/html_extractor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/extractor.h"
#include "ingest/html_guard.h"
#include "tests/ingest/document_checks.h"
#include "tests/ingest/linear_time.h"

namespace vade::ingest {
namespace {

using ::testing::ElementsAre;

Document Extract(std::string_view text) {
  Result<Document> document = ExtractHtml({.bytes = text, .file_name = "pump.html"});
  EXPECT_TRUE(document.has_value());
  CheckDocument(*document);
  return std::move(*document);
}

std::vector<std::string> Outline(const Document& document) {
  std::vector<std::string> out;
  for (const Block& block : document.blocks) {
    std::string line(1, "HPLTC"[static_cast<size_t>(block.kind)]);
    if (block.kind == BlockKind::kHeading) line += std::to_string(block.level);
    if (block.kind == BlockKind::kTable) line += std::to_string(block.header_rows);
    out.push_back(line + " " + std::string(TextOf(document, block)));
  }
  return out;
}

TEST(HtmlExtractor, Blocks) {
  const Document document = Extract(
      "<!DOCTYPE html><html lang=en><head><title>Reset - Pump</title></head><body>"
      "<h1>Reset<a class=headerlink href=#r>¶</a></h1><p>Press <b>the</b>\nbutton &amp; wait.<br>"
      "Then go.</p>Loose text<pre><code>  x &lt; 1;\n\n  y();</code></pre>"
      "<blockquote><p>Quote</p></blockquote><figure><img src=http://evil/x.png alt='Rear view'>"
      "<figcaption>Fig. 1</figcaption></figure></body></html>");
  EXPECT_THAT(Outline(document),
              ElementsAre("H1 Reset", "P Press the button & wait. Then go.", "P Loose text",
                          "C   x < 1;\n\n  y();", "P Quote", "P Rear view", "P Fig. 1"));
  EXPECT_EQ(document.title, "Reset");
  EXPECT_EQ(document.type, "html");
}

TEST(HtmlExtractor, TitleFallsBack) {
  EXPECT_EQ(Extract("<title>Site</title><h1>Page</h1>").title, "Site");
  EXPECT_EQ(Extract("<h1>Page</h1>").title, "Page");
  EXPECT_EQ(Extract("<p>x").title, "pump");
}

TEST(HtmlExtractor, Lists) {
  EXPECT_THAT(Outline(Extract("<ol start=3><li>three<li><p>four</p><p>more</p><ul><li>a<li>b</ul>"
                              "<li value=9>nine</ol><ol type=a><li>x</ol>"
                              "<dl><dt>Term<dd>Meaning<dd>Second<dt>Alone</dl>")),
              ElementsAre("L 3. three\n4. four more\n  - a\n  - b\n9. nine", "L a. x",
                          "L - Term: Meaning Second\n- Alone"));
}

TEST(HtmlExtractor, Tables) {
  EXPECT_THAT(Outline(Extract("<table><caption>Codes</caption><thead><tr><th>Code<th>Cause</thead>"
                              "<tr><td>E-1<td>hot<br>or wet<tr><td>E-2<td></table>")),
              ElementsAre("P Codes", "T1 Code | Cause\nE-1 | hot or wet\nE-2"));
  EXPECT_THAT(Outline(Extract("<table><tr><th rowspan=2>Model<th colspan=2>Power<tr><th>min<th>max"
                              "<tr><td rowspan=2>A<td>1<td>2<tr><td>3<td>4</table>")),
              ElementsAre("T2 Model | Power | Power\nModel | min | max\nA | 1 | 2\nA | 3 | 4"));
}

TEST(HtmlExtractor, LayoutTablesAreNotTables) {
  EXPECT_THAT(Outline(Extract("<table><tr><td><h2>Menu</h2><p>One</td><td><table><tr><td>a<td>b"
                              "</table></td></tr></table>")),
              ElementsAre("H2 Menu", "P One", "T0 a | b"));
}

TEST(HtmlExtractor, HiddenThingsAreNotIndexed) {
  EXPECT_THAT(
      Outline(Extract(
          "<style>SECRET</style><script>SECRET('</p>')</script><!-- SECRET <p>SECRET --><template>"
          "<p>SECRET</template><p hidden>SECRET</p><div style='color:red; Display : None'>SECRET"
          "<p>SECRET</div><p>Seen <span aria-hidden=true>SECRET</span><i style=visibility:hidden>"
          "SECRET <b>SECRET</b></i>text <noscript>SECRET</noscript></p><svg><text>SECRET</text>"
          "</svg><select><option>SECRET</select><textarea>SECRET</textarea><button>SECRET</button>"
          "<iframe src=http://evil>SECRET</iframe><base href=http://evil><p>re\u200bset")),
      ElementsAre("P Seen text", "P reset"));
}

TEST(HtmlExtractor, BoilerplateAroundTheContentIsDropped) {
  const char* page =
      "<header>Logo</header><nav><ul><li>Home</ul></nav><%s><header><h1>Pump</h1></header>"
      "<p>Text<aside>Note</aside></%s><aside>Ads</aside><footer>Legal</footer>";
  for (const std::string tag : {"main", "article"}) {
    std::string html(page);
    for (size_t at; (at = html.find("%s")) != std::string::npos;) html.replace(at, 2, tag);
    EXPECT_THAT(Outline(Extract(html)), ElementsAre("H1 Pump", "P Text", "P Note"));
  }
  EXPECT_THAT(Outline(Extract("<nav>Only links</nav>")), ElementsAre("P Only links"));
  EXPECT_THAT(Outline(Extract("<main></main><p>Outside</p>")), ElementsAre("P Outside"));
}

TEST(HtmlExtractor, DeclaredCharsetIsUsed) {
  const Document document = Extract(
      "<meta http-equiv=content-type content='text/html; charset=euc-kr'>"
      "<p>\xBC\xAD\xB9\xF6</p>");
  EXPECT_EQ(document.text, "서버");
}

TEST(HtmlExtractor, BrokenMarkupStillReads) {
  EXPECT_THAT(Outline(Extract("<p>a <b>b <i>c</b> d</i><p>1 < 2 & 3<div>e</p></div></div>f<")),
              ElementsAre("P a b c d", "P 1 < 2 & 3", "P e", "P f<"));
  EXPECT_THAT(Outline(Extract("<p>kept<p class=\"never closed")), ElementsAre("P kept"));
  EXPECT_TRUE(Extract("").blocks.empty());
  EXPECT_TRUE(Extract("<script>while(1)").blocks.empty());
}

TEST(HtmlExtractor, DeepNestingNeitherRecursesNorLosesText) {
  constexpr size_t kDepth = 1000000;
  for (const char* tag : {"<div>", "<b>", "<ul><li>", "<table><tr><td>", "<span hidden=no>"}) {
    SCOPED_TRACE(tag);
    const std::string html = "<p>Start</p>" + Repeat(tag, kDepth) + "Deep";
    const Document document = Extract(html);
    EXPECT_EQ(document.text.substr(0, 5), "Start");
  }
}

TEST(HtmlExtractor, HugeAttributesAndSpansStaySmall) {
  const std::string big(size_t{1} << 20, 'a');
  const std::string guarded = GuardHtml("<p class='" + big + "' " + big + "=1>x");
  EXPECT_LT(guarded.size(), 20u);
  std::string table = "<table>";
  for (int i = 0; i < 2000; ++i) table += "<tr><td rowspan=65534 colspan=65534>cell";
  EXPECT_LT(Extract(table).text.size(), size_t{8} << 20);
}

TEST(HtmlExtractor, HostileInputKeepsTheInvariants) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const std::string text = HostileText(seed).Make(80);
    const Result<Document> document = ExtractHtml({.bytes = text, .file_name = "x.html"});
    ASSERT_TRUE(document.has_value());
    CheckDocument(*document);
    if (HasFatalFailure()) return;
  }
}

TEST(HtmlExtractor, FragmentsAppendToADocument) {
  DocumentBuilder builder("markdown", uint64_t{1} << 20);
  AppendHtmlFragment("<!-- nothing -->", builder);
  AppendHtmlFragment("<nav>kept</nav><p>two", builder);
  EXPECT_EQ(builder.Finish("x")->text, "kept\n\ntwo");
}

TEST(HtmlExtractor, LinearOnPathologicalHtml) {
  for (const char* unit : {"<div>",
                           "</div>",
                           "<p>",
                           "<p>x",
                           "<b>x",
                           "<b id=1>x<p>",
                           "<a>",
                           "<table>",
                           "<td>",
                           "<li>",
                           "<ul><li>",
                           "<!--",
                           "<!",
                           "<svg>",
                           "<script>",
                           "<title>",
                           "<textarea>",
                           "<",
                           "&",
                           "&#x",
                           "<a b=\"",
                           "<a b ",
                           "<span hidden>",
                           "</p>",
                           "<table><div>",
                           "<select>",
                           "<h1>",
                           "<pre>\n",
                           "<br>",
                           "<dl><dt>",
                           "<form>",
                           "<tr><td colspan=1000>",
                           "<nobr>",
                           "<frameset>",
                           "<math>",
                           "<td rowspan=9999>x",
                           "<ruby><rt>",
                           "<body x>",
                           "<html y>"}) {
    SCOPED_TRACE(unit);
    ExpectLinear(
        [&](size_t bytes) { return Repeat(unit, bytes); },
        [](const std::string& text) { (void)ExtractHtml({.bytes = text, .file_name = "x.html"}); });
  }
}

}  // namespace
}  // namespace vade::ingest
