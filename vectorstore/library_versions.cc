#include "vectorstore/library_versions.h"

#include <sqlite3.h>
#include <unicode/uversion.h>

#include <array>

namespace vade::vectorstore {

std::string SqliteVersion() { return sqlite3_libversion(); }

std::string IcuVersion() {
  UVersionInfo version;
  u_getVersion(version);
  std::array<char, U_MAX_VERSION_STRING_LENGTH> text{};
  u_versionToString(version, text.data());
  return text.data();
}

}  // namespace vade::vectorstore
