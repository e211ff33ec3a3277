/*
 * SHA-256 (FIPS 180-4) of many messages of one length: a tag byte and a multiple of 64 bytes of data (spec 6.2).
 * With the CPU's SHA instructions four messages run at once, so that their latencies overlap; else each lane of
 * a vector hashes a message. Words are read one byte early, because the tag stands before the data: the byte
 * before the first message has to be readable.
 */
#include "vector.h"

static const uint32_t ROUND_WORDS[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static const uint32_t INITIAL_WORDS[8] = {
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

#define ROTATED(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define SWAPPED(x) ((ROTATED(x, 8) & 0xff00ff00u) | (ROTATED(x, 24) & 0x00ff00ffu))

#define ROUND(type, a, b, c, d, e, f, g, h, i) { \
  if ((i) >= 16) { \
    type p = w[((i) + 1) % 16], q = w[((i) + 14) % 16]; \
    w[(i) % 16] += (ROTATED(p, 7) ^ ROTATED(p, 18) ^ p >> 3) + w[((i) + 9) % 16] + (ROTATED(q, 17) ^ ROTATED(q, 19) ^ q >> 10); \
  } \
  type t = h + (ROTATED(e, 6) ^ ROTATED(e, 11) ^ ROTATED(e, 25)) + (g ^ (e & (f ^ g))) + (w[(i) % 16] + ROUND_WORDS[i]); \
  d += t; \
  h = t + (ROTATED(a, 2) ^ ROTATED(a, 13) ^ ROTATED(a, 22)) + ((a & b) | (c & (a | b))); }
#define EIGHT_ROUNDS(type, i) \
  ROUND(type, a, b, c, d, e, f, g, h, i) ROUND(type, h, a, b, c, d, e, f, g, i + 1) \
  ROUND(type, g, h, a, b, c, d, e, f, i + 2) ROUND(type, f, g, h, a, b, c, d, e, i + 3) \
  ROUND(type, e, f, g, h, a, b, c, d, i + 4) ROUND(type, d, e, f, g, h, a, b, c, i + 5) \
  ROUND(type, c, d, e, f, g, h, a, b, i + 6) ROUND(type, b, c, d, e, f, g, h, a, i + 7)
/* One block; the words become the message schedule. */
#define DEFINE_COMPRESS(name, type) INLINE void name(type *s, type *w) { \
  type a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7]; \
  EIGHT_ROUNDS(type, 0) EIGHT_ROUNDS(type, 8) EIGHT_ROUNDS(type, 16) EIGHT_ROUNDS(type, 24) \
  EIGHT_ROUNDS(type, 32) EIGHT_ROUNDS(type, 40) EIGHT_ROUNDS(type, 48) EIGHT_ROUNDS(type, 56) \
  s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h; }
DEFINE_COMPRESS(compress_one, uint32_t)

/* One message of any length below 256 bytes after its tag. */
static void hash_one(const uint8_t *from, int64_t bytes, uint32_t tag, uint8_t *to) {
  uint8_t message[320] = { (uint8_t)tag };
  uint32_t state[8], w[16];
  int64_t length = bytes + 1, blocks = (length + 9 + 63) / 64;
  memcpy(message + 1, from, (size_t)bytes);
  message[length] = 0x80;
  message[64 * blocks - 2] = (uint8_t)(8 * length >> 8);
  message[64 * blocks - 1] = (uint8_t)(8 * length);
  memcpy(state, INITIAL_WORDS, 32);
  for (int64_t b = 0; b < blocks; b++) {
    memcpy(w, message + 64 * b, 64);
    for (int i = 0; i < 16; i++) w[i] = SWAPPED(w[i]);
    compress_one(state, w);
  }
  for (int i = 0; i < 8; i++) state[i] = SWAPPED(state[i]);
  memcpy(to, state, 32);
}

#if defined __SHA__ && defined __SSE4_1__
#include <immintrin.h>

/*
 * The last block of a message holds one byte of data, the end mark and the length, so its 64 words with the
 * constants added come from a table: for messages of 4 blocks, and of 1.
 */
static uint32_t last_words[2][256][64] __attribute__((aligned(64)));

static void prepare_hashing(void) {
  for (int kind = 0; kind < 2; kind++)
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t w[64] = { byte << 24 | 0x00800000 };
      w[15] = kind ? 8 * 65 : 8 * 257;
      for (int i = 16; i < 64; i++) {
        uint32_t p = w[i - 15], q = w[i - 2];
        w[i] = w[i - 16] + (ROTATED(p, 7) ^ ROTATED(p, 18) ^ p >> 3) + w[i - 7] + (ROTATED(q, 17) ^ ROTATED(q, 19) ^ q >> 10);
      }
      for (int i = 0; i < 64; i++) last_words[kind][byte][i] = w[i] + ROUND_WORDS[i];
    }
}

#define STREAMS(s) UNROLL for (int s = 0; s < count; s++)
/* `count` messages of `blocks`·64 bytes, one after the other. */
INLINE void hash_streams(const int count, const uint8_t *from, int64_t blocks, uint32_t tag, uint8_t *to) {
  const __m128i flip = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  const uint32_t *h = INITIAL_WORDS;
  __m128i x[4], y[4], m[4][4], x0[4], y0[4];
  STREAMS(s) {
    x[s] = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    y[s] = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
  }
  for (int64_t b = 0; b < blocks; b++) {
    STREAMS(s) {
      const uint8_t *at = from + 64 * (blocks * s + b) - 1;
      x0[s] = x[s];
      y0[s] = y[s];
      UNROLL for (int q = 0; q < 4; q++) m[s][q] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(at + 16 * q)), flip);
      if (b == 0) m[s][0] = _mm_insert_epi8(m[s][0], (int)tag, 3);
    }
    UNROLL for (int r = 0; r < 16; r++) STREAMS(s) {
      __m128i *n = m[s], w = _mm_add_epi32(n[r % 4], _mm_loadu_si128((const __m128i *)(ROUND_WORDS + 4 * r)));
      y[s] = _mm_sha256rnds2_epu32(y[s], x[s], w);
      if (r < 12) {
        __m128i seven = _mm_alignr_epi8(n[(r + 3) % 4], n[(r + 2) % 4], 4);
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(n[r % 4], n[(r + 1) % 4]), seven);
        n[r % 4] = _mm_sha256msg2_epu32(sum, n[(r + 3) % 4]);
      }
      x[s] = _mm_sha256rnds2_epu32(x[s], y[s], _mm_shuffle_epi32(w, 0x0e));
    }
    STREAMS(s) {
      x[s] = _mm_add_epi32(x[s], x0[s]);
      y[s] = _mm_add_epi32(y[s], y0[s]);
    }
  }
  STREAMS(s) {
    x0[s] = x[s];
    y0[s] = y[s];
  }
  UNROLL for (int r = 0; r < 16; r++) STREAMS(s) {
    const uint32_t *last = last_words[blocks == 1][from[64 * blocks * (s + 1) - 1]];
    __m128i w = _mm_load_si128((const __m128i *)(last + 4 * r));
    y[s] = _mm_sha256rnds2_epu32(y[s], x[s], w);
    x[s] = _mm_sha256rnds2_epu32(x[s], y[s], _mm_shuffle_epi32(w, 0x0e));
  }
  STREAMS(s) {
    __m128i p = _mm_shuffle_epi32(_mm_add_epi32(x[s], x0[s]), 0x1b), q = _mm_shuffle_epi32(_mm_add_epi32(y[s], y0[s]), 0x1b);
    _mm_storeu_si128((__m128i *)(to + 32 * s), _mm_shuffle_epi8(_mm_unpacklo_epi64(p, q), flip));
    _mm_storeu_si128((__m128i *)(to + 32 * s + 16), _mm_shuffle_epi8(_mm_unpackhi_epi64(p, q), flip));
  }
}

/* n messages of 1 or 4 blocks to digests of 32 bytes. */
static void hash_many(const uint8_t *from, int64_t blocks, uint32_t tag, uint8_t *to, int64_t n) {
  for (; n >= 4; n -= 4, from += 256 * blocks, to += 128) hash_streams(4, from, blocks, tag, to);
  for (; n; n--, from += 64 * blocks, to += 32) hash_streams(1, from, blocks, tag, to);
}
#else
DEFINE_COMPRESS(compress_lanes, vu)

static void prepare_hashing(void) {}

/* LANES messages of `blocks`·64 bytes, one after the other. */
static void hash_lanes(const uint8_t *from, int64_t blocks, uint32_t tag, uint8_t *to) {
  vu s[8], w[16], r[LANES > 8 ? LANES : 8];
  UNROLL for (int i = 0; i < 8; i++) s[i] = (vu){} + INITIAL_WORDS[i];
  for (int64_t b = 0; b < blocks; b++) {
    for (int q = 0; q < 16; q += LANES) {
      UNROLL for (int i = 0; i < LANES; i++) r[i] = *(const vu *)(from + 64 * (blocks * i + b) + 4 * q - 1);
      TRANSPOSE(vu, r)
      UNROLL for (int i = 0; i < LANES; i++) w[q + i] = SWAPPED(r[i]);
    }
    if (b == 0) w[0] = (w[0] & 0x00ffffffu) | tag << 24;
    compress_lanes(s, w);
  }
  for (int i = 0; i < LANES; i++) w[0][i] = (uint32_t)from[64 * blocks * (i + 1) - 1] << 24 | 0x00800000;
  UNROLL for (int i = 1; i < 15; i++) w[i] = (vu){};
  w[15] = (vu){} + (uint32_t)(512 * blocks + 8);
  compress_lanes(s, w);
  for (int q = 0; q < 8; q += LANES) {
    UNROLL for (int i = 0; i < LANES; i++) r[i] = SWAPPED(s[(q + i) % 8]);
    TRANSPOSE(vu, r)
    UNROLL for (int i = 0; i < LANES; i++) memcpy(to + 32 * i + 4 * q, &r[i], LANES < 8 ? VECTOR_BYTES : 32);
  }
}

/* n messages of 1 or 4 blocks to digests of 32 bytes. */
static void hash_many(const uint8_t *from, int64_t blocks, uint32_t tag, uint8_t *to, int64_t n) {
  uint8_t in[1 + 256 * LANES] = { 0 }, out[32 * LANES];
  for (; n >= LANES; n -= LANES, from += 64 * blocks * LANES, to += 32 * LANES) hash_lanes(from, blocks, tag, to);
  if (n == 0) return;
  memcpy(in + 1, from, (size_t)(64 * blocks * n));
  hash_lanes(in + 1, blocks, tag, out);
  memcpy(to, out, (size_t)(32 * n));
}
#endif
