// File to Document through the real extractor programs: faults.md 21, 24-26, 33-35.
#include "ingest/extract.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ingest/extractor_process.h"
#include "ingest/wire.h"
#include "tests/ingest/pdf_writer.h"
#include "tests/ingest/temp_folder.h"

namespace vade::ingest {
namespace {

class ExtractFileTest : public ::testing::Test {
 protected:
  Result<Extraction> Run(const std::string& name, std::string_view bytes) {
    folder_.Write(name, bytes);
    return RunOn(name);
  }
  Result<Extraction> RunOn(const std::string& name) {
    auto extraction = ExtractFile(folder_.Open().get(), name, limits_);
    if (extraction) {
      EXPECT_TRUE(ValidateDocument(extraction->document).has_value());
    }
    return extraction;
  }
  std::string Message(const std::string& name, std::string_view bytes) {
    const auto extraction = Run(name, bytes);
    return extraction ? "" : extraction.error().message;
  }

  TempFolder folder_;
  ExtractLimits limits_{.max_seconds = 60};
};

std::string Deflate(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  compress2(reinterpret_cast<Bytef*>(out.data()), &size,
            reinterpret_cast<const Bytef*>(plain.data()), plain.size(), 9);
  out.resize(size);
  return out;
}

TEST_F(ExtractFileTest, ReadsEachFormat) {
  const auto type_of = [this](const std::string& name, std::string_view bytes) {
    const auto extraction = Run(name, bytes);
    return extraction ? extraction->document.type : extraction.error().message;
  };
  EXPECT_EQ(type_of("a.txt", "Hello there.\n"), "text");
  EXPECT_EQ(type_of("a.md", "# Title\n\nBody.\n"), "markdown");
  EXPECT_EQ(type_of("a.html", "<html><body><p>Body</p></body></html>"), "html");
  const auto pdf = Run("a.pdf", WritePdf({{{72, 100, "Body of the page."}}}));
  ASSERT_TRUE(pdf) << pdf.error().message;
  EXPECT_EQ(pdf->document.text, "Body of the page.");
}

TEST_F(ExtractFileTest, IdentityIsThatOfTheBytes) {
  const auto one = Run("a.txt", "same text");
  const auto two = Run("b.txt", "same text");
  const auto other = Run("c.txt", "other text");
  ASSERT_TRUE(one && two && other);
  EXPECT_EQ(one->identity.content_hash, two->identity.content_hash);
  EXPECT_NE(one->identity.content_hash, other->identity.content_hash);
  EXPECT_EQ(one->identity.size, 9u);
  EXPECT_GT(one->identity.mtime_ns, 0);
}

TEST_F(ExtractFileTest, SkipsWhatItCannotRead) {
  EXPECT_EQ(Message("a.md", ""), "unrecognised content: empty file");
  EXPECT_EQ(Message("a.pdf", "\x89PNG\r\n\x1A\n...."), "unrecognised content: PNG image");
  EXPECT_EQ(Message("blank.txt", " \n\n\t\n"), "no text in it");
  limits_.max_file_bytes = 10;
  EXPECT_EQ(Message("big.txt", "more than ten bytes"), "file of 19 bytes exceeds the limit of 10");
}

TEST_F(ExtractFileTest, OpensRegularFilesOnly) {
  ASSERT_EQ(mkfifo((folder_.path() / "pipe.txt").c_str(), 0600), 0);
  EXPECT_EQ(RunOn("pipe.txt").error().message, "not a regular file");
  std::filesystem::create_symlink("/etc/hostname", folder_.path() / "link.txt");
  EXPECT_EQ(RunOn("link.txt").error().message, "symlink");
  EXPECT_EQ(RunOn("gone.txt").error().code, ErrorCode::kNotFound);
  const UniqueFd proc(open("/proc/self", O_RDONLY | O_DIRECTORY));
  EXPECT_FALSE(ExtractFile(proc.get(), "status", limits_).has_value());
  const UniqueFd dev(open("/dev", O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(ExtractFile(dev.get(), "zero", limits_).error().message, "not a regular file");
}

// A file of sysfs says it has 4096 bytes and yields three: exactly what a file cut short during the
// read looks like, without a race in the test.
TEST_F(ExtractFileTest, NoticesAFileThatChangesWhileItIsRead) {
  const UniqueFd folder(open("/sys/devices/system/cpu", O_RDONLY | O_DIRECTORY));
  struct stat info {};
  if (!folder || fstatat(folder.get(), "online", &info, 0) != 0 || info.st_size != 4096) {
    GTEST_SKIP() << "no sysfs here";
  }
  const auto extraction = ExtractFile(folder.get(), "online", limits_);
  ASSERT_FALSE(extraction.has_value());
  EXPECT_EQ(extraction.error().code, ErrorCode::kUnavailable);  // the indexer tries again, once
}

TEST_F(ExtractFileTest, PdfReasonsAreDistinct) {
  EXPECT_EQ(Message("scan.pdf", WritePdf({{}, {}})), "no text layer (scanned); OCR needed");
  EXPECT_EQ(Message("cut.pdf", "%PDF-1.4\n1 0 obj\n<<").find("broken PDF"), 0u);
  PdfWriter locked;
  const size_t root = locked.Add("<< /Type /Catalog /Pages 2 0 R >>");
  locked.Add("<< /Type /Pages /Count 0 /Kids [] >>");
  const std::string key(32, 'k');
  EXPECT_EQ(
      Message("locked.pdf", locked.Finish(root,
                                          "/ID [(0123456789abcdef) (0123456789abcdef)] /Encrypt << "
                                          "/Filter /Standard /V 1 /R 2 /O (" +
                                              key + ") /U (" + key + ") /P -4 >>")),
      "password protected");
}

TEST_F(ExtractFileTest, PdfPagesWithoutTextAreReported) {
  const auto extraction = Run("mixed.pdf", WritePdf({{{72, 100, "Text here."}}, {}}));
  ASSERT_TRUE(extraction.has_value());
  ASSERT_EQ(extraction->document.pages.size(), 2u);
  EXPECT_FALSE(extraction->document.pages[1].has_text);
  ASSERT_FALSE(extraction->document.notes.empty());
  EXPECT_EQ(extraction->document.notes[0].page, 2u);
}

TEST_F(ExtractFileTest, PdfLoopsEnd) {
  limits_.max_seconds = 20;
  PdfWriter cycle;
  const size_t root = cycle.Add("<< /Type /Catalog /Pages 2 0 R >>");
  cycle.Add("<< /Type /Pages /Count 1000000000 /Kids [2 0 R 2 0 R] >>");
  EXPECT_FALSE(Run("cycle.pdf", cycle.Finish(root)).has_value());

  PdfWriter form;  // a form that draws itself
  const size_t form_root = form.Add("<< /Type /Catalog /Pages 2 0 R >>");
  form.Add("<< /Type /Pages /Count 1 /Kids [3 0 R] >>");
  form.Add(
      "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
      "/Resources << /XObject << /X 5 0 R >> >> >>");
  form.AddStream("/X Do");
  form.AddStream("/X Do",
                 "/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
                 "/Resources << /XObject << /X 5 0 R >> >>");
  EXPECT_FALSE(Run("form.pdf", form.Finish(form_root)).has_value());

  std::string loop = WritePdf({{{72, 100, "Text."}}});
  const size_t start = loop.rfind("startxref");
  loop.insert(loop.rfind(">>", start),
              " /Prev " + loop.substr(start + 10, loop.find('\n', start + 10) - start - 10));
  (void)Run("xref.pdf", loop);  // read or refused, but over
}

TEST_F(ExtractFileTest, PdfBombsCostOneDocument) {
  limits_.max_seconds = 5;
  limits_.max_memory_bytes = 512 << 20;
  // 32 MiB of content in a few hundred bytes, compressed twice.
  const std::string bomb = Deflate(Deflate(std::string(32 << 20, ' ') + "BT ET"));
  PdfWriter writer;
  const size_t root = writer.Add("<< /Type /Catalog /Pages 2 0 R >>");
  writer.Add("<< /Type /Pages /Count 1 /Kids [3 0 R] >>");
  writer.Add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>");
  writer.AddStream(bomb, "/Filter [/FlateDecode /FlateDecode]");
  EXPECT_FALSE(Run("bomb.pdf", writer.Finish(root)).has_value());
  EXPECT_TRUE(Run("after.txt", "still alive").has_value());
}

TEST_F(ExtractFileTest, PdfLiesAreBounded) {
  std::string lengths = WritePdf({{{72, 100, "Words."}}});
  for (size_t at = 0; (at = lengths.find("/Length ", at)) != std::string::npos; at += 8) {
    lengths[at + 8] = '9';
  }
  (void)Run("length.pdf", lengths);
  std::string box = WritePdf({{{72, 100, "Words."}}});
  for (size_t at = 0; (at = box.find("[0 0 595 842]", at)) != std::string::npos;) {
    box.replace(at, 13, "[9 9 -9 -9e9]");
  }
  (void)Run("box.pdf", box);
  const std::string whole = WritePdf({{{72, 100, "Words."}}});
  for (size_t size = 1; size < whole.size(); size += 53) {
    (void)Run("cut.pdf", whole.substr(0, size));
  }
  EXPECT_TRUE(Run("whole.pdf", whole).has_value());
}

TEST(FindHelper, NamesThePlacesItLookedAt) {
  const auto missing = FindHelper("vade-no-such-helper");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("vade-no-such-helper"), std::string::npos);
}

}  // namespace
}  // namespace vade::ingest
