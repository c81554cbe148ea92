#include "qa/server/target.h"

#include <optional>

#include "engine/base/utf8.h"

namespace vade::qa::server {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
      if (c == '\0' || (c == '/' && !plus_is_space)) return std::nullopt;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out += c;
  }
  if (!utf8::IsValid(out)) return std::nullopt;
  return out;
}

bool HasDotSegment(std::string_view path) {
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == "." || segment == "..") return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

Result<void> DecodeTarget(std::string_view target, std::string& path,
                          std::map<std::string, std::string>& query) {
  const auto bad = [] {
    return Fail(ErrorCode::kInvalidArgument, "the request target is not valid");
  };
  if (!target.starts_with('/')) return bad();
  const size_t mark = target.find('?');
  const auto decoded = Decode(target.substr(0, mark), false);
  if (!decoded || HasDotSegment(*decoded) || decoded->find('\\') != std::string::npos) return bad();
  path = *decoded;
  if (mark == std::string_view::npos) return {};
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const auto name = Decode(pair.substr(0, equals), true);
    const auto value = Decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return bad();
    if (!name->empty()) query[*name] = *value;
  }
  return {};
}

}  // namespace vade::qa::server
