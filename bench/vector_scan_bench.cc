// Exact nearest-neighbour search as the store does it (int8 scan, f16 rescoring), one thread, one
// query at a time: time per query, share of memory bandwidth, recall@10 against f32. Beside it, in
// alternation, a plain f32 scan, and FAISS's flat index where libfaiss-dev is installed.
//
//   vector_scan_bench [N] [base.f32 queries.f32]     rows of 384 floats, as of vec_data.py
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/kernels/vector_scan.h"
#include "vectorstore/top_k.h"
#include "vectorstore/vector_codec.h"
#ifdef VADE_HAVE_FAISS
#include <faiss/IndexFlat.h>
#endif

namespace {

using vade::vectorstore::Scored;
using vade::vectorstore::TopK;

constexpr size_t kDimension = 384;
constexpr size_t kNeighbours = 10;
constexpr size_t kCandidates = kNeighbours + 128;  // as in store_search.cc
constexpr size_t kRowsAtOnce = 4096;
constexpr int kRounds = 7;

// Of this thread alone: neighbours on a shared machine slow it less than the wall clock.
double CpuMilliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

std::vector<float> ReadFloats(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<float> values(static_cast<size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(float)));
  return values;
}

std::vector<float> RandomRows(size_t rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * kDimension);
  for (size_t row = 0; row < rows; ++row) {
    float* vector = values.data() + row * kDimension;
    double squares = 0;
    for (size_t i = 0; i < kDimension; ++i) {
      vector[i] = normal(random);
      squares += double{vector[i]} * double{vector[i]};
    }
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (size_t i = 0; i < kDimension; ++i) vector[i] *= scale;
  }
  return values;
}

class CodeIndex {
 public:
  explicit CodeIndex(const std::vector<float>& base)
      : rows_(base.size() / kDimension),
        codes_(rows_ * kDimension),
        scales_(rows_),
        sums_(rows_),
        originals_(base.size()) {
    for (size_t row = 0; row < rows_; ++row) {
      const std::span codes = codes_.span().subspan(row * kDimension, kDimension);
      scales_[row] = vade::vectorstore::QuantizeInt8(
          std::span(base).subspan(row * kDimension, kDimension), codes);
      for (const int8_t code : codes) sums_[row] += code;
    }
    std::transform(base.begin(), base.end(), originals_.begin(), vade::vectorstore::F16FromF32);
  }

  std::vector<Scored> Search(const float* query,
                             const vade::kernels::VectorScanKernels& kernel) const {
    vade::AlignedBuffer<int8_t> codes(kDimension);
    const float scale = vade::vectorstore::QuantizeInt8({query, kDimension}, codes.span());
    std::vector<float> scores(kRowsAtOnce);
    TopK candidates(kCandidates);
    for (size_t first = 0; first < rows_; first += kRowsAtOnce) {
      const size_t rows = std::min(kRowsAtOnce, rows_ - first);
      kernel.score_codes({codes_.data() + first * kDimension, scales_.data() + first,
                          sums_.data() + first, rows, kDimension},
                         codes.data(), scale, scores.data());
      for (size_t i = 0; i < rows; ++i) {
        if (scores[i] >= candidates.threshold()) {
          candidates.Add(scores[i], static_cast<uint32_t>(first + i));
        }
      }
    }
    TopK best(kNeighbours);
    for (const Scored& candidate : candidates.Take()) {
      best.Add(kernel.dot_f16(query, originals_.data() + size_t{candidate.position} * kDimension,
                              kDimension),
               candidate.position);
    }
    return best.Take();
  }

 private:
  size_t rows_;
  vade::AlignedBuffer<int8_t> codes_;
  vade::AlignedBuffer<float> scales_;
  vade::AlignedBuffer<int32_t> sums_;
  std::vector<uint16_t> originals_;
};

// 16 running sums, so that the compiler may use vectors without reordering a float sum.
std::vector<Scored> SearchF32(const std::vector<float>& base, const float* query) {
  TopK best(kNeighbours);
  for (size_t row = 0; row * kDimension < base.size(); ++row) {
    const float* vector = base.data() + row * kDimension;
    float sums[16] = {};
    for (size_t i = 0; i < kDimension; i += 16) {
      for (size_t lane = 0; lane < 16; ++lane) sums[lane] += query[i + lane] * vector[i + lane];
    }
    float dot = 0;
    for (const float sum : sums) dot += sum;
    best.Add(dot, static_cast<uint32_t>(row));
  }
  return best.Take();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Runs `search` for every query, `kRounds` times; returns the CPU milliseconds per query.
template <typename Search>
std::vector<double> Time(size_t queries, const Search& search) {
  std::vector<double> times;
  for (size_t query = 0; query < queries; ++query) {
    const double start = CpuMilliseconds();
    search(query);
    times.push_back(CpuMilliseconds() - start);
  }
  return times;
}

void Print(const char* name, const std::vector<double>& times, double bytes) {
  const double median = Median(times);
  std::printf("%-12s %8.3f ms median, %.3f min, %.3f max of %zu; %.1f GB/s\n", name, median,
              *std::min_element(times.begin(), times.end()),
              *std::max_element(times.begin(), times.end()), times.size(), bytes / median * 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t rows = argc > 1 ? static_cast<size_t>(std::atol(argv[1])) : 100000;
  const std::vector<float> base = argc > 3 ? ReadFloats(argv[2]) : RandomRows(rows, 1);
  const std::vector<float> all_queries = argc > 3 ? ReadFloats(argv[3]) : RandomRows(200, 2);
  const size_t queries = std::min<size_t>(all_queries.size() / kDimension, 100);
  const auto query = [&](size_t i) { return all_queries.data() + i * kDimension; };
  const CodeIndex index(base);
  const double code_bytes = static_cast<double>(base.size());

  size_t hits = 0;
  for (size_t i = 0; i < queries; ++i) {
    const auto exact = SearchF32(base, query(i));
    const auto found = index.Search(query(i), vade::kernels::GetVectorScanKernels());
    for (const Scored& hit : found) {
      hits += std::any_of(exact.begin(), exact.end(),
                          [&](const Scored& other) { return other.position == hit.position; });
    }
  }
  std::printf("%zu rows of %zu, %zu queries, recall@10 %.4f\n", base.size() / kDimension,
              kDimension, queries,
              static_cast<double>(hits) / static_cast<double>(queries * kNeighbours));

  constexpr vade::kernels::Isa kIsas[] = {vade::kernels::Isa::kScalar, vade::kernels::Isa::kAvx2,
                                          vade::kernels::Isa::kAvx512};
  std::vector<double> isa_times[3];
  std::vector<double> f32_times;
  std::vector<double> faiss_times;
#ifdef VADE_HAVE_FAISS
  faiss::IndexFlatIP faiss_index(kDimension);
  faiss_index.add(static_cast<faiss::Index::idx_t>(base.size() / kDimension), base.data());
#endif
  const size_t few = std::min<size_t>(queries, 20);
  for (int round = 0; round < kRounds; ++round) {
    for (size_t isa = 0; isa < 3; ++isa) {
      if (!vade::kernels::IsSupported(kIsas[isa])) continue;
      const auto& kernel = vade::kernels::GetVectorScanKernels(kIsas[isa]);
      for (const double time : Time(few, [&](size_t i) { index.Search(query(i), kernel); })) {
        isa_times[isa].push_back(time);
      }
    }
    for (const double time : Time(few, [&](size_t i) { SearchF32(base, query(i)); })) {
      f32_times.push_back(time);
    }
#ifdef VADE_HAVE_FAISS
    for (const double time : Time(few, [&](size_t i) {
           float distances[kNeighbours];
           faiss::Index::idx_t labels[kNeighbours];
           faiss_index.search(1, query(i), kNeighbours, distances, labels);
         })) {
      faiss_times.push_back(time);
    }
#endif
  }
  for (size_t isa = 0; isa < 3; ++isa) {
    if (isa_times[isa].empty()) continue;
    Print(std::string(vade::kernels::IsaName(kIsas[isa])).c_str(), isa_times[isa], code_bytes);
  }
  Print("plain f32", f32_times, code_bytes * 4);
  if (!faiss_times.empty()) Print("faiss flat", faiss_times, code_bytes * 4);
}
