// What decoders need besides the products, written once over a vector type V: RMS norm, rotary
// positions, gated activations and half precision rows. Included inside the target region after
// row_ops_inl.h.

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
