/*
 * Vectors of exactly the machine's width. gcc takes comparisons of wider vectors apart, and narrower ones waste
 * the machine. Only the compiler's vector extensions are used; where gcc doesn't find the machine's instruction
 * for a minimum, a square root or a floor, one line of assembly names it.
 */
#ifndef VERDE_VECTOR_H
#define VERDE_VECTOR_H
#include <stdint.h>
#include <string.h>

#if defined __AVX512F__
#define LANES 16
#elif defined __AVX2__
#define LANES 8
#else
#define LANES 4
#endif
#define VECTOR_BYTES (4 * LANES)

#define OF_LANES(n) __attribute__((vector_size(4 * (n)), aligned(4), may_alias))
typedef float vf OF_LANES(LANES);
typedef int32_t vi OF_LANES(LANES);
typedef uint32_t vu OF_LANES(LANES);
typedef int32_t word __attribute__((may_alias));
/* Some compilers accept the attribute and ignore it. */
_Static_assert(sizeof(vf) == VECTOR_BYTES && sizeof(vi) == VECTOR_BYTES, "this compiler has no vectors");
_Static_assert(sizeof(void *) == 8, "addresses have 64 bits here");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "this machine is big-endian");

/* Otherwise gcc passes vectors through memory. */
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 64")

/* A vector of one bit pattern in all lanes. */
#define IBITS(bits) ((vi){} + (int32_t)(bits))
#define FBITS(bits) ((vf)IBITS(bits))
/* x where the mask is all ones, y where it is 0. */
#define SELECT(mask, x, y) ((__typeof__(x))(((vi)(x) & (mask)) | ((vi)(y) & ~(mask))))

INLINE vf magnitude(vf x) { return (vf)((vi)x & IBITS(0x7fffffff)); }

/* b < a ? b : a, and a < b ? b : a: right for every input, NaN and -0 too. */
#if defined __x86_64__ && defined __AVX__
/*
 * The instruction gives its second source where both are equal or one is NaN, so the operands are exchanged.
 * Registers only: for "vm" clang takes memory.
 */
INLINE vf smaller(vf a, vf b) { vf to; __asm__("vminps %2, %1, %0" : "=v"(to) : "v"(b), "v"(a)); return to; }
INLINE vf larger(vf a, vf b) { vf to; __asm__("vmaxps %2, %1, %0" : "=v"(to) : "v"(b), "v"(a)); return to; }
#else
INLINE vf smaller(vf a, vf b) { vi less = b < a; return SELECT(less, b, a); }
INLINE vf larger(vf a, vf b) { vi less = a < b; return SELECT(less, b, a); }
#endif

INLINE vf square_root(vf x) {
  vf to;
#if defined __x86_64__ && defined __AVX__
  __asm__("vsqrtps %1, %0" : "=v"(to) : "v"(x));
#elif defined __aarch64__
  __asm__("fsqrt %0.4s, %1.4s" : "=w"(to) : "w"(x));
#else
  UNROLL for (int i = 0; i < LANES; i++) to[i] = __builtin_sqrtf(x[i]);
#endif
  return to;
}

INLINE vf floor_of(vf x) {
#if defined __x86_64__ && LANES == 16
  vf to;
  __asm__("vrndscaleps $9, %1, %0" : "=v"(to) : "v"(x));
  return to;
#elif defined __x86_64__ && defined __AVX__
  vf to;
  __asm__("vroundps $9, %1, %0" : "=x"(to) : "x"(x));
  return to;
#elif defined __aarch64__
  vf to;
  __asm__("frintm %0.4s, %1.4s" : "=w"(to) : "w"(x));
  return to;
#else /* every float from 2^23 on is whole */
  vi whole = ~(magnitude(x) < FBITS(0x4b000000));
  vf small = SELECT(whole, FBITS(0), x);
  vf cut = __builtin_convertvector(__builtin_convertvector(small, vi), vf);
  vi above = small < cut;
  cut = cut - (vf)(above & (vi)FBITS(0x3f800000));
  return SELECT(whole, x, cut);
#endif
}

INLINE vi smaller_int(vi a, vi b) { vi less = b < a; return SELECT(less, b, a); }
INLINE vi larger_int(vi a, vi b) { vi less = a < b; return SELECT(less, b, a); }
INLINE vf float_of_int(vi x) { return __builtin_convertvector(x, vf); }

INLINE vf float_of_unsigned(vi x) {
#if defined __x86_64__ && LANES < 16
  /* gcc would fuse this sum. Both halves and the product are exact, so only the sum rounds. */
  vf high = float_of_int((vi)((vu)x >> 16)) * FBITS(0x47800000); /* 2^16 */
  return high + float_of_int(x & 0xffff);
#else
  return __builtin_convertvector((vu)x, vf);
#endif
}

/* C doesn't define the conversion of a number that does not fit, so it is brought into range first. */
INLINE vi int_of_float(vf x) {
  vi top = x >= FBITS(0x4f000000);
  vf in = larger(x, FBITS(0xcf000000));
  in = SELECT(top, FBITS(0), in);
  vi whole = __builtin_convertvector(in, vi);
  return SELECT(top, IBITS(0x7fffffff), whole);
}

INLINE vi unsigned_of_float(vf x) {
  vf positive = larger(x, FBITS(0));
  vi top = positive >= FBITS(0x4f800000), half = positive >= FBITS(0x4f000000);
  vf in = positive - (vf)(half & (vi)FBITS(0x4f000000));
  in = SELECT(top, FBITS(0), in);
  vi whole = (vi)((vu)__builtin_convertvector(in, vi) + ((vu)half & 0x80000000u));
  return SELECT(top, IBITS(-1), whole);
}

/* 0, 1, 2 and so on. */
#if LANES == 16
#define COUNT ((vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#elif LANES == 8
#define COUNT ((vi){0, 1, 2, 3, 4, 5, 6, 7})
#else
#define COUNT ((vi){0, 1, 2, 3})
#endif

/* The first `count` lanes, from 0 on, and +0 in the others. */
INLINE vf first_of(vf x, int64_t count) { return count < LANES ? (vf)((vi)x & (COUNT < IBITS(count))) : x; }

INLINE vi larger_unsigned(vi a, vi b) {
#if defined __x86_64__ && defined __AVX2__
  vi to;
  __asm__("vpmaxud %2, %1, %0" : "=v"(to) : "v"(a), "v"(b));
  return to;
#else
  vi less = (vi)((vu)a < (vu)b);
  return SELECT(less, b, a);
#endif
}

/* What was brought into a clamp range: in each lane the bits of the largest magnitude, and all bits of what became +0. */
typedef struct { vi most, lost; } Seen;

/* Clamp ranges (spec 4.3): magnitudes below the least become +0, those above the most keep their sign. */
INLINE vf clamped(vf x, uint32_t least, uint32_t most, Seen *seen) {
  vf size = magnitude(x);
  vi large = size >= FBITS(least);
  vf in = (vf)((vi)x & large);
  seen->most = larger_unsigned(seen->most, (vi)size);
  seen->lost |= (vi)x & ~large;
  return larger(smaller(in, FBITS(most)), FBITS(most | 0x80000000u));
}
#define DOT_MOST 0x59000000 /* 2^51 */
#define SUM_MOST 0x72800000 /* 2^102 */
INLINE vf dot_range(vf x, Seen *seen) { return clamped(x, 0x26000000, DOT_MOST, seen); } /* 2^-51 */
INLINE vf sum_range(vf x, Seen *seen) { return clamped(x, 0x0c800000, SUM_MOST, seen); } /* 2^-102 */

/* Adds what was seen to a kernel's counter: 1 where a magnitude was above the most, 2 where one was below the least. */
#define ABOVE 1
#define BELOW 2
static inline void tell(const Seen *seen, int32_t most, int64_t *counter) {
  int64_t found = 0;
  for (int lane = 0; lane < LANES; lane++)
    found |= (seen->most[lane] > most ? ABOVE : 0) | (seen->lost[lane] ? BELOW : 0);
  if (found) __atomic_fetch_or(counter, found, __ATOMIC_RELAXED);
}

/* Adds a bit to a kernel's counter where a mask has a lane. */
static inline void tell_any(vi mask, int64_t bit, int64_t *counter) {
  int32_t any = 0;
  for (int lane = 0; lane < LANES; lane++) any |= mask[lane];
  if (any) __atomic_fetch_or(counter, bit, __ATOMIC_RELAXED);
}

/*
 * Transposes LANES vectors in place: steps that exchange blocks of S. The indices are constants that gcc and
 * clang both accept.
 */
#define LOW_OF(i, S) ((i) & S ? LANES + (i) - S : (i))
#define HIGH_OF(i, S) ((i) & S ? LANES + (i) : (i) + S)
#define FOUR_OF(f, i, S) f(i, S), f(i + 1, S), f(i + 2, S), f(i + 3, S)
#if LANES == 16
#define ALL_OF(f, S) FOUR_OF(f, 0, S), FOUR_OF(f, 4, S), FOUR_OF(f, 8, S), FOUR_OF(f, 12, S)
#define TRANSPOSE(type, r) EXCHANGE(type, r, 8) EXCHANGE(type, r, 4) EXCHANGE(type, r, 2) EXCHANGE(type, r, 1)
#elif LANES == 8
#define ALL_OF(f, S) FOUR_OF(f, 0, S), FOUR_OF(f, 4, S)
#define TRANSPOSE(type, r) EXCHANGE(type, r, 4) EXCHANGE(type, r, 2) EXCHANGE(type, r, 1)
#else
#define ALL_OF(f, S) FOUR_OF(f, 0, S)
#define TRANSPOSE(type, r) EXCHANGE(type, r, 2) EXCHANGE(type, r, 1)
#endif
#define EXCHANGE(type, r, S) UNROLL for (int i_ = 0; i_ < LANES; i_++) if (!(i_ & S)) { \
  type x_ = (r)[i_], y_ = (r)[i_ + S]; \
  (r)[i_] = __builtin_shufflevector(x_, y_, ALL_OF(LOW_OF, S)); \
  (r)[i_ + S] = __builtin_shufflevector(x_, y_, ALL_OF(HIGH_OF, S)); }
#endif
