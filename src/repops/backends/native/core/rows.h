/* Rows of a table: chosen by an index, and added back in the order of their positions. */
#include "vector.h"

/* target[i] = source[index[i]], or the fill bits. Returns the number of indices outside. */
static int64_t gather(const char *source, const word *index, char *target, int64_t count, int64_t row_bytes,
                      int64_t rows, int32_t fill) {
  int64_t outside = 0;
  for (int64_t i = 0; i < count; i++, target += row_bytes) {
    int64_t row = index[i];
    if (row >= 0 && row < rows) {
      memcpy(target, source + row * row_bytes, (size_t)row_bytes);
      continue;
    }
    outside++;
    for (int64_t j = 0; j < row_bytes / 4; j++) ((word *)target)[j] = fill;
  }
  return outside;
}

/*
 * table[index[t]] += x[t] in the order of t, x in the sum range; the table is zeroed first. A row has `inner`
 * elements, and those of x are `stride` elements apart. Nothing is read after a row of x or written after one
 * of the table.
 */
static void scatter_add(const float *x, const word *index, float *table, int64_t count, int64_t inner, int64_t rows,
                        int64_t stride) {
  memset(table, 0, 4 * (size_t)(rows * inner));
  for (int64_t t = 0; t < count; t++, x += stride) {
    int64_t row = index[t], j = 0;
    if (row < 0 || row >= rows) continue;
    float *to = table + row * inner;
    for (; j + LANES <= inner; j += LANES) *(vf *)(to + j) = *(vf *)(to + j) + sum_range(*(const vf *)(x + j));
    for (; j < inner; j++) {
      vf one = sum_range((vf){} + x[j]);
      to[j] = to[j] + one[0];
    }
  }
}
