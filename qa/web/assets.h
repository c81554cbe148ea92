// The files of the web page, held in the program itself. Nothing is read from the disk when it is
// served, and nothing from another host.
#pragma once

#include <span>
#include <string_view>

namespace vade::qa::web {

/// One file of the page. All views live as long as the program.
struct Asset {
  std::string_view path;          // as requested: "/index.html", "/js/main.js", "/vendor/pdf.js"
  std::string_view content_type;  // with charset where it is text
  std::string_view bytes;
  std::string_view etag;  // strong, with its quotes: changes when the bytes do
};

/// All files, ordered by path. "/index.html" is what "/" should answer; the page finds its views by
/// the fragment, so no other path needs to lead to it.
std::span<const Asset> Assets();

/// The file of this exact path, or null.
const Asset* FindAsset(std::string_view path);

/// What the page may do in the browser (a Content-Security-Policy). It works under exactly this.
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types vade dompurify";

}  // namespace vade::qa::web
