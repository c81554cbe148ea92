// Writes small PDFs, well-formed or not, for tests.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace vade::ingest {

/// Collects numbered objects and closes them with an xref table and a trailer.
class PdfWriter {
 public:
  /// Adds object number size() + 1 and returns its number.
  size_t Add(const std::string& body) {
    offsets_.push_back(out_.size());
    out_ += std::to_string(offsets_.size()) + " 0 obj\n" + body + "\nendobj\n";
    return offsets_.size();
  }
  size_t AddStream(const std::string& content, const std::string& extra = "") {
    return Add("<< /Length " + std::to_string(content.size()) + " " + extra + " >>\nstream\n" +
               content + "\nendstream");
  }
  [[nodiscard]] std::string Finish(size_t root, const std::string& trailer_extra = "") const {
    std::string out = out_;
    const size_t xref = out.size();
    out += "xref\n0 " + std::to_string(offsets_.size() + 1) + "\n0000000000 65535 f \n";
    for (const size_t offset : offsets_) {
      char line[32];
      std::snprintf(line, sizeof(line), "%010zu 00000 n \n", offset);
      out += line;
    }
    return out + "trailer\n<< /Size " + std::to_string(offsets_.size() + 1) + " /Root " +
           std::to_string(root) + " 0 R " + trailer_extra + " >>\nstartxref\n" +
           std::to_string(xref) + "\n%%EOF\n";
  }

 private:
  std::string out_ = "%PDF-1.4\n";
  std::vector<size_t> offsets_;
};

/// A text at a place, y from the top of an A4 page (842 points high).
struct PdfText {
  double x = 0;
  double y = 0;
  std::string text;
  double size = 10;
  bool bold = false;
};

/// One page per vector of texts; Helvetica, so widths are those of the standard font.
inline std::string WritePdf(const std::vector<std::vector<PdfText>>& pages,
                            const std::string& catalog_extra = "") {
  PdfWriter writer;
  const size_t plain = writer.Add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
  const size_t bold = writer.Add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>");
  const size_t tree = 2 + 2 * pages.size() + 1;
  std::string kids;
  for (const auto& page : pages) {
    std::string content;
    for (const PdfText& text : page) {
      char place[128];
      std::snprintf(place, sizeof(place), "BT /F%d %.2f Tf %.2f %.2f Td (", text.bold ? 2 : 1,
                    text.size, text.x, 842 - text.y);
      content += place + text.text + ") Tj ET\n";
    }
    const size_t stream = writer.AddStream(content);
    const size_t number =
        writer.Add("<< /Type /Page /Parent " + std::to_string(tree) +
                   " 0 R /MediaBox [0 0 595 842] /Contents " + std::to_string(stream) +
                   " 0 R /Resources << /Font << /F1 " + std::to_string(plain) + " 0 R /F2 " +
                   std::to_string(bold) + " 0 R >> >> >>");
    kids += std::to_string(number) + " 0 R ";
  }
  writer.Add("<< /Type /Pages /Count " + std::to_string(pages.size()) + " /Kids [" + kids + "] >>");
  const size_t root = writer.Add("<< /Type /Catalog /Pages " + std::to_string(tree) + " 0 R " +
                                 catalog_extra + " >>");
  return writer.Finish(root);
}

}  // namespace vade::ingest
