// Row operations written once over a vector type V (kLanes floats). Included inside the target
// region of each instruction set; V is a type of that file's unnamed namespace, so every
// instantiation is private to it.
//
// Tails are handled by masked loads and stores: memory past n is neither read nor written.

template <class V, class Op>
static inline void Transform(float* x, size_t n, const Op& op) noexcept {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) V::Store(x + i, op(V::Load(x + i)));
  if (i < n) {
    const auto mask = V::FirstN(n - i);
    V::StoreMasked(x + i, mask, op(V::LoadMasked(x + i, mask)));
  }
}

// e^x for x <= 88; below -87.3 the result is at most 1.2e-38. Cephes expf: x = j ln2 + r with
// |r| <= ln2 / 2, ln2 split in two so that j * kLn2High is exact; relative error below 2e-7.
// Operand order matters: Max and Min return their second operand when one is NaN.
template <class V>
static inline typename V::F Exp(typename V::F x) noexcept {
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  x = V::Min(V::Set(88.0f), V::Max(V::Set(-87.3f), x));
  const auto j = V::Round(V::Mul(x, V::Set(1.44269504f)));
  auto r = V::NegFma(j, V::Set(kLn2High), x);
  r = V::NegFma(j, V::Set(kLn2Low), r);
  auto p = V::Set(1.9875691500e-4f);
  p = V::Fma(p, r, V::Set(1.3981999507e-3f));
  p = V::Fma(p, r, V::Set(8.3334519073e-3f));
  p = V::Fma(p, r, V::Set(4.1665795894e-2f));
  p = V::Fma(p, r, V::Set(1.6666665459e-1f));
  p = V::Fma(p, r, V::Set(5.0000001201e-1f));
  p = V::Fma(p, V::Mul(r, r), V::Add(r, V::Set(1.0f)));
  return V::ScaleByPowerOf2(p, j);
}

// Phi(x) - 1/2 = x * P(v), v = 2 x^2 / 5.3^2 - 1: a Chebyshev interpolant of degree 14 over
// |x| <= 5.3, in powers of v because v stays in [-1, 1] and the sum keeps its digits. Absolute
// error of x * Phi(x) below 5e-7 for |x| <= 8 (checked over 16,001 points; the tests repeat it).
// x below -5.3 counts as -5.3, where x * Phi(x) is -3e-7.
template <class V>
static inline typename V::F GeluErfOf(typename V::F x) noexcept {
  constexpr float kBound = 5.3f;
  constexpr float kP[] = {1.333925575e-01f, -6.651855260e-02f, 4.926456138e-02f, -3.958733380e-02f,
                          3.207235411e-02f, -2.531267703e-02f, 1.897362620e-02f, -1.313070487e-02f,
                          8.677928708e-03f, -5.949964747e-03f, 3.375373548e-03f, -1.008310122e-03f,
                          5.425998825e-04f, -7.937791524e-04f, 3.419416316e-04f};
  const auto left = V::Max(V::Set(-kBound), x);
  const auto clamped = V::Min(V::Set(kBound), left);
  const auto v = V::Fma(V::Mul(clamped, clamped), V::Set(2.0f / (kBound * kBound)), V::Set(-1.0f));
  auto p = V::Set(kP[14]);
  for (int i = 13; i >= 0; --i) p = V::Fma(p, v, V::Set(kP[i]));
  return V::Mul(left, V::Fma(p, clamped, V::Set(0.5f)));
}

// x / (1 + e^-y). e^-y is capped near 1.6e38, so the quotient never becomes inf / inf.
template <class V>
static inline typename V::F TimesSigmoid(typename V::F x, typename V::F y) noexcept {
  const auto e = Exp<V>(V::Sub(V::Set(0.0f), y));
  return V::Div(x, V::Add(V::Set(1.0f), e));
}

template <class V>
static inline typename V::F GeluTanhOf(typename V::F x) noexcept {
  constexpr float kLinear = 1.5957691216f;             // 2 sqrt(2 / pi)
  constexpr float kCubic = 1.5957691216f * 0.044715f;  // of x^3
  const auto square = V::Mul(x, x);
  return TimesSigmoid<V>(x, V::Mul(x, V::Fma(square, V::Set(kCubic), V::Set(kLinear))));
}

template <class V>
static void GeluErf(float* x, size_t n) noexcept {
  struct Op {
    typename V::F operator()(typename V::F v) const noexcept { return GeluErfOf<V>(v); }
  };
  Transform<V>(x, n, Op{});
}

template <class V>
static void GeluTanh(float* x, size_t n) noexcept {
  struct Op {
    typename V::F operator()(typename V::F v) const noexcept { return GeluTanhOf<V>(v); }
  };
  Transform<V>(x, n, Op{});
}

template <class V>
static void Silu(float* x, size_t n) noexcept {
  struct Op {
    typename V::F operator()(typename V::F v) const noexcept { return TimesSigmoid<V>(v, v); }
  };
  Transform<V>(x, n, Op{});
}

template <class V>
static void Softmax(float* x, size_t n, float scale) noexcept {
  if (n == 0) return;
  const size_t whole = n - n % V::kLanes;
  const auto tail = V::FirstN(n - whole);
  const auto lowest = V::Set(-3.402823466e38f);
  auto high = lowest;
  for (size_t i = 0; i < whole; i += V::kLanes) high = V::Max(high, V::Load(x + i));
  if (whole < n) high = V::Max(high, V::Select(tail, V::LoadMasked(x + whole, tail), lowest));
  const auto top = V::Set(V::ReduceMax(high));
  const auto factor = V::Set(scale);
  auto sum = V::Set(0.0f);
  for (size_t i = 0; i < whole; i += V::kLanes) {
    const auto e = Exp<V>(V::Mul(V::Sub(V::Load(x + i), top), factor));
    sum = V::Add(sum, e);
    V::Store(x + i, e);
  }
  if (whole < n) {
    const auto e = Exp<V>(V::Mul(V::Sub(V::LoadMasked(x + whole, tail), top), factor));
    sum = V::Add(sum, V::Select(tail, e, V::Set(0.0f)));
    V::StoreMasked(x + whole, tail, e);
  }
  const auto inverse = V::Set(1.0f / V::ReduceAdd(sum));
  for (size_t i = 0; i < whole; i += V::kLanes) V::Store(x + i, V::Mul(V::Load(x + i), inverse));
  if (whole < n) {
    V::StoreMasked(x + whole, tail, V::Mul(V::LoadMasked(x + whole, tail), inverse));
  }
}

template <class V>
static void LayerNorm(const float* x, const float* weight, const float* bias, float eps, size_t n,
                      float* y) noexcept {
  const size_t whole = n - n % V::kLanes;
  const auto tail = V::FirstN(n - whole);
  const auto zero = V::Set(0.0f);
  auto sum = zero;
  for (size_t i = 0; i < whole; i += V::kLanes) sum = V::Add(sum, V::Load(x + i));
  if (whole < n) sum = V::Add(sum, V::LoadMasked(x + whole, tail));
  const auto mean = V::Set(V::ReduceAdd(sum) / static_cast<float>(n));
  auto squares = zero;
  for (size_t i = 0; i < whole; i += V::kLanes) {
    const auto d = V::Sub(V::Load(x + i), mean);
    squares = V::Fma(d, d, squares);
  }
  if (whole < n) {
    const auto d = V::Select(tail, V::Sub(V::LoadMasked(x + whole, tail), mean), zero);
    squares = V::Fma(d, d, squares);
  }
  const float variance = V::ReduceAdd(squares) / static_cast<float>(n);
  const auto inverse = V::Set(1.0f / __builtin_sqrtf(variance + eps));
  for (size_t i = 0; i < whole; i += V::kLanes) {
    const auto unit = V::Mul(V::Sub(V::Load(x + i), mean), inverse);
    const auto shift = bias != nullptr ? V::Load(bias + i) : zero;
    V::Store(y + i, V::Fma(unit, V::Load(weight + i), shift));
  }
  if (whole < n) {
    const auto unit = V::Mul(V::Sub(V::LoadMasked(x + whole, tail), mean), inverse);
    const auto shift = bias != nullptr ? V::LoadMasked(bias + whole, tail) : zero;
    V::StoreMasked(y + whole, tail, V::Fma(unit, V::LoadMasked(weight + whole, tail), shift));
  }
}

template <class V>
static void QuantizeI16(const float* x, size_t n, int16_t* q, float* scale,
                        float* offset) noexcept {
  if (n == 0) return;
  const size_t whole = n - n % V::kLanes;
  const auto tail = V::FirstN(n - whole);
  const auto zero = V::Set(0.0f);
  auto low = V::Set(3.402823466e38f);
  auto high = V::Set(-3.402823466e38f);
  auto poison = zero;  // NaN once any x is NaN or infinite
  for (size_t i = 0; i < whole; i += V::kLanes) {
    const auto v = V::Load(x + i);
    low = V::Min(low, v);
    high = V::Max(high, v);
    poison = V::Fma(v, zero, poison);
  }
  if (whole < n) {
    const auto v = V::LoadMasked(x + whole, tail);
    low = V::Min(low, V::Select(tail, v, low));
    high = V::Max(high, V::Select(tail, v, high));
    poison = V::Fma(v, zero, poison);
  }
  const float bottom = V::ReduceMin(low) * 0.5f;
  const float top = V::ReduceMax(high) * 0.5f;
  const float half = top - bottom;
  const float bad = V::ReduceAdd(poison);
  const bool flat = !(half > kSmallestRange) || bad != 0.0f;
  const auto middle = V::Set(top + bottom);
  const auto inverse = V::Set(flat ? 0.0f : static_cast<float>(kMaxActivation) / half);
  *scale = flat ? 0.0f : half / static_cast<float>(kMaxActivation);
  *offset = top + bottom + bad;
  for (size_t i = 0; i < whole; i += V::kLanes) {
    V::StoreI16(q + i, V::Mul(V::Sub(V::Load(x + i), middle), inverse));
  }
  if (whole < n) {
    const auto v = V::Mul(V::Sub(V::LoadMasked(x + whole, tail), middle), inverse);
    V::StoreI16Partial(q + whole, n - whole, v);
  }
}

template <class V>
static void Add(const float* x, size_t n, float* y) noexcept {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes)
    V::Store(y + i, V::Add(V::Load(y + i), V::Load(x + i)));
  if (i < n) {
    const auto m = V::FirstN(n - i);
    V::StoreMasked(y + i, m, V::Add(V::LoadMasked(y + i, m), V::LoadMasked(x + i, m)));
  }
}

template <class V>
static void Multiply(const float* x, size_t n, float* y) noexcept {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes)
    V::Store(y + i, V::Mul(V::Load(y + i), V::Load(x + i)));
  if (i < n) {
    const auto m = V::FirstN(n - i);
    V::StoreMasked(y + i, m, V::Mul(V::LoadMasked(y + i, m), V::LoadMasked(x + i, m)));
  }
}
