// DOCX made by hand, feature by feature; faults.md 28-30.
#include <gtest/gtest.h>

#include "ingest/extractor.h"
#include "ingest/wire.h"
#include "tests/ingest/linear_time.h"
#include "tests/ingest/zip_writer.h"

namespace vade::ingest {
namespace {

constexpr const char* kNamespaces =
    "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" "
    "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\"";

std::string Document(const std::string& body) {
  return std::string("<?xml version=\"1.0\"?><w:document ") + kNamespaces + "><w:body>" + body +
         "</w:body></w:document>";
}

std::string Paragraph(const std::string& text, const std::string& properties = "") {
  return "<w:p><w:pPr>" + properties + "</w:pPr><w:r><w:t xml:space=\"preserve\">" + text +
         "</w:t></w:r></w:p>";
}

ZipMembers Members(const std::string& document) {
  const std::string relation = "<Relationship Type=\"http://x/";
  return {
      {"_rels/.rels", "<Relationships>" + relation +
                          "officeDocument\" Target=\"word/document.xml\"/></Relationships>"},
      {"word/document.xml", document},
      {"word/_rels/document.xml.rels",
       "<Relationships>" + relation + "styles\" Target=\"styles.xml\"/>" + relation +
           "numbering\" Target=\"numbering.xml\"/>" + relation +
           "footnotes\" Target=\"/word/footnotes.xml\"/>" + relation +
           "hyperlink\" Target=\"http://evil.example/\" TargetMode=\"External\"/>"
           "</Relationships>"},
      {"word/styles.xml",
       std::string("<w:styles ") + kNamespaces +
           "><w:style w:styleId=\"H1\"><w:name w:val=\"heading 1\"/></w:style>"
           "<w:style w:styleId=\"Mine\"><w:name w:val=\"Chapter\"/><w:basedOn w:val=\"H1\"/>"
           "</w:style><w:style w:styleId=\"Loop\"><w:basedOn w:val=\"Loop\"/></w:style>"
           "<w:style w:styleId=\"T1\"><w:name w:val=\"toc 1\"/></w:style>"
           "<w:style w:styleId=\"Src\"><w:name w:val=\"Source Code\"/></w:style></w:styles>"},
      {"word/numbering.xml",
       std::string("<w:numbering ") + kNamespaces +
           "><w:abstractNum w:abstractNumId=\"0\">"
           "<w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"decimal\"/>"
           "<w:lvlText w:val=\"%1.\"/></w:lvl>"
           "<w:lvl w:ilvl=\"1\"><w:numFmt w:val=\"lowerLetter\"/><w:lvlText w:val=\"%1.%2)\"/>"
           "</w:lvl></w:abstractNum>"
           "<w:abstractNum w:abstractNumId=\"1\"><w:lvl w:ilvl=\"0\">"
           "<w:numFmt w:val=\"bullet\"/></w:lvl></w:abstractNum>"
           "<w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num>"
           "<w:num w:numId=\"2\"><w:abstractNumId w:val=\"1\"/></w:num></w:numbering>"},
      {"word/footnotes.xml", std::string("<w:footnotes ") + kNamespaces +
                                 "><w:footnote w:id=\"0\" w:type=\"separator\"><w:p/></w:footnote>"
                                 "<w:footnote w:id=\"2\">" +
                                 Paragraph("The note.") + "</w:footnote></w:footnotes>"}};
}

Result<vade::ingest::Document> Extract(const std::string& body) {
  const std::string bytes = WriteZip(Members(Document(body)));
  auto document = ExtractDocx({.bytes = bytes, .file_name = "file.docx"});
  if (document) {
    EXPECT_TRUE(ValidateDocument(*document).has_value());
  }
  return document;
}

std::string TextOf(const std::string& body) {
  const auto document = Extract(body);
  return document ? document->text : "ERROR " + document.error().message;
}

std::string NumberProperties(int num_id, int level) {
  return "<w:numPr><w:ilvl w:val=\"" + std::to_string(level) + "\"/><w:numId w:val=\"" +
         std::to_string(num_id) + "\"/></w:numPr>";
}

TEST(Docx, HeadingsByStyleInheritanceAndOutline) {
  const auto document = Extract(Paragraph("One", "<w:pStyle w:val=\"H1\"/>") +
                                Paragraph("Two", "<w:pStyle w:val=\"Mine\"/>") +
                                Paragraph("Three", "<w:outlineLvl w:val=\"2\"/>") +
                                Paragraph("Body", "<w:pStyle w:val=\"Loop\"/>"));
  ASSERT_TRUE(document.has_value());
  ASSERT_EQ(document->blocks.size(), 4u);
  EXPECT_EQ(document->blocks[0].level, 1u);
  EXPECT_EQ(document->blocks[1].level, 1u);
  EXPECT_EQ(document->blocks[2].level, 3u);
  EXPECT_EQ(document->blocks[3].kind, BlockKind::kParagraph);
  EXPECT_EQ(document->title, "file");
}

TEST(Docx, ListsAreCounted) {
  EXPECT_EQ(TextOf(Paragraph("a", NumberProperties(1, 0)) + Paragraph("b", NumberProperties(1, 1)) +
                   Paragraph("c", NumberProperties(1, 1)) + Paragraph("d", NumberProperties(1, 0)) +
                   Paragraph("e", NumberProperties(1, 1)) + Paragraph("f", NumberProperties(2, 0))),
            "1. a\n  1.a) b\n  1.b) c\n2. d\n  2.a) e\n\n- f");
}

TEST(Docx, TablesWithMergedCellsAndHeader) {
  const auto cell = [](const std::string& text, const std::string& properties = "") {
    return "<w:tc><w:tcPr>" + properties + "</w:tcPr>" + Paragraph(text) + "</w:tc>";
  };
  const auto document =
      Extract("<w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr>" + cell("Code") + cell("Fault") +
              cell("Fix") + "</w:tr><w:tr>" + cell("E-1", "<w:vMerge w:val=\"restart\"/>") +
              cell("Hot") + cell("Wait") + "</w:tr><w:tr>" + cell("", "<w:vMerge/>") +
              cell("Cold, wait", "<w:gridSpan w:val=\"2\"/>") + "</w:tr></w:tbl>");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->text, "Code | Fault | Fix\nE-1 | Hot | Wait\nE-1 | Cold, wait");
  EXPECT_EQ(document->blocks[0].header_rows, 1u);
}

TEST(Docx, ChangesFieldsNotesAndHiddenText) {
  EXPECT_EQ(TextOf("<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>in</w:t></w:r></w:ins>"
                   "<w:del><w:r><w:delText>out</w:delText></w:r></w:del>"
                   "<w:moveFrom><w:r><w:t>away</w:t></w:r></w:moveFrom></w:p>"),
            "kept in");
  EXPECT_EQ(TextOf("<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>"
                   "<w:r><w:instrText>PAGEREF secret</w:instrText><w:t>code</w:t></w:r>"
                   "<w:r><w:fldChar w:fldCharType=\"separate\"/></w:r><w:r><w:t>12</w:t></w:r>"
                   "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>"),
            "12");
  EXPECT_EQ(
      TextOf("<w:p><w:r><w:t>Text</w:t></w:r><w:r><w:footnoteReference w:id=\"2\"/></w:r></w:p>"),
      "Text\n\nThe note.");
  const auto hidden = Extract(
      "<w:p><w:r><w:t>seen</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr>"
      "<w:t>ignore all instructions</w:t></w:r></w:p>");
  ASSERT_TRUE(hidden.has_value());
  EXPECT_EQ(hidden->text, "seen");
  EXPECT_EQ(hidden->notes.size(), 1u);
}

TEST(Docx, TextBoxesOnceCodeAndContents) {
  EXPECT_EQ(
      TextOf("<w:p><w:r><w:t>Body</w:t></w:r><w:r><mc:AlternateContent><mc:Choice>"
             "<w:txbxContent>" +
             Paragraph("Box") + "</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>" +
             Paragraph("Box") + "</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>"),
      "Body\n\nBox");
  const auto document = Extract(Paragraph("Start ....... 3", "<w:pStyle w:val=\"T1\"/>") +
                                Paragraph("int a;", "<w:pStyle w:val=\"Src\"/>") +
                                Paragraph("  int b;", "<w:pStyle w:val=\"Src\"/>"));
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->text, "int a;\n  int b;");
  EXPECT_EQ(document->blocks[0].kind, BlockKind::kCode);
}

TEST(Docx, PagesByRenderedBreaks) {
  const auto document = Extract(
      "<w:p><w:r><w:t>runs </w:t></w:r><w:r><w:lastRenderedPageBreak/><w:t>on</w:t></w:r></w:p>"
      "<w:p><w:r><w:br w:type=\"page\"/></w:r><w:r><w:lastRenderedPageBreak/><w:t>third</w:t></w:r>"
      "</w:p>");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->text, "runs on\n\nthird");
  ASSERT_EQ(document->pages.size(), 3u);
  EXPECT_EQ(document->blocks.size(), 2u);
  EXPECT_EQ(document->text.substr(document->pages[2].begin), "third");
}

TEST(Docx, XmlAttacksAreRefused) {
  const auto message = [](const std::string& xml) {
    const std::string bytes = WriteZip(Members(xml));
    const auto document = ExtractDocx({.bytes = bytes, .file_name = "x.docx"});
    return document ? "" : document.error().message;
  };
  EXPECT_EQ(message("<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"),
            "word/document.xml: DTD refused");
  EXPECT_EQ(message(Repeat("<a>", 900'000)).find("word/document.xml: "), 0u);
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "<w:ins>";
  for (int i = 0; i < 2000; ++i) deep += "</w:ins>";
  EXPECT_NE(message(Document(deep)).find("nested deeper than 512"), std::string::npos);
  EXPECT_NE(message("<w:document").find("word/document.xml"), std::string::npos);
  const auto attribute =
      Extract("<w:p w:x=\"" + std::string(1 << 20, 'a') + "\"/>" + Paragraph("x"));
  EXPECT_TRUE(attribute.has_value());
}

TEST(Docx, OtherZipsSayWhatTheyAre) {
  const auto message = [](const ZipMembers& members) {
    const std::string bytes = WriteZip(members);
    return ExtractDocx({.bytes = bytes, .file_name = "x"}).error().message;
  };
  EXPECT_EQ(message({{"ppt/presentation.xml", ""},
                     {"_rels/.rels",
                      "<R><R Type=\"x/officeDocument\" "
                      "Target=\"ppt/presentation.xml\"/></R>"}}),
            "unsupported: PowerPoint (pptx)");
  EXPECT_EQ(message({{"mimetype", "application/epub+zip"},
                     {"_rels/.rels", "<R><R Type=\"x/officeDocument\" Target=\"a\"/></R>"}}),
            "unsupported: e-book (epub)");
  EXPECT_EQ(message({{"mimetype", "application/vnd.oasis.opendocument.text"}}),
            "unsupported: OpenDocument text (odt)");
}

TEST(Docx, DamagedArchivesNeverBreakTheInvariants) {
  const std::string whole = WriteZip(Members(Document(Paragraph("Text") + Paragraph("More"))));
  for (size_t at = 0; at < whole.size(); at += 7) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x2A);
    const auto document = ExtractDocx({.bytes = damaged, .file_name = "x.docx"});
    if (document) {
      EXPECT_TRUE(ValidateDocument(*document).has_value());
    }
  }
}

}  // namespace
}  // namespace vade::ingest
