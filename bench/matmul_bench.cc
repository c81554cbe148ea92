// Speed of the decoder's matrix products: every weight format at few rows (generation, bound by
// reading the weights) and many (prompts, bound by arithmetic), beside the peaks of this machine
// measured in the same run. Threads share out the columns as the forward pass does.
#include <immintrin.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cpu_features.h"
#include "engine/base/thread_pool.h"
#include "engine/kernels/kernels.h"
#include "engine/tensor/packed_matrix.h"

namespace {

using vade::AlignedBuffer;
using vade::ThreadPool;
using vade::quant::TensorType;
using vade::tensor::Form;
using vade::tensor::Operand;
using vade::tensor::PackedMatrix;
using vade::tensor::Product;
using vade::tensor::StoredMatrix;

struct Options {
  size_t num_threads = 0;
  size_t num_runs = 5;
  bool quick = false;
  std::vector<std::string> types;
  std::vector<size_t> rows = {1, 8, 512};
};

struct Shape {
  size_t n, k;
};
constexpr Shape kShapes[] = {{2048, 2048}, {8192, 2048}, {2048, 8192}, {896, 4864}};
// Copies of a matrix are walked through, so that generation reads memory, not the last cache.
constexpr size_t kManyRows = 64;
constexpr size_t kStreamedBytes = size_t{384} << 20;

bool g_cpu_time = false;  // on a machine with other work: CPU seconds per thread

double Now(size_t num_threads) {
  timespec time{};
  clock_gettime(g_cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
  const double seconds =
      static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  return g_cpu_time ? seconds / static_cast<double>(num_threads) : seconds;
}

// --- peaks ---

// Reads a gigabyte once, four streams a thread.
class MemoryReader {
 public:
  explicit MemoryReader(ThreadPool& pool)
      : pool_(pool), memory_(size_t{1} << 27), sums_(pool.num_threads()) {
    std::fill_n(memory_.data(), memory_.size(), 1);
  }

  // GB/s.
  double Read() {
    const size_t threads = pool_.num_threads();
    const double start = Now(threads);
    pool_.Run([&](size_t t) {
      const size_t stream = memory_.size() / threads / 4;
      const uint64_t* p = memory_.data() + t * 4 * stream;
      uint64_t sum[4] = {};
      for (size_t i = 0; i + 8 <= stream; i += 8) {
        for (size_t s = 0; s < 4; ++s) {
          const uint64_t* line = p + s * stream + i;
          __builtin_prefetch(line + 512);
          for (size_t j = 0; j < 8; ++j) sum[s] += line[j];
        }
      }
      sums_[t] += sum[0] + sum[1] + sum[2] + sum[3];
    });
    return static_cast<double>(memory_.size() * sizeof(uint64_t)) / (Now(threads) - start) / 1e9;
  }

 private:
  ThreadPool& pool_;
  AlignedBuffer<uint64_t> memory_;
  std::vector<uint64_t> sums_;
};

#if defined(__clang__)
#pragma clang attribute push(                                                                \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,fma"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512bf16,fma")
#endif

constexpr size_t kPeakSteps = 1 << 22;
constexpr size_t kPeakChains = 12;  // begun differently, or the compiler makes them one

#define VADE_PEAK_LOOP(STEP)                                                                      \
  for (size_t i = 0; i < kPeakSteps; ++i) {                                                       \
    STEP(0)                                                                                       \
    STEP(1)                                                                                       \
    STEP(2)                                                                                       \
    STEP(3)                                                                                       \
    STEP(4) STEP(5) STEP(6) STEP(7) STEP(8) STEP(9) STEP(10) STEP(11) asm volatile("" : "+v"(x)); \
  }

int64_t PeakInt8() {
  __m512i sum[kPeakChains];
  for (size_t c = 0; c < kPeakChains; ++c) sum[c] = _mm512_set1_epi32(static_cast<int>(c));
  __m512i x = _mm512_set1_epi8(3);
#define VADE_STEP(c) sum[c] = _mm512_dpbusd_epi32(sum[c], x, x);
  VADE_PEAK_LOOP(VADE_STEP)
#undef VADE_STEP
  __m512i all = _mm512_setzero_si512();
  for (const __m512i s : sum) all = _mm512_add_epi32(all, s);
  return _mm512_reduce_add_epi32(all);
}

int64_t PeakBf16() {
  __m512 sum[kPeakChains];
  for (size_t c = 0; c < kPeakChains; ++c) sum[c] = _mm512_set1_ps(static_cast<float>(c));
  __m512i x = _mm512_set1_epi32(0x3F803F80);
#define VADE_STEP(c) sum[c] = _mm512_dpbf16_ps(sum[c], (__m512bh)x, (__m512bh)x);
  VADE_PEAK_LOOP(VADE_STEP)
#undef VADE_STEP
  __m512 all = _mm512_setzero_ps();
  for (const __m512 s : sum) all = _mm512_add_ps(all, s);
  return static_cast<int64_t>(_mm512_reduce_add_ps(all));
}

int64_t PeakF32() {
  __m512 sum[kPeakChains];
  for (size_t c = 0; c < kPeakChains; ++c) sum[c] = _mm512_set1_ps(static_cast<float>(c));
  __m512 x = _mm512_set1_ps(0.5f);
#define VADE_STEP(c) sum[c] = _mm512_fmadd_ps(x, x, sum[c]);
  VADE_PEAK_LOOP(VADE_STEP)
#undef VADE_STEP
  __m512 all = _mm512_setzero_ps();
  for (const __m512 s : sum) all = _mm512_add_ps(all, s);
  return static_cast<int64_t>(_mm512_reduce_add_ps(all));
}
#undef VADE_PEAK_LOOP

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

struct Peak {
  int64_t (*loop)();
  double ops_per_step;
};

Peak PeakOf(Form form) {
  switch (form) {
    case Form::kI8:
      return {PeakInt8, 128};
    case Form::kI16:
      return {PeakInt8, 64};  // vpdpwssd: half as many products
    case Form::kBf16:
      return {PeakBf16, 64};
    default:
      return {PeakF32, 32};
  }
}

// GOP/s of one run of the loop on all threads.
double RunPeak(ThreadPool& pool, const Peak& peak) {
  std::vector<int64_t> results(pool.num_threads());
  const double start = Now(pool.num_threads());
  pool.Run([&](size_t t) { results[t] += peak.loop(); });
  const double steps = static_cast<double>(kPeakSteps * kPeakChains * pool.num_threads());
  return steps * peak.ops_per_step / (Now(pool.num_threads()) - start) / 1e9;
}

// --- products ---

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Subject {
 public:
  Subject(TensorType type, Form form, Shape shape, bool streamed, ThreadPool& pool)
      : form_(form), shape_(shape), pool_(pool), name_(vade::quant::InfoOf(type).name) {
    const auto& info = vade::quant::InfoOf(type);
    std::vector<std::byte> bytes(shape.n * shape.k / info.block_values * info.block_bytes,
                                 std::byte{0x11});
    const StoredMatrix stored = {type, bytes, shape.n, shape.k};
    bytes_ = PackedMatrix::PackedBytes({&stored, 1}, form);
    const size_t copies = streamed ? std::max<size_t>(1, kStreamedBytes / bytes_) : 1;
    const double start = Now(pool.num_threads());
    for (size_t i = 0; i < copies; ++i) {
      copies_.push_back(PackedMatrix::Prepare({&stored, 1}, form));
      pool.ParallelFor((shape.n + 127) / 128, [&](size_t piece) {
        copies_.back().PackRows({&stored, 1}, piece * 128, std::min(shape.n, piece * 128 + 128));
      });
    }
    pack_gb_ = static_cast<double>(copies * bytes_) / (Now(pool.num_threads()) - start) / 1e9;
  }

  // One line: the product with m rows, and the peaks measured between its runs, because a machine's
  // speed changes from second to second.
  void Report(size_t m, size_t num_runs, MemoryReader& memory) {
    const auto& kernels = vade::kernels::ActiveKernels();
    Operand operand;
    operand.Reserve(m, shape_.k, true);
    operand.Shape(copies_[0]);
    std::mt19937 random(1);
    std::normal_distribution<float> value;
    std::vector<float> x(shape_.k);
    for (float& v : x) v = value(random);
    for (size_t row = 0; row < m; ++row) operand.Store(kernels, row, 0, x);
    AlignedBuffer<float> y(m * shape_.n);
    // As the forward pass shares out columns: about three pieces a thread, whole panels.
    const size_t wanted = m == 1 ? pool_.num_threads() : 3 * pool_.num_threads();
    const size_t piece = ((shape_.n + wanted - 1) / wanted + 31) / 32 * 32;
    const auto all = [&] {
      for (const PackedMatrix& w : copies_) {
        pool_.ParallelFor((shape_.n + piece - 1) / piece, [&](size_t i) {
          const size_t col = i * piece;
          Product{.x = operand, .w = w, .y = y.data() + col, .ldy = shape_.n}.Run(
              kernels, 0, m, col, std::min(piece, shape_.n - col));
        });
      }
    };
    all();
    const double ops = 2.0 * static_cast<double>(m * shape_.n * shape_.k * copies_.size());
    const double bytes = static_cast<double>(bytes_ * copies_.size());
    const Peak peak = PeakOf(form_);
    std::vector<double> gop, gb, of_peak, of_memory;
    for (size_t run = 0; run < num_runs; ++run) {
      const double ceiling = RunPeak(pool_, peak);
      const double reading = m < kManyRows ? memory.Read() : 1.0;
      const double start = Now(pool_.num_threads());
      all();
      const double seconds = Now(pool_.num_threads()) - start;
      gop.push_back(ops / seconds / 1e9);
      gb.push_back(bytes / seconds / 1e9);
      of_peak.push_back(gop.back() / ceiling);
      of_memory.push_back(gb.back() / reading);
    }
    std::printf("%-8s%s m %3zu  %4zu x %4zu  %8.1f GOP/s %5.1f %% of peak", name_.c_str(),
                form_ == Form::kI16 ? " i16" : "", m, shape_.n, shape_.k, Median(gop),
                100 * Median(of_peak));
    if (m < kManyRows) {
      std::printf("  %6.1f GB/s %5.1f %% of RAM", Median(gb), 100 * Median(of_memory));
    }
    std::printf("\n");
  }
  [[nodiscard]] double pack_gb() const { return pack_gb_; }

 private:
  Form form_;
  Shape shape_;
  ThreadPool& pool_;
  std::string name_;
  size_t bytes_ = 0;
  double pack_gb_ = 0;
  std::vector<PackedMatrix> copies_;
};

int Run(const Options& options) {
  if (!vade::HostCpuFeatures().avx512_bf16) {
    std::fprintf(stderr, "the peaks need a CPU with AVX512-VNNI and AVX512-BF16\n");
    return 2;
  }
  ThreadPool pool(options.num_threads);
  MemoryReader memory(pool);
  std::printf(
      "%s kernels, %zu threads, medians of %zu. Now: RAM %.1f GB/s, int8 %.0f, bf16 %.0f, f32 %.0f "
      "GOP/s\n",
      std::string(vade::kernels::IsaName(vade::kernels::ActiveIsa())).c_str(), pool.num_threads(),
      options.num_runs, memory.Read(), RunPeak(pool, PeakOf(Form::kI8)),
      RunPeak(pool, PeakOf(Form::kBf16)), RunPeak(pool, PeakOf(Form::kF32)));
  for (const std::string& name : options.types) {
    const bool encoder = name.ends_with("/i16");
    const auto* info =
        vade::quant::FindTensorType(std::string_view(name).substr(0, name.find('/')));
    if (info == nullptr) {
      std::fprintf(stderr, "unknown type %s\n", name.c_str());
      return 2;
    }
    const Form form = encoder ? Form::kI16 : vade::tensor::DecoderFormOf(info->type);
    for (const Shape shape : options.quick ? std::span(kShapes).first(1) : std::span(kShapes)) {
      if (shape.k % info->block_values != 0) continue;
      for (const size_t m : options.rows) {
        Subject subject(info->type, form, shape, m < kManyRows, pool);
        subject.Report(m, options.num_runs, memory);
        if (m == options.rows.front() && shape.n == kShapes[0].n) {
          std::printf("%-8s packed at %.1f GB/s\n", name.c_str(), subject.pack_gb());
        }
      }
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Speed of the decoder's matrix products");
  app.add_option("-t,--threads", options.num_threads, "0: all usable cores");
  app.add_option("-r,--runs", options.num_runs, "runs")->check(CLI::PositiveNumber);
  app.add_option("-m,--rows", options.rows, "rows of activations");
  app.add_flag("--quick", options.quick, "the first shape only");
  app.add_flag("--cpu-time", g_cpu_time, "CPU seconds per thread, for a machine with other work");
  app.add_option("types", options.types, "q8_0 q4_K ...; q8_0/i16 for the encoder's form");
  CLI11_PARSE(app, argc, argv);
  if (options.types.empty()) {
    options.types = {"q8_0", "q4_0", "q4_K", "q5_K", "q6_K", "bf16", "f16", "f32"};
  }
  return Run(options);
}
