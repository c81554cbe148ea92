// FILE, FILE:PAGE and FILE#HEADING: found, missing, ambiguous.
#include "vectorstore/document_address.h"

#include <gmock/gmock.h>

#include "tests/vectorstore/store_fixture.h"

namespace vade::vectorstore {
namespace {

using testing::HasSubstr;

class DocumentAddressTest : public StoreTest {
 protected:
  DocumentAddressTest() : store_(OpenNew()) {
    auto document = MakeDocument(collection_, "pump/guide.md",
                                 {"intro", "reset steps", "more steps", "reset again"});
    document.chunks[0].heading_path = "Guide";
    document.chunks[1].heading_path = "Guide > Reset";
    document.chunks[2].heading_path = "Guide > Reset > Details";
    document.chunks[3].heading_path = "Appendix > Reset";
    document.pages = {{1, "i", 0, 5, true}, {2, "1", 5, 20, true}, {3, "", 20, 30, true}};
    EXPECT_TRUE(store_->PutDocument(document));
    Put(*store_, "fan/guide.md", {"fan"}, 30);
    Put(*store_, "odd:1#x.md", {"odd"}, 40);
    auto skipped = MakeDocument(collection_, "bad.pdf", {});
    skipped.record.status = DocumentStatus::kSkipped;
    skipped.record.reason = "password";
    EXPECT_TRUE(store_->PutDocument(skipped));
  }
  std::string Message(std::string_view address, ErrorCode code) {
    const auto excerpt = ResolveExcerpt(*store_, address);
    EXPECT_FALSE(excerpt) << address;
    if (excerpt) return {};
    EXPECT_EQ(excerpt.error().code, code) << excerpt.error().message;
    return excerpt.error().message;
  }
  std::unique_ptr<Store> store_;
};

TEST_F(DocumentAddressTest, WholeDocumentsByPathOrFile) {
  EXPECT_THAT(ResolveExcerpt(*store_, "fan/guide.md")->text, HasSubstr("fan"));
  EXPECT_THAT(ResolveExcerpt(*store_, "/manuals/fan/guide.md")->text, HasSubstr("fan"));
  EXPECT_THAT(ResolveExcerpt(*store_, "fan")->text, HasSubstr("fan"));
  EXPECT_THAT(ResolveExcerpt(*store_, "odd:1#x.md")->text, HasSubstr("odd"));
}

TEST_F(DocumentAddressTest, PagesByLabelThenNumber) {
  EXPECT_EQ(ResolveExcerpt(*store_, "pump/guide.md:i")->begin, 0u);
  EXPECT_EQ(ResolveExcerpt(*store_, "pump/guide.md:1")->begin, 5u);  // the label, not the number
  EXPECT_EQ(ResolveExcerpt(*store_, "pump/guide.md:3")->begin, 20u);
  EXPECT_THAT(Message("pump/guide.md:9", ErrorCode::kNotFound), HasSubstr("it has i, 1, 3"));
}

TEST_F(DocumentAddressTest, SectionsHoldWhatIsBelowThem) {
  const auto section = ResolveExcerpt(*store_, "pump/guide.md#guide > reset");
  ASSERT_TRUE(section) << section.error().message;
  EXPECT_THAT(section->text, HasSubstr("reset steps"));
  EXPECT_THAT(section->text, HasSubstr("more steps"));
  EXPECT_EQ(section->text.find("again"), std::string::npos);
  EXPECT_THAT(ResolveExcerpt(*store_, "pump/guide.md#Details")->text, HasSubstr("more steps"));
  EXPECT_THAT(Message("pump/guide.md#Reset", ErrorCode::kInvalidArgument),
              HasSubstr("Appendix > Reset, Guide > Reset"));
  EXPECT_THAT(Message("pump/guide.md#None", ErrorCode::kNotFound), HasSubstr("it has Appendix"));
}

TEST_F(DocumentAddressTest, MissingAmbiguousAndSkippedAreSaid) {
  EXPECT_THAT(Message("none.md", ErrorCode::kNotFound), HasSubstr("no document 'none.md'"));
  EXPECT_THAT(Message("guide.md", ErrorCode::kInvalidArgument),
              HasSubstr("fan/guide.md, pump/guide.md"));
  EXPECT_THAT(Message("bad.pdf", ErrorCode::kNotFound), HasSubstr("was skipped: password"));
  EXPECT_THAT(Message("no\x1b[31m.md", ErrorCode::kNotFound), HasSubstr("\\x1b"));
}

}  // namespace
}  // namespace vade::vectorstore
