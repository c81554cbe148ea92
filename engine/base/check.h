// VADE_CHECK: for our own bugs only, never reachable from a file, a request or user text.
#pragma once

#include <cstdio>
#include <cstdlib>

#define VADE_CHECK(condition)                                                                     \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      std::fprintf(stderr, "%s:%d: internal check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)
