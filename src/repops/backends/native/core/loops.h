/* What generated loops read and write with. Strides are in bytes. */
#include "vector.h"

/*
 * A function with a fast form, which leaves out `canon`: five operations after most results, which seldom change
 * anything. It only checks that results are between the least and the most magnitude, and no zeros. Where one is not,
 * the exact form computes all of it again. It also computes what follows, because such numbers seldom come alone.
 */
#define EXACT_CALLS 63
#define CHECKED(name, loop) static void name(const int64_t *p) { \
  static int left; \
  int before = __atomic_load_n(&left, __ATOMIC_RELAXED); \
  if (before > 0) __atomic_store_n(&left, before - 1, __ATOMIC_RELAXED); \
  else if (loop(p, 0)) return; \
  else __atomic_store_n(&left, EXACT_CALLS, __ATOMIC_RELAXED); \
  loop(p, 1); \
}
/* Twice the bits of a number without its sign, less those of the least magnitude: above the most where it is wrong. */
#define LEAST_TWICE 0x02000000
#define MOST_ABOVE 0xfbfffffeu
#define START_CHECKS vi checked[2] = {};
#define CHECK(which, x) checked[which] = larger_unsigned(checked[which], (vi)x + (vi)x - IBITS(LEAST_TWICE));
INLINE int all_right(vi a, vi b) {
  vi most = larger_unsigned(a, b);
  for (int lane = 0; lane < LANES; lane++) if ((uint32_t)most[lane] > MOST_ABOVE) return 0;
  return 1;
}
#define ALL_RIGHT all_right(checked[0], checked[1])

/* Counts below 32, of each lane. */
INLINE vi shifted_right(vi x, vi count) { return (vi)((vu)x >> (vu)count); }
INLINE vi rotated_left(vi x, vi count) { return (vi)((vu)x << (vu)count | (vu)x >> ((0 - (vu)count) & 31)); }

INLINE vi load_unit(const char *from) { return *(const vi *)from; }

INLINE vi load_splat(const char *from) { return IBITS(*(const word *)from); }

#define LANE(i) *(const word *)(from + (i) * stride)
#define FOUR_LANES(i) LANE(i), LANE(i + 1), LANE(i + 2), LANE(i + 3)
INLINE vi load_strided(const char *from, int64_t stride) {
#if LANES == 16
  return (vi){FOUR_LANES(0), FOUR_LANES(4), FOUR_LANES(8), FOUR_LANES(12)};
#elif LANES == 8
  return (vi){FOUR_LANES(0), FOUR_LANES(4)};
#else
  return (vi){FOUR_LANES(0)};
#endif
}

/* Lanes after the row's end read its last element again. */
INLINE vi load_strided_left(const char *from, int64_t stride, int64_t left) {
  vi to;
  if (left >= LANES) return load_strided(from, stride);
  for (int lane = 0; lane < LANES; lane++) to[lane] = *(const word *)(from + (lane < left ? lane : left - 1) * stride);
  return to;
}

/*
 * Sums of long rows are made of rows of partial sums (graph/rows.ts), which have few vectors. So 8 vectors are taken
 * of several rows; the place of vector u among them.
 */
#define SHORT_ROW 16
#define ROW_VECTORS (SHORT_ROW / LANES)
#define ROWS (8 / ROW_VECTORS)
#define ROW_OF(u, stride) ((u) / ROW_VECTORS * (stride) + (u) % ROW_VECTORS * VECTOR_BYTES)

INLINE void store(char *to, vi x) { *(vi *)to = x; }

/*
 * Past the caches: a line that nobody reads soon is not read before it is written. The place has to be a multiple
 * of the vector's size, or else it is an ordinary store.
 */
INLINE void store_past(char *to, vi x, int aligned) {
#if defined __x86_64__ && defined __AVX__
  if (aligned) __asm__("vmovntps %1, %0" : "=m"(*(vi *)to) : "v"(x));
  else
#endif
  *(vi *)to = x;
}

/* What was written past the caches is in memory for other threads before what is written next. */
INLINE void end_past(void) {
#if defined __x86_64__
  __asm__ volatile("sfence" : : : "memory");
#endif
}

/* Nothing is written after the row's end. */
INLINE void store_left(char *to, vi x, int64_t left) {
  if (left >= LANES) *(vi *)to = x;
  else for (int64_t lane = 0; lane < left; lane++) ((word *)to)[lane] = x[lane];
}
