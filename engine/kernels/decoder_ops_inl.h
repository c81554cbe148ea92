// What decoders need besides the products, written once over a vector type V: RMS norm, rotary
// positions, gated activations, half precision rows and attention over a half precision cache.
// Included inside the target region after row_ops_inl.h.

template <class V>
static void RmsNorm(const float* x, const float* weight, float eps, size_t n, float* y) noexcept {
  if (n == 0) return;
  const size_t whole = n - n % V::kLanes;
  const auto tail = V::FirstN(n - whole);
  auto squares = V::Set(0.0f);
  for (size_t i = 0; i < whole; i += V::kLanes) {
    const auto v = V::Load(x + i);
    squares = V::Fma(v, v, squares);
  }
  if (whole < n) {
    const auto v = V::LoadMasked(x + whole, tail);
    squares = V::Fma(v, v, squares);
  }
  const float mean = V::ReduceAdd(squares) / static_cast<float>(n);
  const auto inverse = V::Set(1.0f / __builtin_sqrtf(mean + eps));
  const auto one = V::Set(1.0f);
  for (size_t i = 0; i < whole; i += V::kLanes) {
    const auto factor = weight != nullptr ? V::Load(weight + i) : one;
    V::Store(y + i, V::Mul(V::Mul(V::Load(x + i), inverse), factor));
  }
  if (whole < n) {
    const auto factor = weight != nullptr ? V::LoadMasked(weight + whole, tail) : one;
    V::StoreMasked(y + whole, tail,
                   V::Mul(V::Mul(V::LoadMasked(x + whole, tail), inverse), factor));
  }
}

// --- rotary positions
// ------------------------------------------------------------------------------

template <class V>
static void RopeNormal(float* heads, size_t num_heads, size_t head_dim, const float* cosines,
                       const float* sines, size_t half) noexcept {
  constexpr size_t kPairs = V::kLanes / 2;
  const size_t whole = half - half % kPairs;
  for (size_t head = 0; head < num_heads; ++head) {
    float* x = heads + head * head_dim;
    for (size_t i = 0; i < whole; i += kPairs) {
      const auto v = V::Load(x + 2 * i);
      const auto turned = V::Mul(V::SwapPairs(v), V::LoadTwice(sines + i));
      V::Store(x + 2 * i, V::FmaSubAdd(v, V::LoadTwice(cosines + i), turned));
    }
    for (size_t i = whole; i < half; ++i) {
      const float a = x[2 * i];
      const float b = x[2 * i + 1];
      x[2 * i] = a * cosines[i] - b * sines[i];
      x[2 * i + 1] = a * sines[i] + b * cosines[i];
    }
  }
}

template <class V>
static void RopeNeox(float* heads, size_t num_heads, size_t head_dim, const float* cosines,
                     const float* sines, size_t half) noexcept {
  for (size_t head = 0; head < num_heads; ++head) {
    float* x = heads + head * head_dim;
    for (size_t i = 0; i < half; i += V::kLanes) {
      const auto mask = V::FirstN(half - i);
      const auto a = V::LoadMasked(x + i, mask);
      const auto b = V::LoadMasked(x + half + i, mask);
      const auto cosine = V::LoadMasked(cosines + i, mask);
      const auto sine = V::LoadMasked(sines + i, mask);
      V::StoreMasked(x + i, mask, V::NegFma(b, sine, V::Mul(a, cosine)));
      V::StoreMasked(x + half + i, mask, V::Fma(b, cosine, V::Mul(a, sine)));
    }
  }
}

// --- activations
// -----------------------------------------------------------------------------------

template <class V, class Op>
static inline void Gate(const float* gate, size_t n, float* up, const Op& op) noexcept {
  for (size_t i = 0; i < n; i += V::kLanes) {
    const auto mask = V::FirstN(n - i);
    V::StoreMasked(up + i, mask,
                   V::Mul(V::LoadMasked(up + i, mask), op(V::LoadMasked(gate + i, mask))));
  }
}

template <class V>
static void SiluMultiply(const float* gate, size_t n, float* up) noexcept {
  struct Op {
    typename V::F operator()(typename V::F v) const noexcept { return TimesSigmoid<V>(v, v); }
  };
  Gate<V>(gate, n, up, Op{});
}

template <class V>
static void GeluTanhMultiply(const float* gate, size_t n, float* up) noexcept {
  struct Op {
    typename V::F operator()(typename V::F v) const noexcept { return GeluTanhOf<V>(v); }
  };
  Gate<V>(gate, n, up, Op{});
}

// tanh(y) = 1 - 2 / (1 + e^2y); Exp's bounds make it +-1 far out.
template <class V>
static void SoftCap(float* x, size_t n, float scale, float cap) noexcept {
  struct Op {
    typename V::F factor, cap;
    typename V::F operator()(typename V::F v) const noexcept {
      const auto one = V::Set(1.0f);
      const auto e = Exp<V>(V::Mul(v, factor));
      return V::Mul(cap, V::Sub(one, V::Div(V::Set(2.0f), V::Add(one, e))));
    }
  };
  Transform<V>(x, n, Op{V::Set(2.0f * scale / cap), V::Set(cap)});
}

// --- half precision
// --------------------------------------------------------------------------------

template <class V>
static void F32ToF16(const float* x, size_t n, uint16_t* y) noexcept {
  const size_t whole = n - n % V::kLanes;
  for (size_t i = 0; i < whole; i += V::kLanes) V::StoreF16(y + i, V::Load(x + i));
  if (whole < n) {
    V::StoreF16Partial(y + whole, n - whole, V::LoadMasked(x + whole, V::FirstN(n - whole)));
  }
}

template <class V>
static void F16ToF32(const uint16_t* x, size_t n, float* y) noexcept {
  const size_t whole = n - n % V::kLanes;
  for (size_t i = 0; i < whole; i += V::kLanes) V::Store(y + i, V::LoadF16(x + i));
  if (whole < n) {
    const auto mask = V::FirstN(n - whole);
    V::StoreMasked(y + whole, mask, V::LoadF16Masked(x + whole, mask));
  }
}

// --- attention
// -------------------------------------------------------------------------------------

inline constexpr size_t kKeyTile = 4;  // one reduction gives the sums of four vectors

template <class V>
struct KeySums {  // of one query with each of four keys
  typename V::F k0, k1, k2, k3;
};

template <class V, class Load, size_t... kRow>
static inline void ScoreStep(RowPack<kRow...>, const Load& load, const AttentionScores& op,
                             const float* query, const uint16_t* const* keys, size_t i,
                             KeySums<V>* sums) noexcept {
  const typename V::F k0 = load.Half(keys[0] + i), k1 = load.Half(keys[1] + i);
  const typename V::F k2 = load.Half(keys[2] + i), k3 = load.Half(keys[3] + i);
  const auto row = [&](const float* q, KeySums<V>& sum) {
    const auto x = load.Float(q + i);
    sum.k0 = V::Fma(x, k0, sum.k0);
    sum.k1 = V::Fma(x, k1, sum.k1);
    sum.k2 = V::Fma(x, k2, sum.k2);
    sum.k3 = V::Fma(x, k3, sum.k3);
  };
  (row(query + kRow * op.ldq, sums[kRow]), ...);
}

template <class V>
struct WholeLoad {
  typename V::F Float(const float* p) const noexcept { return V::Load(p); }
  typename V::F Half(const uint16_t* p) const noexcept { return V::LoadF16(p); }
};
template <class V>
struct TailLoad {
  decltype(V::FirstN(0)) mask;
  typename V::F Float(const float* p) const noexcept { return V::LoadMasked(p, mask); }
  typename V::F Half(const uint16_t* p) const noexcept { return V::LoadF16Masked(p, mask); }
};

// The pack's queries with up to four keys; missing keys are the last one again.
template <class V, size_t... kRow>
static void Tile(RowPack<kRow...> rows, const AttentionScores& op, const float* query, size_t key,
                 float* scores) noexcept {
  const size_t num_keys = op.n - key < kKeyTile ? op.n - key : kKeyTile;
  const uint16_t* keys[kKeyTile];
  for (size_t j = 0; j < kKeyTile; ++j) {
    keys[j] = op.key + (key + (j < num_keys ? j : num_keys - 1)) * op.ldk;
  }
  const auto zero = V::Set(0.0f);
  const KeySums<V> zeros = {zero, zero, zero, zero};
  KeySums<V> sums[] = {((void)kRow, zeros)...};
  const size_t whole = op.dim - op.dim % V::kLanes;
  for (size_t i = 0; i < whole; i += V::kLanes) {
    ScoreStep<V>(rows, WholeLoad<V>{}, op, query, keys, i, sums);
  }
  if (whole < op.dim) {
    const TailLoad<V> load = {V::FirstN(op.dim - whole)};
    ScoreStep<V>(rows, load, op, query, keys, whole, sums);
  }
  const auto store = [&](const KeySums<V>& sum, float* out) {
    const __m128 four = V::ReduceAdd4(sum.k0, sum.k1, sum.k2, sum.k3);
    if (num_keys == kKeyTile) {
      _mm_storeu_ps(out, four);
    } else {
      __builtin_memcpy(out, &four, num_keys * sizeof(float));
    }
  };
  (store(sums[kRow], scores + kRow * op.lds), ...);
}

template <class V>
static void Scores(const AttentionScores& op) noexcept {
  for (size_t row = 0; row < op.m; row += V::kAttentionRows) {
    const size_t rows = op.m - row < V::kAttentionRows ? op.m - row : V::kAttentionRows;
    const float* query = op.query + row * op.ldq;
    for (size_t key = 0; key < op.n; key += kKeyTile) {
      TileOfRows<V::kAttentionRows>(
          rows, [&](auto pack) { Tile<V>(pack, op, query, key, op.scores + row * op.lds + key); });
    }
  }
}

// The pack's rows, dims [0, 2 * kLanes) or the masked part of them.
template <class V, size_t... kRow>
static void Tile(RowPack<kRow...>, const AttentionMix& op, const float* weights,
                 const uint16_t* value, float* out, size_t dims) noexcept {
  const bool full = dims >= 2 * V::kLanes;
  const auto left_mask = V::FirstN(dims);
  const auto right_mask = V::FirstN(dims > V::kLanes ? dims - V::kLanes : 0);
  const auto zero = V::Set(0.0f);
  typename V::F left[] = {
      (op.accumulate ? V::LoadMasked(out + kRow * op.ldo, left_mask) : ((void)kRow, zero))...};
  typename V::F right[] = {(op.accumulate
                                ? V::LoadMasked(out + kRow * op.ldo + V::kLanes, right_mask)
                                : ((void)kRow, zero))...};
  for (size_t j = 0; j < op.n; ++j) {
    const uint16_t* v = value + j * op.ldv;
    const auto v_left = full ? V::LoadF16(v) : V::LoadF16Masked(v, left_mask);
    const auto v_right =
        full ? V::LoadF16(v + V::kLanes) : V::LoadF16Masked(v + V::kLanes, right_mask);
    ((left[kRow] = V::Fma(V::Set(weights[kRow * op.ldw + j]), v_left, left[kRow]),
      right[kRow] = V::Fma(V::Set(weights[kRow * op.ldw + j]), v_right, right[kRow])),
     ...);
  }
  ((V::StoreMasked(out + kRow * op.ldo, left_mask, left[kRow]),
    V::StoreMasked(out + kRow * op.ldo + V::kLanes, right_mask, right[kRow])),
   ...);
}

template <class V>
static void Mix(const AttentionMix& op) noexcept {
  constexpr size_t kWidth = 2 * V::kLanes;
  const size_t num_tiles = NumTiles<V>(op.m);
  for (size_t dim = 0; dim < op.dim; dim += kWidth) {
    const size_t dims = op.dim - dim < kWidth ? op.dim - dim : kWidth;
    size_t row = 0;
    for (size_t t = 0; t < num_tiles; ++t) {
      const size_t rows = op.m * (t + 1) / num_tiles - row;
      TileOfRows<V::kTileRows>(rows, [&](auto pack) {
        Tile<V>(pack, op, op.weights + row * op.ldw, op.value + dim, op.out + row * op.ldo + dim,
                dims);
      });
      row += rows;
    }
  }
}
