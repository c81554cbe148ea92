#include "engine/base/random_id.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>

namespace vade {
namespace {

template <size_t kBytes>
std::string RandomHex() {
  constexpr const char* kDigits = "0123456789abcdef";
  std::array<unsigned char, kBytes> bytes{};
  // Cannot fail for so few bytes once the machine is up; a guessable secret is worse than none.
  if (getentropy(bytes.data(), bytes.size()) != 0) std::abort();
  std::string out;
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

std::string RandomId() { return RandomHex<8>(); }
std::string RandomToken() { return RandomHex<32>(); }

}  // namespace vade
