# Writes the C++ source that holds the files of the page: run as a script when one of them changed.
#   cmake -DLIST=FILE -DOUT=FILE -P embed.cmake
# LIST has a line "path|file" for each. The bytes are taken in by the assembler (.incbin), which
# costs no compile time; the checksum in the ETag makes this source change with them.
cmake_minimum_required(VERSION 3.25)

function(content_type path out)
  cmake_path(GET path EXTENSION LAST_ONLY extension)
  set(.html "text/html; charset=utf-8")
  set(.css "text/css; charset=utf-8")
  set(.js "text/javascript; charset=utf-8")
  set(.svg "image/svg+xml")
  set(.ttf "font/ttf")
  set(.pfb "application/octet-stream")
  set(.cmap "application/octet-stream")
  if(NOT DEFINED ${extension})
    message(FATAL_ERROR "${path}: no content type for this kind of file")
  endif()
  set(${out} "${${extension}}" PARENT_SCOPE)
endfunction()

file(STRINGS "${LIST}" lines)
list(SORT lines)
set(symbols "")
set(rows "")
set(index 0)
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([^|]+)\\|(.+)$" matched "${line}")
  set(path "${CMAKE_MATCH_1}")
  set(file "${CMAKE_MATCH_2}")
  content_type("${path}" type)
  file(SIZE "${file}" size)
  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 24 etag)
  string(APPEND symbols
    "asm(\".pushsection .rodata\\n\"\n"
    "    \".globl vade_web_asset_${index}\\n.hidden vade_web_asset_${index}\\n\"\n"
    "    \"vade_web_asset_${index}: .incbin \\\"${file}\\\"\\n.popsection\\n\");\n"
    "extern \"C\" const char vade_web_asset_${index}[];\n")
  string(APPEND rows
    "    {\"${path}\", \"${type}\", {vade_web_asset_${index}, ${size}}, \"\\\"${etag}\\\"\"},\n")
  math(EXPR index "${index} + 1")
endforeach()

file(WRITE "${OUT}" "// Written by qa/web/embed.cmake.\n#include \"qa/web/assets.h\"\n\n${symbols}
namespace vade::qa::web {\n
std::span<const Asset> Assets() {
  static const Asset kAssets[] = {\n${rows}  };
  return kAssets;
}\n
}  // namespace vade::qa::web\n")
