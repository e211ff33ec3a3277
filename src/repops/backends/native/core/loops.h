/* What generated loops read and write with. Strides are in bytes. */
#include "vector.h"

/* 0, 1, 2 and so on. */
#if LANES == 16
#define COUNT ((vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#elif LANES == 8
#define COUNT ((vi){0, 1, 2, 3, 4, 5, 6, 7})
#else
#define COUNT ((vi){0, 1, 2, 3})
#endif

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

INLINE void store(char *to, vi x) { *(vi *)to = x; }

/* Nothing is written after the row's end. */
INLINE void store_left(char *to, vi x, int64_t left) {
  if (left >= LANES) *(vi *)to = x;
  else for (int64_t lane = 0; lane < left; lane++) ((word *)to)[lane] = x[lane];
}
