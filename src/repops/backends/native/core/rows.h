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
 * table[index[t]] += x[t] in the order of t, x in the sum range, for some columns; the table is zeroed first.
 * Rows of x are `x_row` elements apart, and those of the table `table_row`. Nothing is read or written beside the
 * columns.
 */
static void scatter_add(const float *x, const word *index, float *table, int64_t count, int64_t columns, int64_t rows,
                        int64_t x_row, int64_t table_row, int64_t *counter) {
  Seen seen = {};
  if (columns == table_row) memset(table, 0, 4 * (size_t)(rows * columns));
  else for (int64_t i = 0; i < rows; i++) memset(table + i * table_row, 0, 4 * (size_t)columns);
  for (int64_t t = 0; t < count; t++, x += x_row) {
    int64_t row = index[t], j = 0;
    if (row < 0 || row >= rows) {
      for (; j < columns; j++) sum_range((vf){} + x[j], &seen);
      continue;
    }
    float *to = table + row * table_row;
    for (; j + LANES <= columns; j += LANES) *(vf *)(to + j) = *(vf *)(to + j) + sum_range(*(const vf *)(x + j), &seen);
    for (; j < columns; j++) {
      vf one = sum_range((vf){} + x[j], &seen);
      to[j] = to[j] + one[0];
    }
  }
  tell(&seen, SUM_MOST, counter);
}
