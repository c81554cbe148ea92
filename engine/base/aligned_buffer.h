// Owner of cache-line aligned memory for kernels; large buffers ask for huge pages.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>

#include "engine/base/check.h"

namespace vade {

/// Zero-initialised array of trivially copyable T, 64-byte aligned, padded to whole cache lines so
/// that a vector load at the end stays inside. Sizes come from validated shapes, not from files.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr size_t kAlignment = 64;
  static constexpr size_t kHugePageBytes = size_t{2} << 20;

  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size * sizeof(T) >= kHugePageBytes) {
      Map();
    } else if (size > 0) {
      const size_t bytes = (size * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
      void* memory = std::aligned_alloc(kAlignment, bytes);
      VADE_CHECK(memory != nullptr);
      __builtin_memset(memory, 0, bytes);
      data_.reset(static_cast<T*>(memory));
    }
  }

  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<T> span() noexcept { return {data(), size_}; }
  [[nodiscard]] std::span<const T> span() const noexcept { return {data(), size_}; }
  T& operator[](size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](size_t i) const noexcept { return data_.get()[i]; }

 private:
  // Fresh pages are zero already and cost nothing until they are written, by whichever thread.
  // Mapped with room to begin at a huge page; what does not fill one at the end takes small pages.
  void Map() {
    const size_t bytes = (size_ * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    const size_t mapped = bytes + kHugePageBytes;
    void* memory =
        mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VADE_CHECK(memory != MAP_FAILED);
    const auto address = reinterpret_cast<uintptr_t>(memory);
    const size_t skip = (kHugePageBytes - address % kHugePageBytes) % kHugePageBytes;
    auto* first = static_cast<std::byte*>(memory) + skip;
    madvise(first, bytes, MADV_HUGEPAGE);
    data_ = {reinterpret_cast<T*>(first), Free{memory, mapped}};
  }

  struct Free {
    void* mapping = nullptr;  // or from aligned_alloc
    size_t mapped_bytes = 0;
    void operator()(T* memory) const noexcept {
      if (mapping != nullptr) {
        munmap(mapping, mapped_bytes);
      } else {
        std::free(memory);
      }
    }
  };
  std::unique_ptr<T[], Free> data_;
  size_t size_ = 0;
};

}  // namespace vade
