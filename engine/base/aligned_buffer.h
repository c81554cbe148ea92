// Owner of cache-line aligned memory for kernels; large buffers ask for huge pages.
#pragma once

#include <sys/mman.h>

#include <cstddef>
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
    if (size == 0) return;
    const size_t alignment = size * sizeof(T) >= kHugePageBytes ? kHugePageBytes : kAlignment;
    const size_t bytes = (size * sizeof(T) + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, bytes);
    VADE_CHECK(memory != nullptr);
    if (alignment == kHugePageBytes) madvise(memory, bytes, MADV_HUGEPAGE);
    __builtin_memset(memory, 0, bytes);
    data_.reset(static_cast<T*>(memory));
  }

  [[nodiscard]] T* data() noexcept { return data_.get(); }
  [[nodiscard]] const T* data() const noexcept { return data_.get(); }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<T> span() noexcept { return {data(), size_}; }
  [[nodiscard]] std::span<const T> span() const noexcept { return {data(), size_}; }
  T& operator[](size_t i) noexcept { return data_.get()[i]; }
  const T& operator[](size_t i) const noexcept { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* memory) const noexcept { std::free(memory); }
  };
  std::unique_ptr<T[], Free> data_;
  size_t size_ = 0;
};

}  // namespace vade
